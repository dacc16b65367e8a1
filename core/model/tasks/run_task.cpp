#include "tasks/run_task.h"

#include <algorithm>
#include <iterator>
#include <numeric>

#include <fmt/format.h>

#include "base/sha256.h"
#include "base/units.h"
#include "tasks/reply_score.h"
#include "tasks/summary.h"

namespace bitsweep::tasks {
namespace {

class Asking {
 public:
  Asking(const Task& task, const tokenize::Tokenizer& tokenizer, LanguageModel& model, std::optional<TokenId> begin)
      : task_(task), tokenizer_(tokenizer), model_(model), encoder_(prompt_encoder(tokenizer, begin)) {}

  AnswerFile run() {
    AnswerFile file{.run = "",
                    .step = 0,
                    .task = task_.spec,
                    .metrics = {},
                    .notes = task_.notes,
                    .first_prompt = {},
                    .left_out = task_.left_out,
                    .answers = {}};
    file.answers = task_.spec.kind == "generate" ? replies() : scored();
    file.first_prompt = std::move(first_prompt_);
    file.metrics = summarise(task_.spec, file.answers);
    tell(file.notes);
    return file;
  }

 private:
  size_t context() const { return static_cast<size_t>(model_.context()); }

  // Of each question once, in their order.
  std::string prompt_hash(const Question& question, size_t shots) {
    examples_ += static_cast<int64_t>(question.shots.size());
    dropped_ += static_cast<int64_t>(question.shots.size() - shots);
    const std::string text = question.text(shots);
    if (&question == task_.questions.data()) first_prompt_ = text;
    return sha256_hex(text).substr(0, 16);
  }

  std::vector<Answer> scored() {
    std::vector<ScoredRow> rows;
    std::vector<uint64_t> bytes;
    std::vector<std::string> hashes;
    for (const Question& question : task_.questions) {
      const size_t shots = shots_that_fit(*encoder_, tokenizer_, question, context());
      hashes.push_back(prompt_hash(question, shots));
      const std::string text = question.text(shots);
      bool cut = false;
      for (const std::string& continuation : question.continuations) {
        Pair pair = encode_pair(*encoder_, tokenizer_, text, continuation);
        cut = cut_left(pair, context()) || cut;
        bytes.push_back(pair.bytes);
        rows.push_back({std::move(pair.tokens), pair.continuation});
      }
      cut_ += cut;
    }
    const std::vector<RowScore> scores = model_.score(rows);
    std::vector<Answer> answers;
    size_t row = 0;
    for (size_t i = 0; i < task_.questions.size(); ++i) {
      const Question& question = task_.questions[i];
      std::vector<Likelihood> likelihoods;
      for (size_t c = 0; c < question.continuations.size(); ++c, ++row)
        likelihoods.push_back({scores[row].nats, scores[row].likeliest, bytes[row]});
      answers.push_back(question.choices.empty() ? continuation_answer(question, likelihoods.at(0))
                                                 : choice_answer(question, likelihoods));
      answers.back().prompt_sha256 = hashes[i];
    }
    return answers;
  }

  struct Reply {
    size_t question = 0;
    std::vector<TokenId> tokens;  // the prompt, and what was said
    size_t prompt = 0;            // tokens of it
    std::string text;
    bool done = false;
  };

  std::vector<Answer> replies() {
    room_ = reply_room(task_.spec.max_tokens, context());
    std::vector<Answer> answers(task_.questions.size());
    std::vector<Reply> replies;
    std::vector<std::string> hashes;
    for (size_t i = 0; i < task_.questions.size(); ++i) {
      const Question& question = task_.questions[i];
      Prompt prompt = encode_prompt(*encoder_, tokenizer_, question, context() - std::min(room_, context() - 1));
      hashes.push_back(prompt_hash(question, prompt.shots));
      cut_ += prompt.cut;
      const size_t length = prompt.tokens.size();
      replies.push_back({i, std::move(prompt.tokens), length, "", false});
    }
    // Rows of one length at a time: the shorter ones are padded.
    std::stable_sort(replies.begin(), replies.end(),
                     [](const Reply& a, const Reply& b) { return a.prompt < b.prompt; });
    const size_t at_once = std::max<size_t>(1, model_.rows_at_once());
    for (size_t first = 0; first < replies.size(); first += at_once)
      decode(std::span(replies).subspan(first, std::min(at_once, replies.size() - first)));
    for (const Reply& reply : replies) {
      answers[reply.question] = reply_answer(task_.questions[reply.question], reply.text);
      answers[reply.question].prompt_sha256 = hashes[reply.question];
    }
    return answers;
  }

  // Greedily, until each is done.
  void decode(std::span<Reply> replies) {
    for (size_t said = 0; said < room_; ++said) {
      std::vector<std::vector<TokenId>> rows;
      std::vector<Reply*> open;
      for (Reply& reply : replies)
        if (!reply.done) rows.push_back(reply.tokens), open.push_back(&reply);
      if (open.empty()) return;
      const std::vector<TokenId> next = model_.likeliest(rows);
      for (size_t i = 0; i < open.size(); ++i) say(*open[i], next[i]);
    }
    unstopped_ += std::count_if(replies.begin(), replies.end(), [](const Reply& reply) { return !reply.done; });
  }

  void say(Reply& reply, TokenId next) {
    if (next == tokenizer_.facts().eos) {
      reply.done = true;
      return;
    }
    reply.tokens.push_back(next);
    const std::string text = tokenizer_.decode(std::span(reply.tokens).subspan(reply.prompt));
    const StoppedReply stopped = stop_reply(text, task_.stops);
    reply.text = stopped.text;
    reply.done = stopped.stopped;
  }

  void tell(std::vector<std::string>& notes) const {
    const auto counted = [](int64_t count, const char* one, const char* many) {
      return fmt::format("{} {}", format_thousands(count), count == 1 ? one : many);
    };
    if (dropped_ > 0)
      notes.push_back(fmt::format("{} of {} did not fit into {} tokens of context and were left out.",
                                  counted(dropped_, "example", "examples"), format_thousands(examples_), context()));
    if (cut_ > 0)
      notes.push_back(fmt::format("{} longer than the context and lost the left of what is asked.",
                                  counted(cut_, "question is", "questions are")));
    if (unstopped_ > 0)
      notes.push_back(fmt::format("{} cut at {} tokens, before any stop.",
                                  counted(unstopped_, "reply was", "replies were"), room_));
  }

  const Task& task_;
  const tokenize::Tokenizer& tokenizer_;
  LanguageModel& model_;
  std::unique_ptr<tokenize::Encoder> encoder_;
  size_t room_ = 0;  // tokens of a reply
  std::string first_prompt_;
  int64_t examples_ = 0, dropped_ = 0, cut_ = 0, unstopped_ = 0;
};

}  // namespace

AnswerFile run_task(const Task& task, const tokenize::Tokenizer& tokenizer, LanguageModel& model,
                    std::optional<TokenId> begin) {
  return Asking(task, tokenizer, model, begin).run();
}

}  // namespace bitsweep::tasks
