#include "tasks/reply_score.h"

#include <algorithm>
#include <cstdint>
#include <map>

#include <utf8proc.h>

namespace bitsweep::tasks {
namespace {

bool is_punctuation(int32_t c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

// What Python's str.split() takes for white space.
bool is_space(int32_t c) {
  return (c >= 9 && c <= 13) || (c >= 28 && c <= 32) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

// What \w is in its regular expressions.
bool is_of_words(int32_t c) {
  const utf8proc_category_t category = utf8proc_category(c);
  return c == '_' || (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
         (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

// The characters, in lower case; U+FFFD for bytes that are none.
std::u32string lower_characters(std::string_view text) {
  std::u32string characters;
  for (size_t at = 0; at < text.size();) {
    utf8proc_int32_t c = 0;
    const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at,
                                         static_cast<utf8proc_ssize_t>(text.size() - at), &c);
    characters += static_cast<char32_t>(length > 0 ? utf8proc_tolower(c) : 0xFFFD);
    at += length > 0 ? static_cast<size_t>(length) : 1;
  }
  return characters;
}

std::string utf8_of(std::u32string_view characters) {
  std::string text;
  for (const char32_t c : characters) {
    utf8proc_uint8_t bytes[4];
    const auto length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), bytes);
    text.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(length));
  }
  return text;
}

std::u32string_view without_space_around(std::u32string_view text) {
  while (!text.empty() && is_space(static_cast<int32_t>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && is_space(static_cast<int32_t>(text.back()))) text.remove_suffix(1);
  return text;
}

// a, an and the, standing for themselves, as blanks.
void blank_articles(std::u32string& text) {
  for (size_t begin = 0; begin < text.size();) {
    size_t end = begin;
    while (end < text.size() && is_of_words(static_cast<int32_t>(text[end]))) ++end;
    const std::u32string_view word = std::u32string_view(text).substr(begin, end - begin);
    if (word == U"a" || word == U"an" || word == U"the") std::fill(text.begin() + begin, text.begin() + end, U' ');
    begin = end + 1;
  }
}

std::string bare_lower(std::string_view text) { return utf8_of(without_space_around(lower_characters(text))); }

std::vector<std::string_view> words_of(std::string_view normalised) {
  std::vector<std::string_view> words;
  for (size_t begin = 0; begin < normalised.size();) {
    const size_t end = std::min(normalised.find(' ', begin), normalised.size());
    words.push_back(normalised.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

// Of two normalised texts. Where one is empty: whether both are.
double word_f1(std::string_view reply, std::string_view answer) {
  const auto said = words_of(reply), right = words_of(answer);
  if (said.empty() || right.empty()) return said.empty() == right.empty() ? 1 : 0;
  std::map<std::string_view, int> left;
  for (const std::string_view word : right) ++left[word];
  int same = 0;
  for (const std::string_view word : said)
    if (const auto found = left.find(word); found != left.end() && found->second-- > 0) ++same;
  if (same == 0) return 0;
  const double precision = same / static_cast<double>(said.size()), recall = same / static_cast<double>(right.size());
  return 2 * precision * recall / (precision + recall);
}

}  // namespace

std::string normalised_answer(std::string_view text) {
  std::u32string bare = lower_characters(text);
  std::erase_if(bare, [](char32_t c) { return is_punctuation(static_cast<int32_t>(c)); });
  blank_articles(bare);
  std::u32string joined;
  bool space = false;
  for (const char32_t c : bare) {
    const bool here = is_space(static_cast<int32_t>(c));
    if (space && !here && !joined.empty()) joined += U' ';
    if (!here) joined += c;
    space = here;
  }
  return utf8_of(joined);
}

ReplyScore score_reply(std::string_view reply, const std::vector<std::string>& answers) {
  const std::string said = normalised_answer(reply), exact = bare_lower(reply);
  if (answers.empty()) {
    const double none = said.empty() ? 1 : 0;
    return {none, none, none, exact.empty() ? 1.0 : 0.0};
  }
  ReplyScore best;
  for (const std::string& answer : answers) {
    const std::string right = normalised_answer(answer);
    best.em = std::max(best.em, said == right ? 1.0 : 0.0);
    best.f1 = std::max(best.f1, word_f1(said, right));
    best.contains = std::max(best.contains, !right.empty() && said.find(right) != std::string::npos ? 1.0 : 0.0);
    best.exact_ci = std::max(best.exact_ci, exact == bare_lower(answer) ? 1.0 : 0.0);
  }
  return best;
}

StoppedReply stop_reply(std::string_view text, const std::vector<std::string>& stops) {
  size_t end = std::string_view::npos;
  for (const std::string& stop : stops) end = std::min(end, text.find(stop));
  return {text.substr(0, end), end != std::string_view::npos};
}

}  // namespace bitsweep::tasks
