// How a reply is held against the answers that are right.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bitsweep::tasks {

// As SQuAD's evaluation does it (Rajpurkar et al. 2016): lower case (a character at a time), without ASCII punctuation,
// without the words a, an and the, single spaces; spaces and words are those of Python's Unicode.
std::string normalised_answer(std::string_view text);

struct ReplyScore {
  double em = 0;        // normalised, it is one of the answers
  double f1 = 0;        // of its words and those of an answer: the best of the answers
  double contains = 0;  // normalised, it holds one of the answers as a run of characters
  double exact_ci = 0;  // without white space around it, it is an answer but for case
};
// No answers: right is an empty reply.
ReplyScore score_reply(std::string_view reply, const std::vector<std::string>& answers);

// The reply up to the first of the stop texts, and whether there was one.
struct StoppedReply {
  std::string_view text;
  bool stopped = false;
};
StoppedReply stop_reply(std::string_view text, const std::vector<std::string>& stops);

}  // namespace bitsweep::tasks
