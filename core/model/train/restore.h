// Where a run starts from: the furthest checkpoint of its own that holds, or another run's parameters, or nothing.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "train/checkpoint.h"

namespace bitsweep::train {

// Tensors of a checkpoint by the names they have in it: those that make the model ("model.…"), and all of them (with
// "state.…", the model's own state of training, and "optimizer.…").
std::vector<NamedTensor> model_tensors(const nn::Model& model);
std::vector<NamedTensor> all_tensors(const nn::Model& model, Optimizer& optimizer);

struct Resumed {
  fs::path from;
  Progress progress;
};

// Takes of `candidates` (newest first) the one of most steps that is whole, belongs to `owner` and fits `tensors`, and
// copies it into them. Those that were looked at before it are told to `refused` with the reason; nothing when none
// holds. Until one holds, no tensor is touched.
std::optional<Resumed> resume_from(const std::vector<fs::path>& candidates, const CheckpointOwner& owner,
                                   const std::vector<NamedTensor>& tensors,
                                   const std::function<void(const fs::path&, const std::string& why)>& refused);

// Copies another run's parameters into the model, whose tokens are those of the tokenizer (its hash; "": not known).
// Throws Error{input} for another run of another tokenizer, and naming each tensor that is missing or of another shape;
// the model is then as before.
void initialize_from(const fs::path& checkpoint, const nn::Model& model, const std::string& tokenizer_sha256);

}  // namespace bitsweep::train
