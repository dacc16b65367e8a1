// What weakens a conclusion, as a list of named rules: each looks for one thing and speaks only where it is there. A
// new rule is one function and one line of the list, with a test where it fires and one where it must not. Pure.
#pragma once

#include <string>
#include <vector>

#include "analysis/analysis.h"
#include "analysis/decision.h"
#include "render/document.h"

namespace bitsweep::report {

struct Rule {
  const char* name;  // "one-seed"
  const char* when;  // it speaks
  void (*says)(const analysis::ReportInput& input, const analysis::GroupAnalysis& g, std::vector<render::Text>& out);
  // Which kinds of findings (analysis::Finding) it takes back where it speaks, and what is told there in a few words.
  unsigned takes_back = 0;
  std::string (*brief)(const analysis::ReportInput& input, const analysis::GroupAnalysis& g) = nullptr;
};
// About the runs of one comparable group.
const std::vector<Rule>& group_rules();

struct Remark {
  std::string rule;
  render::Text text;
};
// What the rules say of a group, in the order of the list.
std::vector<Remark> group_remarks(const analysis::ReportInput& input, const analysis::GroupAnalysis& g);

// Of the rules that speak of a group, those that take findings back.
std::vector<analysis::Doubt> group_doubts(const analysis::ReportInput& input, const analysis::GroupAnalysis& g);

// Why groups are not compared with each other: of comparability_rules() (query/comparable.h), those in which they
// differ, with the values: "the tokenizer (ascii128 and bytes256)".
std::vector<Remark> comparability_remarks(const analysis::Analysis& analysis);

}  // namespace bitsweep::report
