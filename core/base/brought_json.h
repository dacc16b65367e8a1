// JSON as people bring it, rather than as programs here write it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace bitsweep {

// As parse_json(), but that bytes in texts and keys that are no UTF-8 are taken as they stand, as a corpus's are.
json::value parse_brought_json(std::string_view text, std::string_view name_for_message);
// Nothing for what parse_brought_json() refuses.
std::optional<json::value> try_parse_brought_json(std::string_view text);

// "FILE: 2 lines with bytes that are no UTF-8 (the first: line 3, byte 17); they are taken as they stand."; "" of
// UTF-8. Bytes are counted from 1.
std::string note_on_bytes(std::string_view text, const std::string& file);

}  // namespace bitsweep
