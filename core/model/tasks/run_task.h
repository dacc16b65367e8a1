// A task asked of a model: its questions in, answers and metrics out.
#pragma once

#include "tasks/answer.h"
#include "tasks/language_model.h"
#include "tasks/questions.h"

namespace bitsweep::tasks {

// Choices and continuations by their log-likelihoods; replies by greedy decoding, up to a stop text, the end token or
// spec.max_tokens (at most half of the context). Examples that do not fit are left out from the front, then the left of
// the question; the notes say how many. `run` and `step` are left to the caller.
// REQUIRES what keep_what_fits() left. `begin`: the token that stood before the texts the model was trained on, and
// stands before every prompt.
AnswerFile run_task(const Task& task, const tokenize::Tokenizer& tokenizer, LanguageModel& model,
                    std::optional<TokenId> begin = {});

}  // namespace bitsweep::tasks
