// Which settings are no part of a run's id (identity() of spec/run_spec.h), and so may change from one submission of it
// to the next.
#pragma once

#include <string_view>

namespace bitsweep::spec {

// Of a setting by its dotted path in to_json(RunSpec): "eval.tasks".
bool names_no_run(std::string_view path);

}  // namespace bitsweep::spec
