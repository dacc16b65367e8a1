#include "train/task_model.h"

#include <algorithm>
#include <numeric>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "nn/decoder_model.h"

namespace bitsweep::train {
namespace {

using tasks::TokenId;

at::Tensor on_device(const std::vector<int64_t>& values, c10::Device device) {
  const at::Tensor tensor = at::empty({static_cast<int64_t>(values.size())}, at::kLong);
  std::copy(values.begin(), values.end(), tensor.mutable_data_ptr<int64_t>());
  return tensor.to(device);
}

// Rows of one forward pass: the places of their scored tokens, and these.
struct Scored {
  std::vector<std::span<const TokenId>> inputs;
  std::vector<int64_t> places, targets;  // into [B * T]; tokens
};

// `width`: tokens of the longest input.
Scored scored_of(std::span<const tasks::ScoredRow> rows, std::span<const size_t> which, int64_t width) {
  Scored scored;
  for (size_t r = 0; r < which.size(); ++r) {
    const tasks::ScoredRow& row = rows[which[r]];
    scored.inputs.push_back(std::span(row.tokens).first(row.tokens.size() - 1));
    for (size_t t = row.tokens.size() - row.scored; t < row.tokens.size(); ++t) {
      scored.places.push_back(static_cast<int64_t>(r) * width + static_cast<int64_t>(t) - 1);
      scored.targets.push_back(row.tokens[t]);
    }
  }
  return scored;
}

}  // namespace

TaskModel::TaskModel(nn::Model& model, const TaskModelSettings& settings) : model_(model), settings_(settings) {
  if (dynamic_cast<nn::DecoderModel*>(&model) != nullptr)
    replies_.emplace(model, settings.step, settings.device, settings.precision, settings.vocab);
}

at::Tensor TaskModel::logits_at(const std::vector<std::span<const TokenId>>& rows, const std::vector<int64_t>& places) {
  size_t width = 0;
  for (const auto& row : rows) width = std::max(width, row.size());
  // What stands behind a row is not seen from within it: every model here is causal.
  const at::Tensor tokens = at::zeros({static_cast<int64_t>(rows.size()), static_cast<int64_t>(width)}, at::kLong);
  for (size_t r = 0; r < rows.size(); ++r)
    std::copy(rows[r].begin(), rows[r].end(), tokens.mutable_data_ptr<int64_t>() + r * width);
  const at::Tensor inputs = tokens.to(settings_.device), index = on_device(places, settings_.device);
  const auto rows_at = [&](const at::Tensor& all, const char* what) {
    if (all.dim() != 3 || all.size(0) != inputs.size(0) || all.size(1) != inputs.size(1))
      throw Error(ErrorKind::failed, fmt::format("the model returned {} of shape [{}] for tokens of shape [{}]", what,
                                                 fmt::join(all.sizes(), ", "), fmt::join(inputs.sizes(), ", ")));
    return all.reshape({-1, all.size(2)}).index_select(0, index);
  };
  const PrecisionScope scope(settings_.device.type(), settings_.precision);
  // The head of a model that parts into two reads the places asked for alone.
  const at::Tensor logits = model_.head_vocab() > 0
                                ? model_.head(rows_at(model_.trunk(inputs, settings_.step), "what its head reads"))
                                : rows_at(model_.forward(inputs, settings_.step), "logits");
  return logits.to(at::kFloat);
}

std::vector<tasks::RowScore> TaskModel::score(std::span<const tasks::ScoredRow> rows) {
  const at::NoGradGuard no_grad;
  std::vector<tasks::RowScore> scores(rows.size());
  std::vector<size_t> order(rows.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return rows[a].tokens.size() > rows[b].tokens.size(); });
  for (size_t first = 0; first < order.size();) {
    const auto width = static_cast<int64_t>(rows[order[first]].tokens.size()) - 1;
    const auto at_once = static_cast<size_t>(std::max<int64_t>(1, settings_.rows * settings_.context / width));
    const auto which = std::span(order).subspan(first, std::min(at_once, order.size() - first));
    const Scored scored = scored_of(rows, which, width);
    const at::Tensor logits = logits_at(scored.inputs, scored.places);       // [n, V]
    const at::Tensor targets = on_device(scored.targets, settings_.device);  // [n]
    const at::Tensor nats =
        at::log_softmax(logits, /*dim=*/1).gather(1, targets.unsqueeze(1)).to(at::kCPU, at::kDouble);
    const at::Tensor right = logits.argmax(/*dim=*/1).eq(targets).to(at::kCPU);
    const double* nat = nats.const_data_ptr<double>();
    const bool* hit = right.const_data_ptr<bool>();
    for (const size_t row : which) {
      tasks::RowScore& score = scores[row];
      score.likeliest = std::all_of(hit, hit + rows[row].scored, [](bool yes) { return yes; });
      score.nats = std::accumulate(nat, nat + rows[row].scored, 0.0);
      nat += rows[row].scored, hit += rows[row].scored;
    }
    first += which.size();
  }
  return scores;
}

std::vector<TokenId> TaskModel::likeliest(std::span<const std::vector<TokenId>> rows) {
  if (replies_) return replies_->likeliest(rows);
  const at::NoGradGuard no_grad;
  size_t width = 0;
  for (const std::vector<TokenId>& row : rows) width = std::max(width, row.size());
  std::vector<std::span<const TokenId>> inputs(rows.begin(), rows.end());
  std::vector<int64_t> places;
  for (size_t r = 0; r < rows.size(); ++r) places.push_back(static_cast<int64_t>(r * width + rows[r].size()) - 1);
  const at::Tensor said = likeliest_below(settings_.vocab, logits_at(inputs, places)).to(at::kCPU);
  const int64_t* ids = said.const_data_ptr<int64_t>();
  return {ids, ids + rows.size()};
}

}  // namespace bitsweep::train
