// The nearest known word to a mistyped one, for "did you mean".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bitsweep {

// Restricted Damerau-Levenshtein distance (a swap of neighbours counts one).
int edit_distance(std::string_view a, std::string_view b);

// The known word closest to `word`, within a third of its length (at least 2 edits); else the shortest one that begins
// with it; else "".
std::string nearest_word(std::string_view word, const std::vector<std::string>& known);

// "; did you mean 'X'?" or "".
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

}  // namespace bitsweep
