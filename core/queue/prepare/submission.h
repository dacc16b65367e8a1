// Plans into the queue, and what that changed in words: shared by `submit` and `run`.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "plan/plan.h"
#include "prepare/texts.h"
#include "store/store.h"

namespace bitsweep::prepare {

struct Submission {
  std::string sweep;
  store::SubmitResult result;
  struct Outdated {
    std::string run, change;  // "plugin 1a2b3c4d, now 5e6f7a8b"
  };
  std::vector<Outdated> outdated;  // finished runs that were made by other code than is at hand
  bool again = false;              // these were queued again
};

// All of them or none: the data sets are measured first (what takes long is told), then every sweep is
// submitted in one transaction. `again`: finished runs that were made by other code than is at hand are queued to be
// made anew (Store::make_anew).
std::vector<Submission> submit_plans(const std::vector<plan::Plan>& plans, store::Store& store, Texts& texts,
                                     Notes& notes, bool again = false);

// "quickstart: 12 runs: 10 new, 2 already there" and, when the sweep changed, its new, changed and gone runs by id;
// then what known runs took over of what names no run, and the runs of other code.
std::string submission_text(const Submission& submission);
// {"sweep", "new": [], "already": [], "changed": [{"before", "after"}], "gone": [], "done"}, and, where there are any,
// "renewed": [{"run", "state", "taken" or "not_taken": [], "tasks_to_ask": [], "texts_not_scored": []}],
// "other_build": [{"run", "change"}] or, when they were queued again, "again": the same.
json::object to_json(const Submission& submission);

}  // namespace bitsweep::prepare
