#include "data/yardsticks.h"

#include <numeric>

#include "base/error.h"
#include "data/count_model.h"

namespace bitsweep::data {
namespace {

constexpr uint64_t sample_pieces = 64;

uint64_t total_bytes(const std::vector<Segment>& segments) {
  return std::accumulate(segments.begin(), segments.end(), uint64_t{0},
                         [](uint64_t sum, const Segment& segment) { return sum + segment.size(); });
}

}  // namespace

uint64_t ScoredBytes::bytes() const { return total_bytes(segments) - (windows ? segments.size() : 0); }

std::vector<Yardsticks> compute_yardsticks(std::span<const uint8_t> train_text, const std::vector<Segment>& train,
                                           std::span<const uint8_t> val_text, const std::vector<ScoredBytes>& parts,
                                           const tokenize::ByteAlphabet& tokenizer) {
  const auto counted = sample_segments(train, yardstick_sample_bytes, sample_pieces);
  const CountModel model(train_text, counted, tokenizer);
  std::vector<Yardsticks> all;
  for (const ScoredBytes& part : parts) {
    const ScoredBytes scored =
        part.windows ? part : ScoredBytes{sample_segments(part.segments, yardstick_sample_bytes, sample_pieces), false};
    Yardsticks& yardsticks = all.emplace_back();
    yardsticks.method = "byte n-grams, interpolated absolute discounting with three discounts an order";
    yardsticks.sample_bytes = total_bytes(counted);
    yardsticks.scored_bytes = scored.bytes();
    yardsticks.bits_per_byte = model.score(val_text, scored.segments, scored.windows);
  }
  return all;
}

json::object to_json(const Yardsticks& yardsticks) {
  json::array bits;
  for (const double value : yardsticks.bits_per_byte) bits.push_back(finite_or_null(value));
  return {{"bits_per_byte", std::move(bits)},
          {"method", yardsticks.method},
          {"sample_bytes", yardsticks.sample_bytes},
          {"scored_bytes", yardsticks.scored_bytes}};
}

Yardsticks yardsticks_from_json(const json::object& object) {
  Yardsticks yardsticks;
  const json::value* bits = object.if_contains("bits_per_byte");
  const json::array* values = bits != nullptr ? bits->if_array() : nullptr;
  if (values == nullptr || values->size() != yardsticks.bits_per_byte.size())
    throw Error(ErrorKind::input, "yardsticks without four 'bits_per_byte'");
  for (size_t order = 0; order < values->size(); ++order) {
    if (!(*values)[order].is_number()) throw Error(ErrorKind::input, "yardsticks whose 'bits_per_byte' are no numbers");
    yardsticks.bits_per_byte[order] = (*values)[order].to_number<double>();
  }
  yardsticks.method = string_or(object, "method", "");
  yardsticks.sample_bytes = static_cast<uint64_t>(integer_or(object, "sample_bytes", 0));
  yardsticks.scored_bytes = static_cast<uint64_t>(integer_or(object, "scored_bytes", 0));
  return yardsticks;
}

}  // namespace bitsweep::data
