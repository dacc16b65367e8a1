// A model of LibTorch as tasks ask it: forward passes over batches of rows; where the model keeps what it has read, one
// position for every token that is said.
#pragma once

#include <optional>

#include <c10/core/Device.h>

#include "nn/model.h"
#include "tasks/language_model.h"
#include "train/precision.h"
#include "train/reply_cache.h"

namespace bitsweep::train {

struct TaskModelSettings {
  int64_t context = 0;   // tokens of the run's windows
  int64_t rows = 1;      // full windows that fit into memory at a time: a micro-batch of training
  int64_t vocab = 0;     // of the tokenizer, where the model has rows for more: none of those is said; 0: no more
  nn::StepContext step;  // of an evaluation
  c10::Device device = c10::Device(c10::kCPU);
  Precision precision = Precision::f32;
};

class TaskModel : public tasks::LanguageModel {
 public:
  // `model` lies on the device, and must outlive this.
  TaskModel(nn::Model& model, const TaskModelSettings& settings);

  int64_t context() const override { return settings_.context; }
  size_t rows_at_once() const override { return static_cast<size_t>(settings_.rows); }
  // As many rows at a time as have the tokens of `rows` windows, the longest first.
  std::vector<tasks::RowScore> score(std::span<const tasks::ScoredRow> rows) override;
  std::vector<tasks::TokenId> likeliest(std::span<const std::vector<tasks::TokenId>> rows) override;

 private:
  // Logits [n, V] of the places asked for, of rows that are padded to the longest.
  at::Tensor logits_at(const std::vector<std::span<const tasks::TokenId>>& rows, const std::vector<int64_t>& places);

  nn::Model& model_;
  TaskModelSettings settings_;
  std::optional<ReplyCache> replies_;  // of a model that keeps what it has read
};

}  // namespace bitsweep::train
