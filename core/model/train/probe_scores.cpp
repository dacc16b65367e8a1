#include "train/probe_scores.h"

#include <limits>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"

namespace bitsweep::train {

at::Tensor induction_matches(const at::Tensor& tokens) {
  const int64_t batch = tokens.size(0), context = tokens.size(1);
  at::Tensor matches = at::zeros({batch, context, context}, tokens.options().dtype(at::kBool));
  if (context < 2) return matches;
  // Key j stands for s = j − 1.
  const at::Tensor same = tokens.unsqueeze(2).eq(tokens.narrow(1, 0, context - 1).unsqueeze(1));  // [B, T, T − 1]
  matches.narrow(2, 1, context - 1).copy_(same);
  return matches.tril_();
}

at::Tensor most_attended(const at::Tensor& weights) {
  // argmax gives the first of equals.
  return weights.flip({3}).argmax(3).neg().add_(weights.size(3) - 1);
}

void AttentionTally::require_whole() const {
  if (next_ == layers_.size()) return;
  throw Error(ErrorKind::failed,
              fmt::format("the model attended {} times in one forward pass and {} in another", layers_.size(), next_));
}

void AttentionTally::begin(const at::Tensor& tokens) {
  require_whole();
  matches_ = induction_matches(tokens);
  next_ = 0;
  context_ = tokens.size(1);
  windows_ += tokens.size(0);
  const at::Tensor count = matches_.sum(2);  // [B, T]
  queries_ += count.gt(0).sum().item<int64_t>();
  const at::Tensor keys = at::arange(1, context_ + 1, count.options().dtype(at::kDouble));  // [T]
  chance_ += count.to(at::kDouble).div_(keys).sum().item<double>();
}

void AttentionTally::layer(const at::Tensor& weights) {
  const int64_t batch = matches_.size(0), context = matches_.size(1);
  if (weights.dim() != 4 || weights.size(0) != batch || weights.size(2) != context || weights.size(3) != context)
    throw Error(ErrorKind::failed,
                fmt::format("the attention of layer {} was told as [{}]: expected [B, H, T, T] with B {} and T {}",
                            next_, fmt::join(weights.sizes(), ", "), batch, context));
  const int64_t heads = weights.size(1);
  if (next_ == layers_.size() && windows_ == batch) layers_.emplace_back();
  if (next_ == layers_.size())
    throw Error(ErrorKind::failed,
                fmt::format("the model attended {} times in one forward pass and more often in another", next_));
  Layer& layer = layers_[next_++];
  if (layer.pointers.empty()) layer.hits = layer.mass = at::zeros({heads}, at::kDouble);
  if (layer.hits.size(0) != heads)
    throw Error(ErrorKind::failed,
                fmt::format("layer {} attended with {} heads and then with {}", next_ - 1, layer.hits.size(0), heads));
  const at::Tensor matches = matches_.unsqueeze(1);    // [B, 1, T, T]
  const at::Tensor pointers = most_attended(weights);  // [B, H, T]
  const at::Tensor hits = matches.expand({batch, heads, context, context}).gather(3, pointers.unsqueeze(3));
  const auto sums = [](const at::Tensor& x) { return x.sum(at::IntArrayRef{0, 2, 3}, false, at::kDouble).cpu(); };
  layer.hits = layer.hits + sums(hits);
  layer.mass = layer.mass + sums(weights * matches);
  const at::Tensor sorted = std::get<0>(pointers.sort(1));  // [B, H, T]
  const int64_t changes = sorted.narrow(1, 1, heads - 1).ne(sorted.narrow(1, 0, heads - 1)).sum().item<int64_t>();
  layer.distinct += static_cast<double>(changes + batch * context) / static_cast<double>(heads);
  layer.pointers.push_back(pointers.to(at::kCPU, at::kInt));
}

// Over all pairs of windows, at all places but the first, which has one key.
double AttentionTally::agreement(const at::Tensor& pointers, int64_t head) {
  const int64_t windows = pointers.size(0), places = pointers.size(2) - 1;
  if (windows < 2 || places < 1) return std::numeric_limits<double>::quiet_NaN();
  const at::Tensor keys = pointers.select(1, head).narrow(1, 1, places);  // [N, T − 1]
  int64_t equal = 0;
  for (int64_t apart = 1; apart < windows; ++apart)
    equal += keys.narrow(0, 0, windows - apart).eq(keys.narrow(0, apart, windows - apart)).sum().item<int64_t>();
  return static_cast<double>(equal) / static_cast<double>(windows * (windows - 1) / 2 * places);
}

std::vector<LayerScores> AttentionTally::layers() const {
  require_whole();
  std::vector<LayerScores> out;
  for (const Layer& layer : layers_) {
    const at::Tensor pointers = at::cat(layer.pointers, 0);  // [N, H, T]
    LayerScores& scores = out.emplace_back();
    scores.hdr = layer.distinct / static_cast<double>(places());
    for (int64_t head = 0; head < layer.hits.size(0); ++head) {
      scores.heads.push_back(
          {.ipmr = queries_ > 0 ? layer.hits[head].item<double>() / static_cast<double>(queries_) : 0,
           .induction = layer.mass[head].item<double>() / static_cast<double>(places()),
           .agreement = agreement(pointers, head)});
    }
  }
  return out;
}

double AttentionTally::ipmr_chance() const { return queries_ > 0 ? chance_ / static_cast<double>(queries_) : 0; }
double AttentionTally::induction_chance() const { return windows_ > 0 ? chance_ / static_cast<double>(places()) : 0; }

}  // namespace bitsweep::train
