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
          const auto there = static_cast<size_t>(window.tokens);
          std::copy_n(ids_.begin() + static_cast<std::ptrdiff_t>(window.start), there, row.begin());
          std::fill(row.begin() + static_cast<std::ptrdiff_t>(there), row.end(), 0);
        }
      },
      to);
}

int64_t ValidationWindows::targets(int64_t first, int64_t count) const {
  int64_t targets = 0;
  for (int64_t w = first; w < first + count; ++w)
    for (const ScoredTargets& run : scored(w)) targets += run.to - run.from;
  return targets;
}

std::span<const ScoredTargets> ValidationWindows::scored(int64_t window) const {
  const Window& of = windows_[static_cast<size_t>(window)];
  return std::span(scored_).subspan(of.scored, of.runs);
}

void ValidationWindows::add(Window window, std::span<const ScoredTargets> scored) {
  window.scored = scored_.size();
  window.runs = scored.size();
  scored_.insert(scored_.end(), scored.begin(), scored.end());
  all_count_ = all_count_ && scored.size() == 1 && scored[0] == ScoredTargets{0, context_};
  windows_.push_back(window);
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
    const ScoredTargets whole{0, context};
    all.add({start, targets.size() + 1, 0, 0, static_cast<int64_t>(tokens->text_bytes(targets))}, {&whole, 1});
  }
  all.tokens_ = std::move(tokens);
  all.task_ = task;
  if (task) all.text_ = std::move(text);
  return all;
}

namespace {

// Of one stretch, behind the token that stands in front of it.
void encode_stretch(tokenize::Encoder& encoder, tokenize::TokenId opening, const TextDocuments& text,
                    const DocumentTokens& marks, const Segment& stretch, std::vector<tokenize::TokenId>& ids) {
  const size_t begin = ids.size();
  each_part(text, stretch, [&](const DocumentPart& part) {
    const bool first = ids.size() == begin;
    if (first) ids.push_back(part.begins ? marks.behind.value_or(opening) : opening);
    if (!first && part.begins && marks.before) ids.push_back(*marks.before);
    encoder.encode(part.text, ids);
    if (part.ends && marks.behind) ids.push_back(*marks.behind);
  });
}

}  // namespace

ValidationWindows ValidationWindows::over_text(const tokenize::Tokenizer& tokenizer, const TextDocuments& text,
                                               const DocumentTokens& marks, const std::vector<Segment>& stretches,
                                               int64_t context, int64_t stride) {
  ValidationWindows all;
  all.vocab_ = tokenizer.vocab();
  all.context_ = context;
  const tokenize::ByteCounter counter(tokenizer);
  const auto encoder = tokenizer.make_encoder();
  std::vector<tokenize::TokenId> newline;
  encoder->encode("\n", newline);
  const tokenize::TokenId opening = tokenizer.facts().bos.value_or(newline.empty() ? 0 : newline.back());
  const int64_t step = stride > 0 ? stride : context;
  for (const Segment& stretch : stretches) {
    const uint64_t start = all.ids_.size();
    encode_stretch(*encoder, opening, text, marks, stretch, all.ids_);
    const auto targets = static_cast<int64_t>(all.ids_.size() - start) - 1;
    int64_t counted = 0, bytes = 0;
    while (counted < targets) {
      // Of overlapping windows each ends `step` targets behind the one before.
      const int64_t end = std::min(targets, counted == 0 ? context : counted + step),
                    begin = std::max<int64_t>(0, end - context);
      const int64_t from_text = stride > 0 ? begin : counted;
      const ScoredTargets scored{counted - from_text, end - from_text};
      Window window{.start = start + static_cast<uint64_t>(from_text),
                    .tokens = static_cast<uint64_t>(end - from_text) + 1};
      const auto ids = std::span<const tokenize::TokenId>(all.ids_).subspan(start + 1 + static_cast<uint64_t>(counted),
                                                                            static_cast<size_t>(end - counted));
      window.bytes = static_cast<int64_t>(counter.count(ids, all.ids_[start + static_cast<uint64_t>(counted)]));
      bytes += window.bytes;
      all.add(window, {&scored, 1});
      counted = end;
    }
    // Of a tokenizer that loses nothing, the text's own bytes.
    if (tokenizer.facts().lossless && targets > 0)
      all.windows_.back().bytes += static_cast<int64_t>(stretch.size()) - bytes;
  }
  return all;
}

ValidationWindows ValidationWindows::of_examples(std::shared_ptr<const examples::Rows> rows,
                                                 const tokenize::Tokenizer& tokenizer, int64_t context,
                                                 int64_t wanted) {
  ValidationWindows all;
  all.vocab_ = tokenizer.vocab();
  all.context_ = context;
  const int64_t count = std::min(rows->count(), wanted);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t row = (2 * i + 1) * rows->count() / (2 * count);  // evenly chosen
    const auto tokens = rows->tokens(row);
    Window window{.start = all.ids_.size(), .tokens = tokens.size(), .scored = 0, .runs = 0, .bytes = rows->bytes(row)};
    all.ids_.insert(all.ids_.end(), tokens.begin(), tokens.end());
    all.add(window, rows->counted(row));
  }
  return all;
}

}  // namespace bitsweep::data
