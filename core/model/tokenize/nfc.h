// Unicode's canonical composition (form C of its annex 15): one spelling for texts that read the same.
#pragma once

#include <string>
#include <string_view>

namespace bitsweep::tokenize {

// `text` where it is composed already, else `buffer` filled with its composition. Bytes that are no UTF-8 stay and
// compose with nothing.
std::string_view composed(std::string_view text, std::string& buffer);

}  // namespace bitsweep::tokenize
