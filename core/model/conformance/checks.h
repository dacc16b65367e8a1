// The checks, one function each; what each holds is told in the table of conformance.cpp.
#pragma once

#include "conformance/conformance.h"

namespace bitsweep::conformance {

// describe_checks.cpp: what a plugin says.
Outcome check_describe(const Workbench& bench);
Outcome check_counts(const Workbench& bench);
Outcome check_options(const Workbench& bench);

// forward_checks.cpp: what a model computes.
Outcome check_logits(const Workbench& bench);
Outcome check_halves(const Workbench& bench);
Outcome check_causality(const Workbench& bench);
Outcome check_decode(const Workbench& bench);
Outcome check_evaluation(const Workbench& bench);
Outcome check_batch(const Workbench& bench);

// gradient_checks.cpp: what its backward pass gives.
Outcome check_noise(const Workbench& bench);
Outcome check_registered(const Workbench& bench);
Outcome check_gradients(const Workbench& bench);
Outcome check_slopes(const Workbench& bench);

// training_checks.cpp: how it trains.
Outcome check_moves(const Workbench& bench);
Outcome check_seeds(const Workbench& bench);
Outcome check_resume(const Workbench& bench);
Outcome check_memory(const Workbench& bench);
Outcome check_learns(const Workbench& bench);

}  // namespace bitsweep::conformance
