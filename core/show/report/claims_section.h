// Claims, checked (analysis/claims.h), as a section and as JSON. Pure.
#pragma once

#include <string>
#include <vector>

#include "analysis/analysis.h"
#include "base/json.h"
#include "render/document.h"

namespace bitsweep {

// What the runs say, in words.
std::string claim_text(const ClaimFinding& found);

std::vector<Block> claims_section(const Analysis& analysis);
json::array claims_json(const Analysis& analysis);

}  // namespace bitsweep
