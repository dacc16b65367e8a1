// Answers as numbers: what each question scored, and what the task says of the model.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tasks/answer.h"
#include "tasks/questions.h"

namespace bitsweep::tasks {

// What a model makes of a continuation.
struct Likelihood {
  double nats = 0;         // log-likelihood: the sum over its tokens, at most 0
  bool likeliest = false;  // each of its tokens was the likeliest one
  uint64_t bytes = 0;      // of text that it stands for
};

// Of a choice: which is the likeliest, as a whole (acc), per character of the choice (acc_norm; lm-evaluation-harness
// divides by characters) and per byte of it (acc_bytes); the first of equals. `likelihoods`: of each choice.
Answer choice_answer(const Question& question, const std::vector<Likelihood>& likelihoods);
// Of a continuation: whether greedy decoding would have said exactly this.
Answer continuation_answer(const Question& question, const Likelihood& likelihood);
// Of a reply, already stopped.
Answer reply_answer(const Question& question, std::string_view reply);

// The metrics of base/task_metrics.h: means of the answers' scores, the first one's standard error √(s² / n) (of ones
// and zeros √(p (1 − p) / (n − 1))), their number; and bpb, all bits over all bytes of the right continuations.
std::map<std::string, double> summarise(const spec::TaskSpec& task, const std::vector<Answer>& answers);

}  // namespace bitsweep::tasks
