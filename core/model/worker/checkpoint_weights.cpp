#include "worker/checkpoint_weights.h"

#include "base/sha256.h"
#include "train/restore.h"

namespace bitsweep::worker {

train::Progress load_weights(const fs::path& file, const std::string& run, const spec::RunSpec& spec,
                             nn::Model& model) {
  const train::Checkpoint checkpoint(file);
  checkpoint.require_owner(
      {.run = run, .spec_sha256 = sha256_hex(canonical_json(identity(spec))), .plugin = spec.model.plugin});
  const std::vector<train::NamedTensor> tensors = train::model_tensors(model);
  checkpoint.require_tensors(tensors, /*exactly=*/false);
  checkpoint.verify_payload();
  checkpoint.copy_into(tensors);
  return checkpoint.progress();
}

}  // namespace bitsweep::worker
