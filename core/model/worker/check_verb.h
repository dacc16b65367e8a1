// `bitsweep-worker check`: puts one plugin through the conformance suite.
//
// stdout, one line a check, as soon as it is known:
//   {"check": NAME, "passed": true|false, "decided": "the figures that decided"}
// before it, so that a plugin that ends the process can be told from what it ended in:
//   {"check": NAME}
// and with --list, instead: {"check": NAME, "promise": "what holds when it passes"}
#pragma once

#include <iosfwd>

#include "worker/arguments.h"

namespace bitsweep::worker {

// 0 when all passed, else 1. Throws Error when the plugin cannot be loaded or a check is not known.
int check_verb(const CheckArguments& arguments, std::ostream& out);

}  // namespace bitsweep::worker
