#include "tasks/fitting.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/units.h"

namespace bitsweep::tasks {
namespace {

std::string of_all(size_t count, size_t all) {
  return fmt::format("{} of {}", format_thousands(static_cast<int64_t>(count)),
                     format_thousands(static_cast<int64_t>(all)));
}

void tell_long_answers(Task& task, tokenize::Encoder& encoder, size_t context) {
  const size_t room = reply_room(task.spec.max_tokens, context);
  const auto is_long = [&](const std::string& answer) {
    std::vector<TokenId> ids;
    encoder.encode(answer, ids);
    return ids.size() > room;
  };
  const auto count =
      static_cast<size_t>(std::count_if(task.questions.begin(), task.questions.end(), [&](const Question& question) {
        return !question.answers.empty() && std::all_of(question.answers.begin(), question.answers.end(), is_long);
      }));
  if (count == 0) return;
  task.notes.push_back(
      fmt::format("{} questions cannot be answered in full: their right answers are longer than the "
                  "{} tokens of a reply (max_tokens, and at most half of the context).",
                  of_all(count, task.questions.size()), room));
}

}  // namespace

void keep_what_fits(Task& task, const tokenize::Tokenizer& tokenizer, size_t context, std::optional<TokenId> begin) {
  if (task.spec.kind == "generate") return tell_long_answers(task, *tokenizer.make_encoder(), context);
  const std::unique_ptr<tokenize::Encoder> encoder = prompt_encoder(tokenizer, begin);
  const size_t all = task.questions.size();
  const auto is_long = [&](const Question& question) {
    return std::any_of(question.continuations.begin(), question.continuations.end(), [&](const std::string& one) {
      return encode_pair(*encoder, tokenizer, question.prompt, one).continuation > context;
    });
  };
  std::vector<Question> kept;
  for (Question& question : task.questions)
    if (is_long(question))
      task.left_out.push_back(question.id);
    else
      kept.push_back(std::move(question));
  task.questions = std::move(kept);
  const size_t left_out = all - task.questions.size();
  if (left_out == 0) return;
  const std::string why = fmt::format("an answer is longer than the context of {} tokens", context);
  if (task.questions.empty())
    throw Error(ErrorKind::input, fmt::format("task '{}': no question of {} can be scored: {}", task.spec.name,
                                              format_thousands(static_cast<int64_t>(all)), why));
  task.notes.push_back(
      fmt::format("{} questions {} not scored: {}.", of_all(left_out, all), left_out == 1 ? "is" : "are", why));
  task.chance = chance_of(task.questions);
}

}  // namespace bitsweep::tasks
