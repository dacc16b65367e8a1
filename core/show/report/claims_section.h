// Claims, checked (analysis/claims.h), as a section and as JSON. Pure.
#pragma once

#include <string>
#include <vector>

#include "analysis/analysis.h"
#include "base/json.h"
#include "render/document.h"

namespace bitsweep::report {

// What the runs say, in words.
std::string claim_text(const analysis::ClaimFinding& found);

std::vector<render::Block> claims_section(const analysis::Analysis& analysis);
json::array claims_json(const analysis::Analysis& analysis);

}  // namespace bitsweep::report
