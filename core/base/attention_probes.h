// Words and limits that those who probe attention (train) share with those who show it (query, report, cli).
#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace bitsweep {

// IPMR, the induction pointer match rate, from which a head is a specialist.
inline constexpr double kSpecialistIpmr = 0.05;
// The probability that a head looks at the same key in two windows, from which it is position-locked, and below which
// it is content-driven; between them it is neither.
inline constexpr double kLockedAgreement = 0.9, kContentAgreement = 0.5;

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
