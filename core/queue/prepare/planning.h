// From sweep files on disk to plans and to what the queue takes: the effects around spec and plan.
//
// Models are described by one child process (`bitsweep-worker describe`), texts are inspected through `Texts`, and
// what is already done is looked up in the database when there is one. Planning writes nothing.
#pragma once

#include <string>
#include <vector>

#include "plan/plan.h"
#include "prepare/texts.h"
#include "schedule/schedule.h"
#include "store/records.h"

namespace bitsweep::prepare {

// Plans of the files, in order, with the states the database of `root` knows ("new": none) and which of the finished
// runs were made by other code than is at hand. Throws Error with all that
// is wrong with any of the files, each at its place: tasks, texts beside, data, models and base runs
// (prepare/base_runs.h) too; two files with one sweep name are refused.
std::vector<plan::Plan> plan_sweeps(const std::vector<std::string>& files, const std::vector<std::string>& overrides,
                                    const fs::path& root, Texts& texts, Notes& notes);

// Fills the runs' times from the speeds that the database of `root` knows. Only `bitsweep plan` asks for them.
void add_times(std::vector<plan::Plan>& plans, const fs::path& root);

// Adds what the plan would not fit into, of the memory of the first of the devices.
void note_memory(plan::Plan& plan, const std::vector<schedule::DeviceSlots>& devices);

// What the queue takes.
store::NewSweep new_sweep(const plan::Plan& plan);

// Asks `WORKER describe`, one process for all questions. A question at which the process dies gets an error for an
// answer, and another process goes on behind it.
class WorkerDescriber : public plan::Describer {
 public:
  WorkerDescriber(fs::path worker, fs::path plugins) : worker_(std::move(worker)), plugins_(std::move(plugins)) {}
  std::vector<plan::DescribeAnswer> describe(const std::vector<plan::DescribeQuestion>& questions) override;

 private:
  fs::path worker_, plugins_;
};

}  // namespace bitsweep::prepare
