#include "train/restore.h"

#include "base/error.h"

namespace bitsweep::train {

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
  for (const fs::path& candidate : candidates) {
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
