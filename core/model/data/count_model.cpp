#include "data/count_model.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace bitsweep::data {
namespace {

// A context's row: how often it was seen, and how many symbols followed it once, twice, more often.
struct Row {
  uint32_t total = 0, once = 0, twice = 0, more = 0;

  void add(uint32_t count) {
    total += count;
    once += count == 1;
    twice += count == 2;
    more += count > 2;
  }
};

// D(1), D(2), D(3 and more) of one order.
struct Discounts {
  std::array<double, 4> of{0, 0.5, 0.5, 0.5};

  // counts_of[i]: n-grams seen exactly i times, i = 1..4. A half each keeps every probability positive, as does the
  // floor.
  static Discounts estimate(const std::array<uint64_t, 5>& counts_of) {
    Discounts discounts;
    if (std::any_of(counts_of.begin() + 1, counts_of.end(), [](uint64_t n) { return n == 0; })) return discounts;
    const auto n = [&](int i) { return static_cast<double>(counts_of[i]); };
    const double y = n(1) / (n(1) + 2 * n(2));
    for (int i = 1; i <= 3; ++i)
      discounts.of[i] = std::clamp(i - (i + 1) * y * n(i + 1) / n(i), 0.05, static_cast<double>(i));
    return discounts;
  }

  double of_count(uint32_t count) const { return of[std::min<uint32_t>(count, 3)]; }

  // The formula of the header: the probability at this order from the count, its context and the order below.
  double interpolate(uint32_t count, const Row& row, double lower) const {
    if (row.total == 0) return lower;
    const double kept = count - of_count(count);
    const double freed = of[1] * row.once + of[2] * row.twice + of[3] * row.more;
    return (kept + freed * lower) / row.total;
  }
};

// Calls visit(last four tokens, tokens of history that are the segment's own (at most 3)) at every position.
template <class Visit>
void for_each_gram(std::span<const uint8_t> text, const std::vector<Segment>& segments,
                   const tokenize::ByteAlphabet& tokenizer, Visit visit) {
  std::vector<uint8_t> tokens(1 << 16);
  for (const Segment& segment : segments) {
    uint32_t gram = 0;
    int history = 0;
    for (uint64_t begin = segment.begin; begin < segment.end; begin += tokens.size()) {
      const size_t count = static_cast<size_t>(std::min<uint64_t>(tokens.size(), segment.end - begin));
      tokenizer.encode(text.subspan(begin, count), tokens.data());
      size_t i = 0;
      for (; i < count && history < 3; ++i, ++history) visit(gram = gram << 8 | tokens[i], history);
      for (; i < count; ++i) visit(gram = gram << 8 | tokens[i], 3);
    }
  }
}

// 4-grams put together by their first two tokens: bucket b holds the last two of each, in order of appearance. Order 3
// then needs one dense table of 65536 counts at a time instead of 2^32 of them.
struct Buckets {
  std::vector<uint64_t> begin;  // [65537]
  std::vector<uint16_t> grams;

  Buckets(std::span<const uint8_t> text, const std::vector<Segment>& segments, const tokenize::ByteAlphabet& tokenizer)
      : begin(65537) {
    for_each_gram(text, segments, tokenizer, [&](uint32_t gram, int history) {
      if (history == 3) ++begin[(gram >> 16) + 1];
    });
    for (size_t b = 1; b < begin.size(); ++b) begin[b] += begin[b - 1];
    grams.resize(begin.back());
    std::vector<uint64_t> next(begin.begin(), begin.end() - 1);
    for_each_gram(text, segments, tokenizer, [&](uint32_t gram, int history) {
      if (history == 3) grams[next[gram >> 16]++] = static_cast<uint16_t>(gram);
    });
  }

  std::span<const uint16_t> of(uint32_t bucket) const {
    return std::span(grams).subspan(begin[bucket], begin[bucket + 1] - begin[bucket]);
  }
};

// The counts of one bucket: a dense table and which entries are not zero.
class BucketCounts {
 public:
  void load(std::span<const uint16_t> grams) {
    for (const uint16_t gram : distinct_) counts_[gram] = 0;
    distinct_.clear();
    for (const uint16_t gram : grams)
      if (counts_[gram]++ == 0) distinct_.push_back(gram);
  }
  uint32_t operator[](uint16_t gram) const { return counts_[gram]; }
  const std::vector<uint16_t>& distinct() const { return distinct_; }

 private:
  std::vector<uint32_t> counts_ = std::vector<uint32_t>(65536);
  std::vector<uint16_t> distinct_;
};

// One row for each run of 256 counts.
std::vector<Row> rows_of(const std::vector<uint32_t>& counts) {
  std::vector<Row> rows(counts.size() / 256);
  for (size_t r = 0; r < rows.size(); ++r)
    for (size_t s = 0; s < 256; ++s) rows[r].add(counts[r * 256 + s]);
  return rows;
}

Discounts discounts_of(const std::vector<uint32_t>& counts) {
  std::array<uint64_t, 5> counts_of{};
  for (const uint32_t count : counts)
    if (count > 0 && count < 5) ++counts_of[count];
  return Discounts::estimate(counts_of);
}

}  // namespace

struct CountModel::Tables {
  tokenize::ByteAlphabet tokenizer;
  std::array<std::vector<uint32_t>, 3> counts;  // order k: [256^k contexts][256 symbols]
  std::array<std::vector<Row>, 3> rows;         // order k: [256^k contexts]
  Buckets buckets;                              // order 3
  std::array<Discounts, 4> discounts;

  Tables(std::span<const uint8_t> text, const std::vector<Segment>& segments,
         const tokenize::ByteAlphabet& tokenizer_used)
      : tokenizer(tokenizer_used), buckets(text, segments, tokenizer_used) {
    for (int order = 0; order < 3; ++order) counts[order].resize(size_t{256} << (8 * order));
    for_each_gram(text, segments, tokenizer, [&](uint32_t gram, int history) {
      if (history >= 2) ++counts[2][gram & 0xFFFFFF];
      if (history == 1) ++counts[1][gram & 0xFFFF];
      if (history == 0) ++counts[0][gram & 0xFF];
    });
    // A position with history counts at every lower order too.
    for (size_t i = 0; i < counts[2].size(); ++i) counts[1][i & 0xFFFF] += counts[2][i];
    for (size_t i = 0; i < counts[1].size(); ++i) counts[0][i & 0xFF] += counts[1][i];
    for (int order = 0; order < 3; ++order) {
      rows[order] = rows_of(counts[order]);
      discounts[order] = discounts_of(counts[order]);
    }
    discounts[3] = estimate_order_3();
  }

  Discounts estimate_order_3() const {
    std::array<uint64_t, 5> counts_of{};
    BucketCounts bucket;
    for (uint32_t b = 0; b < 65536; ++b) {
      if (buckets.begin[b] == buckets.begin[b + 1]) continue;
      bucket.load(buckets.of(b));
      for (const uint16_t gram : bucket.distinct())
        if (bucket[gram] < 5) ++counts_of[bucket[gram]];
    }
    return Discounts::estimate(counts_of);
  }

  // p[k] for k ≤ 2 of the last token of `gram` after the ones before it.
  std::array<double, 4> low_orders(uint32_t gram) const {
    std::array<double, 4> p{};
    double lower = 1.0 / tokenizer.vocab();
    for (int order = 0; order < 3; ++order) {
      const uint32_t key = gram & ((uint32_t{256} << (8 * order)) - 1);
      p[order] = lower = discounts[order].interpolate(counts[order][key], rows[order][key >> 8], lower);
    }
    return p;
  }
};

CountModel::CountModel(std::span<const uint8_t> text, const std::vector<Segment>& segments,
                       const tokenize::ByteAlphabet& tokenizer)
    : tables_(std::make_unique<Tables>(text, segments, tokenizer)) {}

CountModel::~CountModel() = default;

double CountModel::probability(int order, std::span<const uint8_t> history, uint8_t symbol) const {
  assert(order >= 0 && order <= 3 && history.size() >= static_cast<size_t>(order));
  uint32_t gram = 0;
  for (const uint8_t token : history.last(static_cast<size_t>(order))) gram = gram << 8 | token;
  gram = gram << 8 | symbol;
  const double p2_or_less = tables_->low_orders(gram)[std::min(order, 2)];
  if (order < 3) return p2_or_less;
  BucketCounts bucket;
  bucket.load(tables_->buckets.of(gram >> 16));
  Row row;
  for (const uint16_t other : bucket.distinct())
    if (other >> 8 == (gram >> 8 & 0xFF)) row.add(bucket[other]);
  return tables_->discounts[3].interpolate(bucket[static_cast<uint16_t>(gram)], row, p2_or_less);
}

std::array<double, 4> CountModel::score(std::span<const uint8_t> text, const std::vector<Segment>& segments,
                                        bool first_is_given) const {
  std::array<double, 4> bits{};
  uint64_t tokens = 0;
  for_each_gram(text, segments, tables_->tokenizer, [&](uint32_t gram, int history) {
    if (history == 0 && first_is_given) return;
    ++tokens;
    if (history == 3) return;
    const auto p = tables_->low_orders(gram);
    for (int order = 0; order < 4; ++order) bits[order] -= std::log2(p[std::min(order, history)]);
  });
  const Buckets asked(text, segments, tables_->tokenizer);
  BucketCounts seen, wanted;
  std::vector<Row> rows(256);
  for (uint32_t b = 0; b < 65536; ++b) {
    if (asked.begin[b] == asked.begin[b + 1]) continue;
    wanted.load(asked.of(b));
    seen.load(tables_->buckets.of(b));
    std::fill(rows.begin(), rows.end(), Row{});
    for (const uint16_t gram : seen.distinct()) rows[gram >> 8].add(seen[gram]);
    for (const uint16_t gram : wanted.distinct()) {
      auto p = tables_->low_orders(b << 16 | gram);
      p[3] = tables_->discounts[3].interpolate(seen[gram], rows[gram >> 8], p[2]);
      for (int order = 0; order < 4; ++order) bits[order] -= wanted[gram] * std::log2(p[order]);
    }
  }
  for (double& value : bits) value /= static_cast<double>(tokens);
  return bits;
}

}  // namespace bitsweep::data
