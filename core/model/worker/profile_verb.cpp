#include "worker/profile_verb.h"

#include <algorithm>
#include <optional>
#include <ostream>
#include <vector>

#include <c10/util/Exception.h>

#include "base/clock.h"
#include "base/error.h"
#include "nn/kernel_for.h"
#include "nn/step_engine.h"
#include "train/adamw.h"
#include "train/device.h"
#include "train/profile.h"
#include "train/stepper.h"
#include "train/tensor_memory.h"
#include "train/token_loss.h"
#include "worker/run_input.h"

namespace bitsweep::worker {
namespace {

json::array blocks_json(const train::BlockProfile& profile, double steps) {
  std::vector<std::pair<std::string, train::BlockTime>> blocks(profile.blocks().begin(), profile.blocks().end());
  std::stable_sort(blocks.begin(), blocks.end(),
                   [](const auto& a, const auto& b) { return a.second.total_s() > b.second.total_s(); });
  json::array rows;
  for (const auto& [name, time] : blocks) {
    rows.push_back({{"name", name},
                    {"forward_s", time.forward_s / steps},
                    {"backward_s", time.backward_s / steps},
                    {"products_s", time.products_s / steps},
                    {"integers_s", time.integers_s / steps}});
  }
  return rows;
}

int profile(const ProfileArguments& arguments, std::ostream& stream) {
  const train::TensorMemory memory;
  CollectedNotes unsaid;  // standard output is the answer alone
  const RunInput input = open_run(arguments, unsaid);
  const spec::RunSpec& spec = input.spec;
  const nn::WithKernels kernels(arguments.reference ? kernels::no_kernels() : kernels::built_in_kernels());
  input.model->to(input.device);
  const std::unique_ptr<train::Optimizer> optimizer = train::make_optimizer(spec.train, input.model->parameters());
  train::LossMeter losses(1);
  train::Stepper stepper(spec, input.dataset, *input.model, *optimizer, losses, input.device);
  // Schedules and noise as in the middle of the run.
  const int64_t first = std::max<int64_t>(0, spec.train.steps / 2 - arguments.warmup);
  for (int64_t step = 0; step < arguments.warmup; ++step) stepper.run(first + step);
  train::synchronize(input.device);
  const train::BlockProfile profile;
  const double begin_s = system_clock().monotonic_s();
  for (int64_t step = 0; step < arguments.steps; ++step) stepper.run(first + arguments.warmup + step);
  train::synchronize(input.device);
  const auto steps = static_cast<double>(arguments.steps);
  const double step_s = (system_clock().monotonic_s() - begin_s) / steps;
  const plugin::StepPath path = train::step_path(*input.model, input.device,
                                                 train::parse_precision(spec.train.precision), input.description.path);
  const int64_t engine_bytes = path.own ? input.model->engine()->bytes() : 0;
  json::object answer{{"steps", arguments.steps},
                      {"path", arguments.reference ? "reference" : "chosen"},
                      {"instructions", nn::kernel_instructions()},
                      {"step_s", step_s},
                      {"peak_tensor_bytes", memory.peak_bytes() + engine_bytes},
                      {"blocks", blocks_json(profile, steps)}};
  for (const auto& member : plugin::to_json(path)) answer[member.key()] = member.value();
  stream << json::serialize(answer) << '\n' << std::flush;
  return 0;
}

}  // namespace

int profile_verb(const ProfileArguments& arguments, std::ostream& stream) {
  try {
    return profile(arguments, stream);
  } catch (const c10::Error& error) {
    throw Error(ErrorKind::failed, error.what_without_backtrace());
  }
}

}  // namespace bitsweep::worker
