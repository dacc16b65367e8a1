// JSON lines: one JSON object a line in, the text under one key out.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"

namespace bitsweep {

using TextSink = std::function<void(std::span<const uint8_t>)>;

// Passes each line's object[field], a string, to `sink`, each followed by '\n' where it does not end in one. Blank
// lines and a byte-order mark are passed over. What is wrong is added to `wrong` as FILE:LINE, and the line gives no
// text; the scan ends once `wrong` holds `max_wrong` findings.
void read_json_lines(std::span<const uint8_t> lines, const std::string& file, const std::string& field,
                     const TextSink& sink, std::vector<Diagnostic>& wrong, size_t max_wrong = 20);

}  // namespace bitsweep
