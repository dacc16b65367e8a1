// What a parameter of each variant is worth, beside one of the reference: the `precision` law over all variants of a
// group. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fit/fit.h"
#include "report/document.h"

namespace bitsweep {

struct GroupAnalysis;

struct Worth {
  std::string reference;  // the variant whose parameters count 1
  FitResult result;
};

// Nothing with less than two variants. llama is the reference where it is there, else the first variant.
std::optional<Worth> parameter_worth(const GroupAnalysis& g);

std::vector<Block> worth_section(const GroupAnalysis& g, int level);
json::value worth_json(const GroupAnalysis& g);

}  // namespace bitsweep
