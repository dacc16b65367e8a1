#include "cli/suggest_shares.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "advise/share.h"
#include "base/units.h"

namespace bitsweep::cli {
namespace {

constexpr size_t kFewestParts = 12;  // into which a budget for several variants is divided

}  // namespace

std::vector<double> budget_shares(const CommandLine& line, const std::vector<SharingLaw>& laws) {
  std::vector<double> shares(laws.size(), 1);
  if (laws.size() < 2 || (!line.get("hours") && !line.get("budget"))) return shares;
  const size_t parts = std::max(kFewestParts, 2 * laws.size());
  const double whole = laws[0].options.limits.cost;
  std::vector<double> budgets;
  for (size_t k = 0; k <= parts; ++k) budgets.push_back(whole * static_cast<double>(k) / static_cast<double>(parts));
  std::vector<std::vector<double>> left;
  for (const SharingLaw& law : laws)
    left.push_back(variance_left(law.law->points, law.candidates, law.options, budgets));
  const std::vector<int> divided = advise::divide_parts(left);
  std::vector<std::string> told;
  for (size_t v = 0; v < laws.size(); ++v) {
    shares[v] = static_cast<double>(divided[v]) / static_cast<double>(parts);
    told.push_back(fmt::format("{} {}", laws[v].law->variant, laws[v].costs->text(whole * shares[v])));
  }
  print_error(fmt::format("note: of the {}, by what they take from the variance of the predictions: {}",
                          line.get("hours") ? "hours" : "budget", fmt::join(told, ", ")));
  return shares;
}

}  // namespace bitsweep::cli
