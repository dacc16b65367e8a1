#include "data/split.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/error.h"
#include "base/units.h"

namespace bitsweep::data {
namespace {

constexpr uint64_t max_blocks = 16;
constexpr uint64_t min_block_bytes = 4096;

// `blocks` validation blocks of nearly equal size, each in the middle of its equal share of the corpus.
Split split_in_blocks(uint64_t bytes, uint64_t val_bytes, uint64_t blocks) {
  Split split;
  uint64_t trained_until = 0;
  for (uint64_t i = 0; i < blocks; ++i) {
    const uint64_t share_begin = bytes / blocks * i + std::min(i, bytes % blocks);
    const uint64_t share_bytes = bytes / blocks + (i < bytes % blocks ? 1 : 0);
    const uint64_t block_bytes = val_bytes / blocks + (i < val_bytes % blocks ? 1 : 0);
    const uint64_t begin = share_begin + (share_bytes - block_bytes) / 2;
    if (begin > trained_until) split.train.push_back({trained_until, begin});
    split.val.push_back({begin, begin + block_bytes});
    trained_until = begin + block_bytes;
  }
  if (bytes > trained_until) split.train.push_back({trained_until, bytes});
  return split;
}

bool holds_window(const std::vector<Segment>& segments, uint64_t window) {
  return std::any_of(segments.begin(), segments.end(), [&](const Segment& s) { return s.size() >= window; });
}

uint64_t fraction_of(uint64_t bytes, double fraction) {
  return static_cast<uint64_t>(static_cast<double>(bytes) * fraction);
}

bool fits_in_one_block(uint64_t bytes, double val_fraction, uint64_t window) {
  const uint64_t val_bytes = fraction_of(bytes, val_fraction);
  return val_bytes >= window && (bytes - val_bytes + 1) / 2 >= window;
}

uint64_t bytes_needed(double val_fraction, uint64_t window) {
  const double w = static_cast<double>(window);
  auto bytes = static_cast<uint64_t>(std::max(w / val_fraction, 2 * (w - 1) / (1 - val_fraction)));
  while (!fits_in_one_block(bytes, val_fraction, window)) ++bytes;
  return bytes;
}

void check_context(int64_t context) {
  if (context < 1) throw Error(ErrorKind::input, fmt::format("data.context is {}; it must be at least 1", context));
}

}  // namespace

Split split_corpus(uint64_t bytes, double val_fraction, int64_t context) {
  check_context(context);
  if (!(val_fraction > 0 && val_fraction < 1))
    throw Error(ErrorKind::input, fmt::format("data.val_fraction is {}; it must lie between 0 and 1", val_fraction));
  const uint64_t window = static_cast<uint64_t>(context) + 1;
  const uint64_t val_bytes = fraction_of(bytes, val_fraction);
  for (uint64_t blocks = std::clamp<uint64_t>(val_bytes / min_block_bytes, 1, max_blocks); blocks > 0; --blocks) {
    Split split = split_in_blocks(bytes, val_bytes, blocks);
    const bool every_block = val_bytes / blocks >= window;
    if (every_block && holds_window(split.train, window)) return split;
  }
  // Beyond 2^53 bytes or at absurd fractions the exact need is not worth finding.
  const double estimate = static_cast<double>(window) / std::min(val_fraction, 1 - val_fraction);
  const std::string needed = estimate < 1e15
                                 ? format_thousands(static_cast<int64_t>(bytes_needed(val_fraction, window)))
                                 : fmt::format("{:.3g}", estimate);
  throw Error(ErrorKind::input,
              fmt::format("too short: {} bytes, but data.context {} with data.val_fraction {} needs at least {} bytes",
                          format_thousands(static_cast<int64_t>(bytes)), context, val_fraction, needed));
}

Split split_separate(uint64_t train_bytes, uint64_t val_bytes, int64_t context) {
  check_context(context);
  const uint64_t window = static_cast<uint64_t>(context) + 1;
  std::vector<Diagnostic> wrong;
  const auto check = [&](const char* what, uint64_t bytes) {
    if (bytes >= window) return;
    wrong.push_back(
        {"", 0, 0,
         fmt::format("the {} text is too short: {} bytes, but data.context {} needs at least {} bytes", what,
                     format_thousands(static_cast<int64_t>(bytes)), context, format_thousands(context + 1))});
  };
  check("training", train_bytes);
  check("validation", val_bytes);
  if (!wrong.empty()) throw Error(ErrorKind::input, std::move(wrong));
  return {{{0, train_bytes}}, {{0, val_bytes}}};
}

void require_windows(const Split& tokens, int64_t context) {
  std::vector<Diagnostic> wrong;
  const auto check = [&](const char* what, const std::vector<Segment>& segments) {
    if (holds_window(segments, static_cast<uint64_t>(context) + 1)) return;
    uint64_t most = 0;
    for (const Segment& segment : segments) most = std::max(most, segment.size());
    wrong.push_back(
        {"", 0, 0,
         fmt::format("the {} text is too short: {} tokens in one piece, but data.context {} needs {}", what,
                     format_thousands(static_cast<int64_t>(most)), context, format_thousands(context + 1))});
  };
  check("training", tokens.train);
  check("validation", tokens.val);
  if (!wrong.empty()) throw Error(ErrorKind::input, std::move(wrong));
}

int64_t count_validation_windows(const std::vector<Segment>& val, int64_t context) {
  int64_t count = 0;
  for (const Segment& block : val) count += static_cast<int64_t>(block.size()) / (context + 1);
  return count;
}

std::vector<uint64_t> validation_windows(const std::vector<Segment>& val, int64_t context, int64_t wanted) {
  const auto available = static_cast<uint64_t>(count_validation_windows(val, context));
  const uint64_t count = std::min(available, static_cast<uint64_t>(std::max<int64_t>(wanted, 0)));
  const uint64_t window = static_cast<uint64_t>(context) + 1;
  std::vector<uint64_t> starts;
  starts.reserve(count);
  auto block = val.begin();
  uint64_t before = 0;  // windows in the blocks before this one
  for (uint64_t i = 0; i < count; ++i) {
    const auto index = static_cast<uint64_t>(static_cast<unsigned __int128>(2 * i + 1) * available / (2 * count));
    while (index - before >= block->size() / window) before += block++->size() / window;
    starts.push_back(block->begin + (index - before) * window);
  }
  return starts;
}

namespace {

// Where the character of UTF-8 ends that `at` lies in; `at` where it begins one, or where there is none.
uint64_t behind_character(std::span<const uint8_t> text, uint64_t at) {
  constexpr uint64_t most = 3;  // bytes that go on with one
  for (uint64_t end = at; end <= at + most && end < text.size(); ++end)
    if ((text[end] & 0xC0) != 0x80) return end;
  return at;
}

// Where it begins, likewise.
uint64_t character_before(std::span<const uint8_t> text, uint64_t at) {
  if (behind_character(text, at) == at) return at;
  while (at > 0 && (text[at] & 0xC0) == 0x80) --at;
  return at;
}

// Where a stretch that begins at or behind `from` begins and ends within the block: whole lines, or characters of one
// that is too long.
Segment stretch_from(std::span<const uint8_t> text, const Segment& block, uint64_t from, uint64_t most) {
  const auto newline_behind = [&](uint64_t at) {
    const auto found = std::find(text.begin() + static_cast<std::ptrdiff_t>(at),
                                 text.begin() + static_cast<std::ptrdiff_t>(block.end), uint8_t{'\n'});
    return static_cast<uint64_t>(found - text.begin());
  };
  const auto character = [&](uint64_t at) {
    while (at < block.end && (text[at] & 0xC0) == 0x80) ++at;
    return at;
  };
  uint64_t begin = from;
  if (from > block.begin && text[from - 1] != '\n') {
    const uint64_t newline = newline_behind(from);
    begin = newline - from < most && newline + 1 < block.end ? newline + 1 : character(from);
  }
  const uint64_t limit = std::min(block.end, begin + most);
  if (limit == block.end) return {begin, limit};
  uint64_t end = limit;
  while (end > begin && text[end - 1] != '\n') --end;
  if (end > begin) return {begin, end};
  for (end = limit; end > begin + 1 && (text[end] & 0xC0) == 0x80;) --end;
  return {begin, end};
}

}  // namespace

std::vector<Segment> validation_stretches(std::span<const uint8_t> text, const std::vector<Segment>& val,
                                          uint64_t wanted) {
  uint64_t total = 0, largest = 1;
  for (const Segment& block : val) {
    total += block.size();
    largest = std::max(largest, block.size());
  }
  const bool all = total <= wanted;
  // What a stretch can hold: blocks, and what is wanted, may be smaller than it.
  const uint64_t most = std::min({stretch_bytes, largest, std::max<uint64_t>(1, wanted)});
  std::vector<Segment> stretches;
  uint64_t before = 0;  // bytes in the blocks before
  const uint64_t count = std::max<uint64_t>(1, (wanted + most / 2) / most);
  uint64_t next = 0;  // stretch
  for (const Segment& cut : val) {
    // Without what two characters were cut of.
    const Segment block{behind_character(text, cut.begin), character_before(text, cut.end)};
    uint64_t done = block.begin;
    while (done < block.end) {
      uint64_t from = done;
      if (!all) {
        if (next == count) return stretches;
        const auto place = static_cast<uint64_t>(static_cast<unsigned __int128>(total) * next / count);
        if (place >= before + cut.size()) break;  // in a later block
        // Drawn back from the block's end, so that it is whole.
        const uint64_t last = block.size() > most ? block.end - most : block.begin;
        from = std::max(done, std::min(last, block.begin + (place > before ? place - before : 0)));
        ++next;
      }
      const Segment stretch = stretch_from(text, block, from, all ? stretch_bytes : most);
      if (stretch.size() > 0) stretches.push_back(stretch);
      done = std::max(done, stretch.end);
      if (stretch.end == block.end) break;
    }
    before += cut.size();
  }
  return stretches;
}

namespace {

// Each end of a block moved; blocks that this leaves empty are gone.
template <class Moved>
std::vector<Segment> with_ends_moved(const std::vector<Segment>& segments, const Moved& moved) {
  std::vector<Segment> kept;
  for (const Segment& segment : segments)
    if (const Segment whole{moved(segment.begin), moved(segment.end)}; whole.size() > 0) kept.push_back(whole);
  return kept;
}

}  // namespace

Split split_between_documents(const Split& split, std::span<const uint64_t> ends) {
  const auto moved = [&](uint64_t at) {
    const auto end = std::lower_bound(ends.begin(), ends.end(), at);
    return at == 0 || end == ends.end() ? at : *end;
  };
  Split whole{with_ends_moved(split.train, moved), with_ends_moved(split.val, moved)};
  if (!whole.train.empty() && !whole.val.empty()) return whole;
  uint64_t begin = UINT64_MAX;  // of the text that is split: documents before it are others'
  for (const auto* segments : {&split.train, &split.val})
    if (!segments->empty()) begin = std::min(begin, segments->front().begin);
  const auto documents = ends.end() - std::upper_bound(ends.begin(), ends.end(), begin);
  const std::string why = documents == 1 ? "it is one document"
                                         : fmt::format("it has {} documents, which are too long for data.val_fraction",
                                                       format_thousands(documents));
  throw Error(ErrorKind::input, fmt::format("data.split documents leaves nothing to {}: {}",
                                            whole.train.empty() ? "train on" : "validate on", why));
}

Split split_between_characters(const Split& split, std::span<const uint8_t> train, std::span<const uint8_t> val) {
  return {with_ends_moved(split.train, [&](uint64_t at) { return behind_character(train, at); }),
          with_ends_moved(split.val, [&](uint64_t at) { return behind_character(val, at); })};
}

std::vector<Segment> sample_segments(const std::vector<Segment>& segments, uint64_t limit_bytes, uint64_t pieces) {
  uint64_t total = 0;
  for (const Segment& segment : segments) total += segment.size();
  if (total <= limit_bytes) return segments;
  std::vector<Segment> sample;
  auto segment = segments.begin();
  uint64_t before = 0;  // bytes in the segments before this one
  for (uint64_t i = 0; i < pieces; ++i) {
    // The piece as positions of the joined segments, then cut where they are not neighbours.
    uint64_t begin = static_cast<uint64_t>(static_cast<unsigned __int128>(total) * i / pieces);
    const uint64_t end = begin + limit_bytes / pieces;
    while (begin < end) {
      while (begin - before >= segment->size()) before += segment++->size();
      const uint64_t upto = std::min(end, before + segment->size());
      sample.push_back({segment->begin + (begin - before), segment->begin + (upto - before)});
      begin = upto;
    }
  }
  return sample;
}

}  // namespace bitsweep::data
