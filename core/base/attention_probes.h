// Words and limits that those who probe attention (train) share with those who show it (query, report, cli).
#pragma once

#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace bitsweep {

// By how much the IPMR, the induction pointer match rate, of a specialist lies above chance, at the least.
inline constexpr double kSpecialistMargin = 0.05;
// The probability that a head looks at the same key in two windows, from which it is position-locked, and below which
// it is content-driven; between them it is neither.
inline constexpr double kLockedAgreement = 0.9, kContentAgreement = 0.5;

// The lower end of the 95 % interval of a rate that was seen in `n` tries (Wilson 1927). n of 0: nothing is known, 0.
inline double lower_bound_of_rate(double rate, double n) {
  constexpr double z = 1.959963984540054;
  if (!(n > 0)) return 0;
  const double spread = z * std::sqrt(rate * (1 - rate) / n + z * z / (4 * n * n));
  return (rate + z * z / (2 * n) - spread) / (1 + z * z / n);
}

// Whether a head's IPMR, over `queries`, exceeds chance by the margin with 95 % confidence. A fixed threshold makes a
// specialist of every head of a text whose few symbols recur often.
inline bool is_specialist(double ipmr, double chance, double queries) {
  return lower_bound_of_rate(ipmr, queries) > chance + kSpecialistMargin;
}

// "L2H11": head 11 of layer 2, both from 0.
inline std::string head_name(size_t layer, size_t head) {
  return "L" + std::to_string(layer) + "H" + std::to_string(head);
}

struct HeadPlace {
  size_t layer = 0, head = 0;
};

// The inverse; nothing for another text.
inline std::optional<HeadPlace> parse_head_name(std::string_view name) {
  HeadPlace place;
  const char *at = name.data(), *const end = at + name.size();
  const auto number_after = [&](char letter, size_t& to) {
    if (at == end || *at != letter) return false;
    const auto [next, error] = std::from_chars(at + 1, end, to);
    at = next;
    return error == std::errc();
  };
  if (!number_after('L', place.layer) || !number_after('H', place.head) || at != end) return std::nullopt;
  return place;
}

}  // namespace bitsweep
