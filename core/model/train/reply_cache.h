// The likeliest next tokens of texts that grow, by a model that keeps what it has read of them.
#pragma once

#include <list>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "nn/model.h"
#include "tasks/language_model.h"
#include "train/precision.h"

namespace bitsweep::train {

// The token [n] of the largest of the logits [n, V], f32: of those below `vocab`, where that is not 0.
at::Tensor likeliest_below(int64_t vocab, const at::Tensor& logits);

class ReplyCache {
 public:
  // vocab: what is said lies below it, where the model has rows for more; 0: it has none.
  ReplyCache(nn::Model& model, const nn::StepContext& step, c10::Device device, Precision precision, int64_t vocab)
      : model_(model), step_(step), device_(device), precision_(precision), vocab_(vocab) {}

  // As LanguageModel::likeliest. What was read of a row in the last call is not read again where the row only grew; of
  // rows that are not asked for any more nothing is kept.
  std::vector<tasks::TokenId> likeliest(std::span<const std::vector<tasks::TokenId>> rows);

 private:
  // Rows of one length that are read together.
  struct Group {
    std::vector<std::vector<tasks::TokenId>> read;
    nn::DecodeCache cache;
  };
  struct Step {
    Group* group = nullptr;
    std::vector<size_t> rows;  // of those asked for, in the order of the group's
  };

  std::vector<Step> go_on(std::span<const std::vector<tasks::TokenId>> rows, std::vector<bool>& taken);
  void begin(std::span<const std::vector<tasks::TokenId>> rows, const std::vector<bool>& taken,
             std::vector<Step>& steps);

  nn::Model& model_;
  nn::StepContext step_;
  c10::Device device_;
  Precision precision_;
  int64_t vocab_;
  std::list<Group> groups_;
};

}  // namespace bitsweep::train
