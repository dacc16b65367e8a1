// Which bytes of a corpus train and which validate. Pure: sizes in, segments out.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace bitsweep::data {

// Bytes [begin, end) of a text.
struct Segment {
  uint64_t begin = 0;
  uint64_t end = 0;
  uint64_t size() const { return end - begin; }
  bool operator==(const Segment&) const = default;
};

struct Split {
  std::vector<Segment> train;  // of the corpus, ascending, disjoint from val
  std::vector<Segment> val;    // of the corpus, or of the separate validation text
};

// Validation = `val_fraction` of the corpus in up to 16 blocks of at least 4096 bytes (one when there are fewer), each
// in the middle of its equal share of the corpus; fewer blocks when one would not hold a window of context + 1 tokens.
// Train = the complement. Throws Error{input} saying how many bytes are needed when either side holds no window.
Split split_corpus(uint64_t bytes, double val_fraction, int64_t context);

// All of the corpus trains, all of the other text validates. Throws Error{input} likewise.
Split split_separate(uint64_t train_bytes, uint64_t val_bytes, int64_t context);

// Throws Error{input} saying how many tokens are needed when either side of a split of tokens holds no window.
void require_windows(const Split& tokens, int64_t context);

// Starts of the fixed validation windows of context + 1 bytes: of all the non-overlapping ones in the blocks, `wanted`
// evenly chosen (all when there are fewer), ascending.
std::vector<uint64_t> validation_windows(const std::vector<Segment>& val, int64_t context, int64_t wanted);

// Stretches of whole lines for a loss on the same bytes whatever the tokenizer: of the text's validation blocks, about
// `wanted` bytes in all, evenly spread, each of at most stretch_bytes and within one block. A line that is longer is
// cut at a character. All of the blocks when they hold no more, but for characters that they cut in two.
inline constexpr uint64_t stretch_bytes = 16 << 10;
std::vector<Segment> validation_stretches(std::span<const uint8_t> text, const std::vector<Segment>& val,
                                          uint64_t wanted);

// The split with each end of a block moved on to the next end of a document; blocks that this leaves empty are gone.
// Throws Error{input} when either side is left without text. `ends` before the split's begin are nobody's here.
Split split_between_documents(const Split& split, std::span<const uint64_t> ends);

// The split with each end of a block that lies within a character of UTF-8 moved behind it, for tokens that are no
// bytes: half a character is none. `train`, `val`: the texts that the segments are of, which may be one.
Split split_between_characters(const Split& split, std::span<const uint8_t> train, std::span<const uint8_t> val);

// How many there are to choose from.
int64_t count_validation_windows(const std::vector<Segment>& val, int64_t context);

// The segments when they hold at most `limit_bytes`, else `pieces` evenly spaced pieces of limit_bytes / pieces each.
std::vector<Segment> sample_segments(const std::vector<Segment>& segments, uint64_t limit_bytes, uint64_t pieces);

}  // namespace bitsweep::data
