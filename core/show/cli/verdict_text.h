// What `fit` prints of a verdict: adequacy, a_opt by three approaches, best divisions. Lines, each indented.
#pragma once

#include <string>

#include "fit/fit.h"
#include "frontier/verdict.h"

namespace bitsweep::cli {

// "" where there is neither a law nor a slice of equal compute.
std::string verdict_text(const fit::FitResult& fit, const frontier::Verdict& verdict);

}  // namespace bitsweep::cli
