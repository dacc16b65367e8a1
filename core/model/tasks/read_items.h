// Questions from a file: JSON lines, or one JSON document (a list, or an object with the list as "data"), in any of the
// forms that question sets come in, known by their keys.
//
//   choice      query | question | prompt | ctx | context | goal, with choices | endings | options (texts, or ARC's
//               {text, label}), or sol1, sol2; and gold | label | answer | answerKey | answer_idx: a number from 0, a
//               label or the choice itself
//   continue    context | prompt | query | ctx | text, with continuation | completion | answer | target
//   generate    question | prompt | query | instruction, besides perhaps context | input | passage; and answers |
//               answer | completion | response | output | target, a text or a list; or SQuAD 1.1 and 2.0
#pragma once

#include <string_view>

#include "tasks/item.h"

namespace bitsweep::tasks {

// `kind`: choice | continue | generate; `name` is for messages. Throws Error{input} with a finding for each kind of
// mistake: where the first is, what was found there, and how many there are.
ItemSet read_items(std::string_view text, std::string_view kind, const std::string& name);

}  // namespace bitsweep::tasks
