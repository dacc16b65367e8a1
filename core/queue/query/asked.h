// What a run was asked when it told a metric of a task, or of a text beside its own: two values of one name are
// comparable only where this is the same. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/rows.h"

namespace bitsweep::query {

// {"kind", "choice"}, {"limit", "60"} …: of a task what eval.tasks says of it but its name and when it is asked, of a
// text what eval.also says; only what is told. "n": how many questions were asked, where the row has the metric NAME.n;
// "questions": what they were, where the run said it at its start (RunRow::questions). Nothing for other metrics.
// REQUIRES a spec.
using Asked = std::vector<std::pair<std::string, std::string>>;
Asked asked_for(const RunRow& run, std::string_view metric);

// As far as they can be compared: where all say what the questions were, it does not matter in which file they stood;
// where some do not (older runs), the file is all there is to go by.
void make_comparable(std::vector<Asked>& all);

// "n=56, limit=60, file=/t/arc.jsonl".
std::string asked_text(const Asked& asked);
// Of these keys alone, a file by its last component.
std::string asked_text(const Asked& asked, const std::vector<std::string>& keys);

// The keys in which they differ, in order of appearance; a limit says nothing beside how many were asked.
std::vector<std::string> asked_differences(const std::vector<Asked>& all);

}  // namespace bitsweep::query
