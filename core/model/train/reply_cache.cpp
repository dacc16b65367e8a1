#include "train/reply_cache.h"

#include <algorithm>
#include <map>

#include <ATen/ATen.h>

namespace bitsweep::train {
namespace {

using tasks::TokenId;
using Row = std::vector<TokenId>;

// The first reading of a prompt makes the logits of all its tokens: of so many at a time.
constexpr int64_t kMostLogits = int64_t{1} << 26;

// One token more than was read, or several, but the same beginning.
bool grew_from(const Row& row, const Row& read) {
  return row.size() > read.size() && std::equal(read.begin(), read.end(), row.begin());
}

at::Tensor rows_of(const at::Tensor& tensor, const at::Tensor& index) {
  return tensor.defined() ? tensor.index_select(0, index) : tensor;
}

// Leaves the rows of these numbers in the cache.
void keep_rows(nn::DecodeCache& cache, const std::vector<int64_t>& kept, c10::Device device) {
  const at::Tensor index = at::empty({static_cast<int64_t>(kept.size())}, at::kLong);
  std::copy(kept.begin(), kept.end(), index.mutable_data_ptr<int64_t>());
  const at::Tensor there = index.to(device);
  cache.tokens = rows_of(cache.tokens, there);
  for (nn::LayerCache& layer : cache.layers)
    for (at::Tensor* tensor : {&layer.keys, &layer.values, &layer.earlier}) *tensor = rows_of(*tensor, there);
}

}  // namespace

at::Tensor likeliest_below(int64_t vocab, const at::Tensor& logits) {
  const int64_t all = logits.size(1);
  return (vocab > 0 && vocab < all ? logits.narrow(/*dim=*/1, 0, vocab) : logits).argmax(/*dim=*/1);
}

// What of the rows goes on where a group stands, each group's by as many tokens.
std::vector<ReplyCache::Step> ReplyCache::go_on(std::span<const Row> rows, std::vector<bool>& taken) {
  std::vector<Step> steps;
  for (auto group = groups_.begin(); group != groups_.end();) {
    Step step{&*group, {}};
    std::vector<int64_t> kept;
    for (size_t g = 0; g < group->read.size(); ++g)
      for (size_t r = 0; r < rows.size(); ++r) {
        const bool alike = step.rows.empty() || rows[r].size() == rows[step.rows[0]].size();
        if (taken[r] || !alike || !grew_from(rows[r], group->read[g])) continue;
        taken[r] = true;
        step.rows.push_back(r);
        kept.push_back(static_cast<int64_t>(g));
        break;
      }
    if (step.rows.empty()) {
      group = groups_.erase(group);
      continue;
    }
    if (kept.size() < group->read.size()) keep_rows(group->cache, kept, device_);
    steps.push_back(std::move(step));
    ++group;
  }
  return steps;
}

void ReplyCache::begin(std::span<const Row> rows, const std::vector<bool>& taken, std::vector<Step>& steps) {
  std::map<size_t, std::vector<size_t>> by_length;
  for (size_t r = 0; r < rows.size(); ++r)
    if (!taken[r]) by_length[rows[r].size()].push_back(r);
  const int64_t vocab = std::max<int64_t>(1, model_.head_vocab());
  for (const auto& [length, which] : by_length) {
    const auto most = static_cast<size_t>(std::max<int64_t>(1, kMostLogits / vocab / static_cast<int64_t>(length)));
    for (size_t first = 0; first < which.size(); first += most) {
      const auto part = std::span(which).subspan(first, std::min(most, which.size() - first));
      steps.push_back({&groups_.emplace_back(), {part.begin(), part.end()}});
    }
  }
}

std::vector<TokenId> ReplyCache::likeliest(std::span<const Row> rows) {
  const at::NoGradGuard no_grad;
  std::vector<bool> taken(rows.size(), false);
  std::vector<Step> steps = go_on(rows, taken);
  begin(rows, taken, steps);
  std::vector<TokenId> said(rows.size());
  for (const Step& step : steps) {
    Group& group = *step.group;
    const size_t read = group.read.empty() ? 0 : static_cast<size_t>(group.cache.length);
    const size_t fresh = rows[step.rows[0]].size() - read;
    const at::Tensor tokens =
        at::empty({static_cast<int64_t>(step.rows.size()), static_cast<int64_t>(fresh)}, at::kLong);
    group.read.clear();
    for (size_t r = 0; r < step.rows.size(); ++r) {
      const Row& row = rows[step.rows[r]];
      std::copy(row.end() - static_cast<std::ptrdiff_t>(fresh), row.end(),
                tokens.mutable_data_ptr<int64_t>() + r * fresh);
      group.read.push_back(row);
    }
    const PrecisionScope scope(device_.type(), precision_);
    const at::Tensor logits = model_.decode(tokens.to(device_), step_, group.cache);
    const at::Tensor next = likeliest_below(vocab_, logits.select(/*dim=*/1, -1).to(at::kFloat)).to(at::kCPU);
    for (size_t r = 0; r < step.rows.size(); ++r)
      said[step.rows[r]] = static_cast<TokenId>(next.const_data_ptr<int64_t>()[r]);
  }
  return said;
}

}  // namespace bitsweep::train
