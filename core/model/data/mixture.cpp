#include "data/mixture.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/units.h"
#include "spec/corpus_value.h"
#include "spec/tokenizer_value.h"

namespace bitsweep::data {
namespace {

using Parts = std::vector<std::vector<Segment>>;

// How many of the segments, ascending, end before or at each of the ends.
std::vector<size_t> count_by_part(const std::vector<Segment>& segments, const std::vector<uint64_t>& ends) {
  std::vector<size_t> counts(ends.size());
  for (const Segment& segment : segments)
    ++counts[static_cast<size_t>(std::lower_bound(ends.begin(), ends.end(), segment.end) - ends.begin())];
  return counts;
}

Parts by_part(const std::vector<Segment>& segments, const std::vector<size_t>& counts) {
  if (counts.empty()) return {segments};
  Parts parts;
  auto next = segments.begin();
  for (const size_t count : counts) {
    parts.emplace_back(next, next + static_cast<std::ptrdiff_t>(count));
    next += static_cast<std::ptrdiff_t>(count);
  }
  return parts;
}

// `total` by shares, to the whole number.
std::vector<uint64_t> apportion(uint64_t total, const std::vector<int64_t>& shares) {
  std::vector<uint64_t> amounts;
  uint64_t upto = 0, given = 0;
  for (const int64_t share : shares) {
    upto += static_cast<uint64_t>(share);
    const auto end = static_cast<uint64_t>((static_cast<unsigned __int128>(total) * upto + spec::mixture_block / 2) /
                                           spec::mixture_block);
    amounts.push_back(end - given);
    given = end;
  }
  return amounts;
}

}  // namespace

Mixture::Mixture(const spec::DataSpec& spec, const std::vector<uint64_t>& part_ends, const Split& split,
                 bool separate_val) {
  if (part_ends.empty()) return;
  tokenizer_ = spec::tokenizer_text(spec::tokenizer_json(spec));
  for (const spec::CorpusPart& part : spec.mixture) names_.push_back(spec::corpus_name(part.corpus));
  shares_ = spec::mixture_shares(spec.mixture);
  train_ = count_by_part(split.train, part_ends);
  if (!separate_val) val_ = count_by_part(split.val, part_ends);
}

void Mixture::require_windows(const Split& tokens, int64_t context) const {
  const Parts train = by_part(tokens.train, train_), val = by_part(tokens.val, val_);
  std::vector<Diagnostic> wrong;
  for (size_t i = 0; i < train.size(); ++i) try {
      data::require_windows({train[i], val[val.size() == 1 ? 0 : i]}, context);
    } catch (const Error& error) {
      for (Diagnostic diagnostic : error.diagnostics()) {
        if (!names_.empty()) diagnostic.file = names_[i];
        wrong.push_back(std::move(diagnostic));
      }
    }
  if (!wrong.empty()) throw Error(ErrorKind::input, std::move(wrong));
}

MixtureOrder Mixture::order(const std::vector<Segment>& train, int64_t context) const {
  return {by_part(train, train_), shares_.empty() ? std::vector<int64_t>{spec::mixture_block} : shares_, context};
}

std::vector<uint64_t> Mixture::windows(const std::vector<Segment>& val, int64_t context, int64_t wanted) const {
  if (val_.empty()) return validation_windows(val, context, wanted);
  const Parts parts = by_part(val, val_);
  const auto amounts = apportion(static_cast<uint64_t>(std::max<int64_t>(0, wanted)), shares_);
  std::vector<uint64_t> starts;
  for (size_t i = 0; i < parts.size(); ++i)
    for (const uint64_t start : validation_windows(parts[i], context, static_cast<int64_t>(amounts[i])))
      starts.push_back(start);
  return starts;
}

std::vector<Segment> Mixture::stretches(std::span<const uint8_t> text, const std::vector<Segment>& val,
                                        uint64_t wanted) const {
  if (val_.empty()) return validation_stretches(text, val, wanted);
  const Parts parts = by_part(val, val_);
  const auto amounts = apportion(wanted, shares_);
  std::vector<Segment> stretches;
  for (size_t i = 0; i < parts.size(); ++i)
    for (const Segment& stretch : validation_stretches(text, parts[i], amounts[i])) stretches.push_back(stretch);
  return stretches;
}

std::vector<Segment> Mixture::sample(const std::vector<Segment>& train, uint64_t limit_bytes, uint64_t pieces) const {
  if (train_.empty()) return train;
  const Parts parts = by_part(train, train_);
  const auto amounts = apportion(limit_bytes, shares_);
  std::vector<Segment> sample;
  for (size_t i = 0; i < parts.size(); ++i)
    for (const Segment& segment : sample_segments(parts[i], amounts[i], pieces)) sample.push_back(segment);
  return sample;
}

std::vector<std::string> Mixture::notes(const std::vector<Segment>& train, int64_t context) const {
  std::vector<std::string> notes;
  if (train_.empty()) return notes;
  const Parts parts = by_part(train, train_);
  for (size_t i = 0; i < parts.size(); ++i) {
    const double once = static_cast<double>(WindowOrder(parts[i], context).windows_per_epoch() * context) *
                        spec::mixture_block / static_cast<double>(shares_[i]);
    notes.push_back(fmt::format("'{}' gives {} of every {} sequences: all of it is seen once in {} tokens of {}.",
                                names_[i], shares_[i], format_thousands(spec::mixture_block), format_count(once),
                                tokenizer_));
  }
  return notes;
}

}  // namespace bitsweep::data
