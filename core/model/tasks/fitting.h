// What of a task a model can be asked: a question counts only where each of its answers can be read whole.
#pragma once

#include "tasks/encode.h"

namespace bitsweep::tasks {

// Takes out the questions of which an answer (any choice; the continuation) does not fit into `context` tokens with one
// token in front, and tells how many in a note: cut, it would be scored by a part of its tokens and all of its bytes. A
// question whose prompt alone is too long stays, and loses its left, as in lm-evaluation-harness. Of a task of replies
// nothing is taken out; questions whose right answers are all longer than a reply may be are told. `begin`: as of
// run_task(). Throws Error{input} naming the task when no question is left.
void keep_what_fits(Task& task, const tokenize::Tokenizer& tokenizer, size_t context, std::optional<TokenId> begin);

}  // namespace bitsweep::tasks
