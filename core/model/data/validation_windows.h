// What a run is scored on: windows of tokens, which of their targets count, and the bytes of text that those stand for.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "data/induction.h"
#include "data/split.h"
#include "data/token_pieces.h"
#include "data/tokens.h"
#include "examples/rows.h"
#include "tokenize/tokenizer.h"

namespace bitsweep::data {

class CorpusText;  // data/corpus.h

// Targets [from, to) of a window of `context`: some that count.
using ScoredTargets = examples::Counted;

// A fixed set of windows: the same ones for every run on the same split and settings.
class ValidationWindows {
 public:
  int64_t count() const { return static_cast<int64_t>(windows_.size()); }
  TokenWidth width() const { return width_of(vocab_); }
  // Windows [first, first + count) as tokens into out [count, context + 1]; behind a text's end stand zeros.
  void fill(int64_t first, int64_t count, TokenSpan out) const;
  // Whether every target of every window counts.
  bool all_count() const { return all_count_; }
  // Those that count, ascending.
  std::span<const ScoredTargets> scored(int64_t window) const;
  // Of windows [first, first + count): targets that count, and bytes of text that they stand for.
  int64_t targets(int64_t first, int64_t count) const;
  int64_t target_bytes(int64_t first, int64_t count) const;

  // Held-out examples, of which the answers count.
  static ValidationWindows of_examples(std::shared_ptr<const examples::Rows> rows, const tokenize::Tokenizer& tokenizer,
                                       int64_t context, int64_t wanted);

  // Whether the corpus is that of an induction task.
  bool have_answers() const { return task_.has_value(); }
  // The answers (data/induction.h) in windows [first, first + count): w * context + t for the byte after t + 1 bytes of
  // window first + w, ascending. None without a task.
  std::vector<int64_t> answers(int64_t first, int64_t count) const;

  // Whole windows of context + 1 tokens at `starts`, each target once. With a task: of a text whose tokens are its
  // bytes.
  static ValidationWindows fixed(std::shared_ptr<const TokenSource> tokens, int64_t context,
                                 const std::vector<uint64_t>& starts, std::optional<InductionTask> task,
                                 std::shared_ptr<const CorpusText> text);

  // Stretches of text, each encoded for itself behind BOS (else behind what a newline ends in), so that every tokenizer
  // and every context is scored on the same bytes, each once. Within one its documents are encoded and marked as those
  // of the training text are, and the marks are targets too. stride 0: windows follow each other; else they overlap,
  // and each but a stretch's first counts its last `stride` targets alone.
  static ValidationWindows over_text(const tokenize::Tokenizer& tokenizer, const TextDocuments& text,
                                     const DocumentTokens& marks, const std::vector<Segment>& stretches,
                                     int64_t context, int64_t stride);

 private:
  struct Window {
    uint64_t start = 0;   // of its tokens
    uint64_t tokens = 0;  // that are there; zeros follow
    size_t scored = 0, runs = 0;
    int64_t bytes = 0;
  };
  void add(Window window, std::span<const ScoredTargets> scored);

  int64_t vocab_ = 0, context_ = 0;
  std::vector<Window> windows_;
  std::vector<ScoredTargets> scored_;  // of the windows, one after the other
  bool all_count_ = true;
  std::shared_ptr<const TokenSource> tokens_;  // of fixed windows
  std::vector<uint32_t> ids_;                  // of stretches, one after the other
  std::shared_ptr<const CorpusText> text_;     // of a task
  std::optional<InductionTask> task_;
};

}  // namespace bitsweep::data
