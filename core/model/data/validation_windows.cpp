#include "data/validation_windows.h"

#include <algorithm>
#include <cassert>

#include "data/corpus.h"

namespace bitsweep::data {

void ValidationWindows::fill(int64_t first, int64_t count, TokenSpan to) const {
  assert(first >= 0 && first + count <= this->count());
  const size_t length = static_cast<size_t>(context_) + 1;
  if (tokens_ != nullptr) {
    std::vector<uint64_t> starts;
    for (int64_t w = first; w < first + count; ++w) starts.push_back(windows_[static_cast<size_t>(w)].start);
    return tokens_->windows(starts, length, to);
  }
  std::visit(
      [&](auto out) {
        assert(out.size() == static_cast<size_t>(count) * length);
        for (int64_t w = 0; w < count; ++w) {
          const Window& window = windows_[static_cast<size_t>(first + w)];
          const auto row = out.subspan(static_cast<size_t>(w) * length, length);
          const size_t there = static_cast<size_t>(window.scored.to) + 1;
          std::copy_n(ids_.begin() + static_cast<std::ptrdiff_t>(window.start), there, row.begin());
          std::fill(row.begin() + static_cast<std::ptrdiff_t>(there), row.end(), 0);
        }
      },
      to);
}

int64_t ValidationWindows::targets(int64_t first, int64_t count) const {
  int64_t targets = 0;
  for (int64_t w = first; w < first + count; ++w) targets += scored(w).to - scored(w).from;
  return targets;
}

int64_t ValidationWindows::target_bytes(int64_t first, int64_t count) const {
  int64_t bytes = 0;
  for (int64_t w = first; w < first + count; ++w) bytes += windows_[static_cast<size_t>(w)].bytes;
  return bytes;
}

std::vector<int64_t> ValidationWindows::answers(int64_t first, int64_t count) const {
  std::vector<int64_t> places;
  if (!task_) return places;
  for (int64_t w = 0; w < count; ++w) {
    const auto window =
        text_->bytes().subspan(windows_[static_cast<size_t>(first + w)].start, static_cast<size_t>(context_) + 1);
    for (const InductionAnswer& answer : induction_answers(*task_, window))
      places.push_back(w * context_ + answer.position - 1);
  }
  return places;
}

ValidationWindows ValidationWindows::fixed(std::shared_ptr<const TokenSource> tokens, int64_t context,
                                           const std::vector<uint64_t>& starts, std::optional<InductionTask> task,
                                           std::shared_ptr<const CorpusText> text) {
  ValidationWindows all;
  all.vocab_ = tokens->vocab();
  all.context_ = context;
  for (const uint64_t start : starts) {
    const Segment targets{start + 1, start + 1 + static_cast<uint64_t>(context)};
    all.windows_.push_back({start, {0, context}, static_cast<int64_t>(tokens->text_bytes(targets))});
  }
  all.tokens_ = std::move(tokens);
  all.task_ = task;
  if (task) all.text_ = std::move(text);
  return all;
}

ValidationWindows ValidationWindows::over_text(const tokenize::Tokenizer& tokenizer, std::span<const uint8_t> text,
                                               const std::vector<Segment>& stretches, int64_t context, int64_t stride) {
  ValidationWindows all;
  all.vocab_ = tokenizer.vocab();
  all.context_ = context;
  const tokenize::ByteCounter counter(tokenizer);
  const auto encoder = tokenizer.make_encoder();
  std::vector<tokenize::TokenId> newline;
  encoder->encode("\n", newline);
  const int64_t step = stride > 0 ? stride : context;
  for (const Segment& stretch : stretches) {
    const uint64_t start = all.ids_.size();
    all.ids_.push_back(tokenizer.facts().bos.value_or(newline.empty() ? 0 : newline.back()));
    encoder->encode({reinterpret_cast<const char*>(text.data()) + stretch.begin, stretch.size()}, all.ids_);
    const auto targets = static_cast<int64_t>(all.ids_.size() - start) - 1;
    int64_t counted = 0, bytes = 0;
    while (counted < targets) {
      // Of overlapping windows each ends `step` targets behind the one before.
      const int64_t end = std::min(targets, counted == 0 ? context : counted + step),
                    begin = std::max<int64_t>(0, end - context);
      const int64_t from_text = stride > 0 ? begin : counted;
      Window window{start + static_cast<uint64_t>(from_text), {counted - from_text, end - from_text}};
      const auto ids = std::span<const tokenize::TokenId>(all.ids_).subspan(start + 1 + static_cast<uint64_t>(counted),
                                                                            static_cast<size_t>(end - counted));
      window.bytes = static_cast<int64_t>(counter.count(ids, all.ids_[start + static_cast<uint64_t>(counted)]));
      bytes += window.bytes;
      if (window.scored.from != 0 || window.scored.to != context) all.all_count_ = false;
      all.windows_.push_back(window);
      counted = end;
    }
    // Of a tokenizer that loses nothing, the text's own bytes.
    if (tokenizer.facts().lossless && targets > 0)
      all.windows_.back().bytes += static_cast<int64_t>(stretch.size()) - bytes;
  }
  return all;
}

}  // namespace bitsweep::data
