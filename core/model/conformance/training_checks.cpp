// How a model trains.
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/units.h"
#include "conformance/checks.h"
#include "conformance/trial.h"
#include "train/checkpoint.h"
#include "train/tensor_memory.h"

namespace bitsweep::conformance {
namespace {

std::vector<train::NamedTensor> copies_of(const std::vector<train::NamedTensor>& tensors) {
  std::vector<train::NamedTensor> copies;
  for (const train::NamedTensor& named : tensors) copies.push_back({named.name, named.tensor.detach().clone()});
  return copies;
}

std::vector<std::string> names_that_differ(const std::vector<train::NamedTensor>& a,
                                           const std::vector<train::NamedTensor>& b) {
  std::vector<std::string> names;
  for (size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (!a[i].tensor.detach().equal(b[i].tensor.detach())) names.push_back(a[i].name);
  }
  return names;
}

// What training moves: parameters that require a gradient, and bits.
std::vector<train::NamedTensor> trained_tensors(const nn::Model& model) {
  std::vector<train::NamedTensor> tensors;
  for (const nn::Parameter& parameter : model.parameters())
    if (parameter.tensor.requires_grad()) tensors.push_back({parameter.name, parameter.tensor});
  for (const nn::BitMatrix& matrix : model.bit_matrices()) tensors.push_back({matrix.name, matrix.bits});
  return tensors;
}

std::vector<double> losses_of(Trial& trial, int64_t steps) {
  std::vector<double> losses;
  for (int64_t i = 0; i < steps; ++i) losses.push_back(trial.step());
  return losses;
}

}  // namespace

Outcome check_moves(const Workbench& bench) {
  constexpr int64_t kSteps = 10;
  // The first steps of a longer run. Decay would move what gets no gradient.
  Trial trial(bench, {.steps = 200, .batch = 8, .weight_decay = 0});
  const std::vector<train::NamedTensor> now = trained_tensors(trial.model()), before = copies_of(now);
  losses_of(trial, kSteps);
  std::vector<std::string> still, broken;
  for (size_t i = 0; i < now.size(); ++i) {
    if (now[i].tensor.detach().equal(before[i].tensor)) still.push_back(now[i].name);
    if (!now[i].tensor.isfinite().all().item<bool>()) broken.push_back(now[i].name);
  }
  if (!broken.empty()) return {false, fmt::format("not finite after {} steps: {}", kSteps, list_of(broken))};
  if (!still.empty())
    return {false, fmt::format("{} of {} tensors did not move in {} steps: {}", still.size(), now.size(), kSteps,
                               list_of(still))};
  return {true, fmt::format("all {} trained tensors moved in {} steps", now.size(), kSteps)};
}

Outcome check_seeds(const Workbench& bench) {
  constexpr TrialPlan kPlan{.steps = 6}, kOtherPlan{.steps = 6, .seed = 1};
  Trial one(bench, kPlan), twin(bench, kPlan), other(bench, kOtherPlan);
  if (const auto differ = names_that_differ(one.tensors(), twin.tensors()); !differ.empty())
    return {false, fmt::format("the same seed gave other initial weights: {}", list_of(differ))};
  if (names_that_differ(trained_tensors(one.model()), trained_tensors(other.model())).empty())
    return {false, "another seed gave the same initial weights"};
  seed_default_generator(0);
  const std::vector<double> losses = losses_of(one, kPlan.steps);
  seed_default_generator(0);
  if (const std::vector<double> again = losses_of(twin, kPlan.steps); again != losses)
    return {false, fmt::format("the same seed gave losses {:.6f}, then {:.6f}", fmt::join(losses, ", "),
                               fmt::join(again, ", "))};
  const double elsewhere = losses_of(other, kPlan.steps).back();
  if (elsewhere == losses.back()) return {false, fmt::format("seeds 0 and 1 both gave the loss {:.6f}", elsewhere)};
  return {true, fmt::format("loss {:.6f} twice from seed 0, {:.6f} from seed 1", losses.back(), elsewhere)};
}

Outcome check_resume(const Workbench& bench) {
  constexpr int64_t kSaved = 3, kSteps = 6;
  constexpr TrialPlan kPlan{.steps = kSteps};
  const train::CheckpointOwner owner{.run = "conformance", .spec_sha256 = "", .plugin = bench.plugin().name()};
  const fs::path path = bench.scratch() / "resume.safetensors";
  Trial whole(bench, kPlan), resumed(bench, kPlan, /*weights_seed=*/1);
  losses_of(whole, kSaved);
  train::Progress progress;
  progress.step = kSaved;
  write_checkpoint(path, owner, progress, whole.tensors());
  std::string refusal;
  const auto refused = [&](const fs::path&, const std::string& why) { refusal = why; };
  if (!resume_from({path}, owner, resumed.tensors(), refused))
    return {false, fmt::format("its own checkpoint is refused: {}", refusal)};
  resumed.go_to(kSaved);
  seed_default_generator(0);
  const std::vector<double> losses = losses_of(whole, kSteps - kSaved);
  seed_default_generator(0);
  const std::vector<double> again = losses_of(resumed, kSteps - kSaved);
  if (losses != again)
    return {false, fmt::format("losses after step {} are {:.6f}, and resumed there {:.6f}", kSaved,
                               fmt::join(losses, ", "), fmt::join(again, ", "))};
  const std::vector<train::NamedTensor> tensors = whole.tensors();
  if (const auto differ = names_that_differ(tensors, resumed.tensors()); !differ.empty())
    return {false, fmt::format("the losses agree, but {} differ", list_of(differ))};
  return {true,
          fmt::format("{} losses and {} tensors of a checkpoint have the same bits", losses.size(), tensors.size())};
}

Outcome check_memory(const Workbench& bench) {
  constexpr int64_t kWarm = 20, kSteps = 200;
  bench.dataset();  // whose own memory is not the plugin's
  const train::TensorMemory memory;
  Trial trial(bench, {.steps = kSteps, .batch = 1});
  losses_of(trial, kWarm);
  const int64_t early = memory.live_bytes();
  losses_of(trial, kSteps - kWarm);
  const int64_t late = memory.live_bytes();
  const std::string figures = fmt::format("{} bytes of tensors after {} steps, {} after {}", format_thousands(early),
                                          kWarm, format_thousands(late), kSteps);
  return {late <= early, figures};
}

Outcome check_learns(const Workbench& bench) {
  constexpr double kPart = 0.8;
  const double frequencies = bench.dataset().yardsticks({kTrialWindows}).windows[0].bits_per_byte[0];
  std::string figures;
  // The second for what needs larger steps, like a narrow model without norms.
  for (const double lr : {5e-3, 2e-2}) {
    const TrialPlan plan{.steps = 60, .batch = 8, .warmup = 10, .lr = lr, .shape = kDeepShape};
    Trial trial(bench, plan);
    losses_of(trial, plan.steps);
    const double bpc = trial.validation_bpc();
    figures += fmt::format("{}{:.3f} bits per byte after {} steps at rate {:g}", figures.empty() ? "" : ", ", bpc,
                           plan.steps, lr);
    if (bpc <= kPart * frequencies)
      return {true, fmt::format("{}; byte frequencies alone give {:.3f}", figures, frequencies)};
  }
  return {false, fmt::format("{}; byte frequencies alone give {:.3f}, and {:.3f} is asked for", figures, frequencies,
                             kPart * frequencies)};
}

}  // namespace bitsweep::conformance
