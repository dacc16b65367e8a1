// Two models question by question: which of them are right, and whether their difference can be chance.
#pragma once

#include <string>
#include <vector>

#include "tasks/answer.h"

namespace bitsweep::tasks {

// Of two correlated proportions (McNemar 1947), exact: the two-sided binomial probability of so uneven a split of the
// questions that one of the two alone has right, if each were a fair coin's. 1 where there are none.
double mcnemar_p(int64_t one_alone, int64_t other_alone);

struct PairedAnswer {
  const Answer* base = nullptr;
  const Answer* tuned = nullptr;
};

struct Comparison {
  int64_t both = 0, base_alone = 0, tuned_alone = 0, neither = 0;
  double p = 1;                             // mcnemar_p
  std::vector<PairedAnswer> fixed, broken;  // right in `tuned` alone, in `base` alone; in the file's order
  int64_t put_differently = 0;              // their prompts differ: other examples fitted, or another template
  int64_t one_sided = 0;                    // scored in one of the two, left out in the other, and not counted
  int64_t count() const { return both + base_alone + tuned_alone + neither; }
};

// Over the questions that both were scored on. The files must outlive what comes out. Throws Error{input} when the two
// were asked different questions, naming some, and when none is left.
Comparison compare_answers(const AnswerFile& base, const AnswerFile& tuned);

}  // namespace bitsweep::tasks
