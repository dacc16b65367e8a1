#include "train/restore.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.h"

namespace bitsweep::train {
namespace {

// What cannot be read is the furthest, so that it is told.
int64_t step_of(const fs::path& checkpoint) {
  try {
    return Checkpoint(checkpoint).progress().step;
  } catch (const Error&) {
    return std::numeric_limits<int64_t>::max();
  }
}

// The newest attempt need not be the furthest: one that was killed early may hold no more than the best of the attempt
// before it.
std::vector<fs::path> furthest_first(const std::vector<fs::path>& candidates) {
  std::vector<std::pair<int64_t, fs::path>> steps;
  for (const fs::path& candidate : candidates) steps.emplace_back(step_of(candidate), candidate);
  std::stable_sort(steps.begin(), steps.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<fs::path> sorted;
  for (auto& [step, candidate] : steps) sorted.push_back(std::move(candidate));
  return sorted;
}

}  // namespace

std::vector<NamedTensor> model_tensors(const nn::Model& model) {
  std::vector<NamedTensor> tensors;
  for (const nn::Parameter& parameter : model.parameters())
    tensors.push_back({"model." + parameter.name, parameter.tensor});
  for (const nn::Buffer& buffer : model.buffers())
    if (buffer.weight) tensors.push_back({"model." + buffer.name, buffer.tensor});
  return tensors;
}

std::vector<NamedTensor> all_tensors(const nn::Model& model, Optimizer& optimizer) {
  std::vector<NamedTensor> tensors = model_tensors(model);
  for (const nn::Buffer& buffer : model.buffers())
    if (!buffer.weight) tensors.push_back({"state." + buffer.name, buffer.tensor});
  for (NamedTensor& named : optimizer.state()) tensors.push_back({"optimizer." + named.name, std::move(named.tensor)});
  return tensors;
}

std::optional<Resumed> resume_from(const std::vector<fs::path>& candidates, const CheckpointOwner& owner,
                                   const std::vector<NamedTensor>& tensors,
                                   const std::function<void(const fs::path&, const std::string& why)>& refused) {
  for (const fs::path& candidate : furthest_first(candidates)) {
    try {
      const Checkpoint checkpoint(candidate);
      checkpoint.require_owner(owner);
      checkpoint.require_tensors(tensors, /*exactly=*/true);
      checkpoint.verify_payload();
      checkpoint.copy_into(tensors);
      return Resumed{.from = candidate, .progress = checkpoint.progress()};
    } catch (const Error& error) {
      refused(candidate, error.what());
    }
  }
  return std::nullopt;
}

void initialize_from(const fs::path& path, const nn::Model& model, const std::string& tokenizer_sha256) {
  const Checkpoint checkpoint(path);
  checkpoint.require_tokenizer(tokenizer_sha256);
  const std::vector<NamedTensor> tensors = model_tensors(model);
  checkpoint.require_tensors(tensors, /*exactly=*/false);
  checkpoint.verify_payload();
  checkpoint.copy_into(tensors);
}

}  // namespace bitsweep::train
