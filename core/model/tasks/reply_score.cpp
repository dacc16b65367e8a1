#include "tasks/reply_score.h"

#include <algorithm>
#include <map>

namespace bitsweep::tasks {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_punctuation(char c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (size_t begin = 0; begin < text.size();) {
    while (begin < text.size() && is_space(text[begin])) ++begin;
    size_t end = begin;
    while (end < text.size() && !is_space(text[end])) ++end;
    if (end > begin) words.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return words;
}

std::string bare_lower(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  std::string bare(text);
  std::transform(bare.begin(), bare.end(), bare.begin(), lower);
  return bare;
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
  std::string bare;
  for (const char c : text)
    if (!is_punctuation(c)) bare += lower(c);
  std::string joined;
  for (const std::string_view word : words_of(bare)) {
    if (word == "a" || word == "an" || word == "the") continue;
    if (!joined.empty()) joined += ' ';
    joined += word;
  }
  return joined;
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
