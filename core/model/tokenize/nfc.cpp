#include "tokenize/nfc.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

#include <utf8proc.h>

#include "base/utf8.h"

namespace bitsweep::tokenize {
namespace {

bool is_ascii(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<signed char>(c) < 0; });
}

void append_composed(std::string_view text, std::string& out) {
  utf8proc_uint8_t* made = nullptr;
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE);
  const utf8proc_ssize_t bytes = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                              static_cast<utf8proc_ssize_t>(text.size()), &made, options);
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(made, &std::free);
  if (bytes < 0) throw std::bad_alloc();  // nothing else goes wrong with well-formed text
  out.append(reinterpret_cast<const char*>(made), static_cast<size_t>(bytes));
}

}  // namespace

std::string_view composed(std::string_view text, std::string& buffer) {
  if (is_ascii(text)) return text;
  buffer.clear();
  while (!text.empty()) {
    const size_t sound = utf8_prefix({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
    if (sound > 0) append_composed(text.substr(0, sound), buffer);
    if (sound < text.size()) buffer += text[sound];
    text.remove_prefix(std::min(sound + 1, text.size()));
  }
  return buffer;
}

}  // namespace bitsweep::tokenize
