// A checkpoint: everything a run needs to go on as if it had never stopped. A safetensors file (weights/safetensors.h):
//
//   tensors    model.NAME (parameters f32, bits i64), optimizer.NAME (f32), state.NAME (counters, of any type)
//   metadata   format "bitsweep.checkpoint.1", run, spec_sha256, plugin, step, tokens, best_val_bpc (best_metric and
//              best_value where another metric decides), best_step, elapsed_s, interval_nats, interval_losses,
//              payload_sha256; tokenizer_sha256 where it is known
//
// No generator and no data cursor is in it: noise and batches are functions of (seed, step). It is written beside,
// synced and renamed, so a reader finds the old one or the new one whole. A reader checks everything before it touches
// a model.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/files.h"
#include "spec/run_spec.h"
#include "train/optimizer.h"
#include "weights/safetensors.h"

namespace bitsweep::train {

// Whose checkpoint it is.
struct CheckpointOwner {
  std::string run;          // run id
  std::string spec_sha256;  // of the canonical identity of the spec
  std::string plugin;       // by name
  // What decides which token an id is; "": not known, as of those of before, and of tokens from elsewhere.
  std::string tokenizer_sha256 = {};
};

// Where in the run it was taken.
struct Progress {
  int64_t step = 0;  // steps done
  int64_t tokens = 0;
  std::string best_metric = spec::CheckpointSpec{}.best;  // what best_value is of
  double best_value = std::numeric_limits<double>::infinity();
  int64_t best_step = 0;        // 0: no evaluation told it yet
  double elapsed_s = 0;         // training wall-clock of all attempts up to here
  double interval_nats = 0;     // losses since the last evaluation: their sum
  int64_t interval_losses = 0;  // and how many
};

// Writes `path` atomically; its size. Throws Error{environment} when the disk refuses; `path` is then what it was
// before.
uint64_t write_checkpoint(const fs::path& path, const CheckpointOwner& owner, const Progress& progress,
                          const std::vector<NamedTensor>& tensors);

// Makes `to` the same checkpoint as `from`, without copying where the filesystem can.
void link_checkpoint(const fs::path& from, const fs::path& to);

// A checkpoint opened for reading, with every size checked. All errors are Error{input} and name the file.
class Checkpoint {
 public:
  explicit Checkpoint(const fs::path& path);

  const CheckpointOwner& owner() const { return owner_; }
  const Progress& progress() const { return progress_; }

  // Reads the payload once and compares it with its checksum.
  void verify_payload() const;
  // It must belong to this run of this spec.
  void require_owner(const CheckpointOwner& owner) const;
  // Its weights must be of the same tokens, where both tokenizers are known.
  void require_tokenizer(const std::string& sha256) const;
  // It must hold each of `tensors` in the same type and shape. With `exactly`, nothing else either. Names the tensors
  // that do not fit.
  void require_tensors(const std::vector<NamedTensor>& tensors, bool exactly) const;
  // Copies into the tensors, which may lie on a GPU. REQUIRES: require_tensors(tensors).
  void copy_into(const std::vector<NamedTensor>& tensors) const;

 private:
  fs::path path_;
  MappedFile map_;
  weights::Safetensors content_;
  CheckpointOwner owner_;
  Progress progress_;
  std::string payload_sha256_;
};

}  // namespace bitsweep::train
