#include "render/escape.h"

#include <algorithm>
#include <cctype>
#include <cstdint>

#include "base/utf8.h"

namespace bitsweep::render {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

bool acts_in_markdown(std::string_view text, size_t i) {
  const char c = text[i];
  if (c == '_') return !(i > 0 && is_word(text[i - 1]) && i + 1 < text.size() && is_word(text[i + 1]));
  if (c == '#' || c == '+' || c == '-' || c == '=')  // a heading, a list, an underline
    return i == 0 && (text.size() == 1 || text[1] == ' ' || text[1] == c);
  if (c == '.' || c == ')')  // "1. x" would begin a list
    return i > 0 &&
           std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(i),
                       [](char d) { return std::isdigit(static_cast<unsigned char>(d)) != 0; }) &&
           i + 1 < text.size() && text[i + 1] == ' ';
  return std::string_view("\\`*[]|~$!").find(c) != std::string_view::npos;
}

}  // namespace

std::string clean_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const size_t length = utf8_length(text, i);
    if (length == 0) {
      out += kReplacement;
      ++i;
      continue;
    }
    const auto first = static_cast<uint8_t>(text[i]);
    const bool c1 = first == 0xC2 && static_cast<uint8_t>(text[i + 1]) < 0xA0;
    if (first == '\n' || first == '\t') {
      out += ' ';
    } else if (first < 0x20 || first == 0x7F || c1) {
      // dropped: neither XML nor a terminal should see it
    } else {
      out.append(text, i, length);
    }
    i += length;
  }
  return out;
}

std::string escape_html(std::string_view raw) {
  std::string out;
  for (const char c : clean_text(raw)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string escape_markdown(std::string_view raw) {
  const std::string text = clean_text(raw);
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '<')
      out += "&lt;";
    else if (text[i] == '>')
      out += "&gt;";
    else if (text[i] == '&')
      out += "&amp;";
    else if (acts_in_markdown(text, i))
      (out += '\\') += text[i];
    else
      out += text[i];
  }
  return out;
}

std::string markdown_code(std::string_view raw) {
  std::string text = clean_text(raw);
  if (text.empty()) return "";
  size_t longest = 0, here = 0;
  std::string body;
  for (const char c : text) {
    here = c == '`' ? here + 1 : 0;
    longest = std::max(longest, here);
    if (c == '|') body += '\\';  // GitHub splits table cells before it sees code spans
    body += c;
  }
  const std::string fence(longest + 1, '`');
  const char* pad = text.front() == '`' || text.back() == '`' ? " " : "";
  return fence + pad + body + pad + fence;
}

}  // namespace bitsweep::render
