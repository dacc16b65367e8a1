// From sweep files to plans, with the effects that `plan`, `submit` and `run` share: the worker describes models in a child
// process, data sets are inspected, and the database says what is known already. Writes nothing.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "plan/plan.h"
#include "store/store.h"

namespace bitsweep {

struct PlanningRequest {
  std::vector<fs::path> files;
  std::vector<std::string> overrides;  // PATH=VALUE
  fs::path root;
  fs::path worker;                     // worker_program()
  fs::path plugins;                    // plugin_folder()
};

// One plan a file, in order; each run's state is what the database of the root knows, "new" when it knows nothing.
// Throws one Error with the mistakes of all files; Error{input} when two files have the same sweep name.
std::vector<Plan> plan_sweeps(const PlanningRequest& request);

// What Store::submit takes.
NewSweep new_sweep(const Plan& plan);

// Asks `bitsweep-worker describe`, one process for all questions. A question at which the process dies gets an error for
// an answer, and the next process goes on behind it.
class WorkerDescriber : public Describer {
 public:
  WorkerDescriber(fs::path worker, fs::path plugins) : worker_(std::move(worker)), plugins_(std::move(plugins)) {}
  std::vector<DescribeAnswer> describe(const std::vector<DescribeQuestion>& questions) override;

 private:
  fs::path worker_, plugins_;
};

// Asks core/data, which keeps what it has built in `cache`.
class DataProbe : public DatasetProbe {
 public:
  explicit DataProbe(fs::path cache) : cache_(std::move(cache)) {}
  DatasetFacts probe(const DataSpec& data) override;

 private:
  fs::path cache_;
};

}  // namespace bitsweep
