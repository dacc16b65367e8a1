// Plans into the queue, and what that changed in words: shared by `submit` and `run`.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "plan/plan.h"
#include "prepare/texts.h"
#include "store/store.h"

namespace bitsweep {

struct Submission {
  std::string sweep;
  SubmitResult result;
};

// All of them or none: the data sets are measured first (what takes long is told), then every sweep is
// submitted in one transaction.
std::vector<Submission> submit_plans(const std::vector<Plan>& plans, Store& store, Texts& texts, Notes& notes);

// "quickstart: 12 runs: 10 new, 2 already there" and, when the sweep changed, its new, changed and gone runs by id.
std::string submission_text(const Submission& submission);
// {"sweep", "new": [], "already": [], "changed": [{"before", "after"}], "gone": [], "done"}
json::object to_json(const Submission& submission);

}  // namespace bitsweep
