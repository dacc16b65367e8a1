#include "data/induction.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/rng.h"

namespace bitsweep::data {
namespace {

constexpr uint64_t letters = 26;

// A number drawn uniformly from both ends and all between.
struct Range {
  uint64_t least, most;
  uint64_t count() const { return most - least + 1; }
  double mean() const { return static_cast<double>(least + most) / 2; }
  double bits() const { return std::log2(static_cast<double>(count())); }
};

// `count` capitals, `said` times in all, with `noise` small letters behind the first time (repeat, copy) or around each
// (needle).
struct Format {
  std::string_view name;
  Range count, said, noise;
};

constexpr std::array<Format, 3> formats{Format{"repeat", {4, 12}, {2, 8}, {0, 0}},
                                        Format{"copy", {6, 12}, {2, 2}, {8, 40}},
                                        Format{"needle", {4, 8}, {2, 2}, {1, 8}}};

const Format& format_of(InductionTask task) { return formats[static_cast<size_t>(task)]; }

// Each task's stream of choices is its own.
class LetterChooser {
 public:
  LetterChooser(InductionTask task, uint64_t seed) : seed_(seed * formats.size() + static_cast<uint64_t>(task)) {}
  uint64_t below(uint64_t bound) {
    return bound == 1 ? 0 : random_below(seed_, static_cast<uint64_t>(Stream::induction), next_++, bound);
  }
  uint64_t in(const Range& range) { return range.least + below(range.count()); }
  char small_letter() { return static_cast<char>('a' + below(letters)); }
  void add_noise(const Range& range, std::string& line) {
    for (uint64_t n = in(range); n > 0; --n) line += small_letter();
  }
  // The first `count` items of a random order.
  void shuffle(std::string& items, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) std::swap(items[i], items[i + below(items.size() - i)]);
    items.resize(count);
  }

 private:
  uint64_t seed_;
  uint64_t next_ = 0;
};

void add_copy_line(const Format& format, const std::string& segment, LetterChooser& chooser, std::string& text) {
  text += '>' + segment;
  chooser.add_noise(format.noise, text);
  for (uint64_t again = chooser.in(format.said) - 1; again > 0; --again) text += '>' + segment;
  text += '\n';
}

void add_needle_line(const Format& format, std::string keys, LetterChooser& chooser, std::string& text) {
  std::array<char, letters> values{};
  for (const char key : keys) {
    char& value = values[static_cast<size_t>(key - 'A')];
    chooser.add_noise(format.noise, text);
    value = chooser.small_letter();
    text += {key, value};
  }
  chooser.add_noise(format.noise, text);
  text += '>';
  chooser.shuffle(keys, keys.size());
  for (const char key : keys) text += {key, values[static_cast<size_t>(key - 'A')]};
  text += '\n';
}

bool is_capital(uint8_t c) { return c >= 'A' && c <= 'Z'; }
bool is_small(uint8_t c) { return c >= 'a' && c <= 'z'; }

}  // namespace

std::optional<InductionTask> find_induction_task(std::string_view corpus) {
  for (size_t i = 0; i < formats.size(); ++i)
    if (formats[i].name == corpus) return static_cast<InductionTask>(i);
  return std::nullopt;
}

std::string generate_induction(InductionTask task, uint64_t seed, uint64_t bytes) {
  const Format& format = format_of(task);
  LetterChooser chooser(task, seed);
  std::string text;
  text.reserve(bytes + static_cast<uint64_t>(induction_longest_line(task)));
  while (text.size() < bytes) {
    std::string capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    chooser.shuffle(capitals, chooser.in(format.count));
    if (task == InductionTask::needle)
      add_needle_line(format, std::move(capitals), chooser, text);
    else
      add_copy_line(format, capitals, chooser, text);
  }
  return text;
}

double induction_entropy_bits_per_byte(InductionTask task) {
  const Format& format = format_of(task);
  const bool needle = task == InductionTask::needle;
  const double letter_bits = std::log2(static_cast<double>(letters));
  double bits = 0, bytes = 0;  // summed over the counts of capitals, which are equally likely
  for (uint64_t n = format.count.least; n <= format.count.most; ++n) {
    const double count = static_cast<double>(n), gaps = needle ? count + 1 : 1;
    bits += format.count.bits() + format.said.bits() + gaps * (format.noise.bits() + format.noise.mean() * letter_bits);
    for (uint64_t i = 0; i < n; ++i) bits += std::log2(static_cast<double>(letters - i));  // capitals, none twice
    if (needle) bits += count * letter_bits + std::lgamma(count + 1) / std::log(2.0);      // values, order asked
    bytes += gaps * format.noise.mean() + (needle ? 4 * count + 2 : format.said.mean() * (count + 1) + 1);
  }
  return bits / bytes;
}

int64_t induction_longest_line(InductionTask task) {
  const Format& format = format_of(task);
  const uint64_t n = format.count.most;
  return static_cast<int64_t>(task == InductionTask::needle ? (n + 1) * format.noise.most + 4 * n + 2
                                                            : format.noise.most + format.said.most * (n + 1) + 1);
}

std::vector<InductionAnswer> induction_answers(InductionTask task, std::span<const uint8_t> window) {
  const auto can_answer = task == InductionTask::needle ? is_small : is_capital;
  std::vector<InductionAnswer> answers;
  constexpr int64_t none = -1;
  std::array<int64_t, 256> stood;  // where in this line a byte that can be asked by stood last
  stood.fill(none);
  for (int64_t i = 0; i + 1 < static_cast<int64_t>(window.size()); ++i) {
    const uint8_t current = window[static_cast<size_t>(i)];
    if (current == '\n') stood.fill(none);
    if (current != '>' && !is_capital(current)) continue;
    if (stood[current] != none && can_answer(window[static_cast<size_t>(stood[current] + 1)]))
      answers.push_back({i + 1, stood[current] + 1});
    stood[current] = i;
  }
  return answers;
}

}  // namespace bitsweep::data
