// Layers × heads as a text: which heads do something, seen at a glance on a terminal.
#pragma once

#include <string>

#include "query/pointer_health.h"

namespace bitsweep::report {

// A row a layer, two characters a head, shaded by how much: nothing below 5 %, then four shades; a
// legend beneath. `unicode`: blocks; else ". - + * #". "" for an empty matrix.
std::string text_head_map(const query::HeadMatrix& matrix, bool unicode);

// Specialists as words: "L1H3 63 % (31× chance), L0H2 6 % (3× chance)"; "none".
std::string specialists_text(const query::PointerHealth& health, const std::string& map, size_t most = 8);

// What a probe found, as `bitsweep show` and `bitsweep probe` print it: a map of IPMR on text and one on repeated
// random tokens, specialists, static and content-driven heads, in-context scores. `numbers`: the matrices in percent
// instead of maps.
std::string pointer_health_text(const query::PointerHealth& health, bool numbers, bool unicode);

}  // namespace bitsweep::report
