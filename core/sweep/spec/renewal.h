// What a run that is known takes over when it is submitted again: all that names no run, and so may be another now.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace bitsweep::spec {

struct Renewal {
  json::object spec;               // as it is to be from now on
  std::vector<std::string> taken;  // "eval.also.base.corpus: /a.txt -> /b.txt"
  // Of a run that is done and asks nothing more: names of tasks that are new and of those that are other ones now; and
  // of texts of eval.also that are either.
  std::vector<std::string> tasks, changed_tasks, texts;
};

// Of two specs with one id (to_json(RunSpec)). A run that is done takes over paths alone.
Renewal renewed_spec(const json::object& known, const json::object& submitted, bool done);

}  // namespace bitsweep::spec
