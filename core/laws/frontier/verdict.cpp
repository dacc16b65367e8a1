#include "frontier/verdict.h"

#include <algorithm>

namespace bitsweep::frontier {
namespace {

// Points that one iso-FLOP slice may mix.
bool one_kind(const std::vector<fit::Point>& points) {
  return !points.empty() && std::all_of(points.begin(), points.end(), [&](const fit::Point& p) {
    return p.variant == points[0].variant && p.dataset == points[0].dataset && p.params > 0 && p.tokens > 0 &&
           p.lr_area == 0 && !p.within_run;
  });
}

}  // namespace

std::vector<std::string> Verdict::inadequacy() const {
  std::vector<std::string> words = adequacy.words;
  words.insert(words.end(), approaches.disagreements.begin(), approaches.disagreements.end());
  return words;
}

Verdict judge(const std::vector<fit::Point>& points, const fit::FitOptions& options, const fit::FitResult& fit,
              const std::vector<double>& budgets) {
  Verdict verdict;
  verdict.adequacy = judge_law(points, options, fit);
  verdict.undetermined = undetermined(fit);
  verdict.joint = one_kind(points);
  if (!verdict.joint) return verdict;
  verdict.approaches = approaches(points, fit);
  verdict.optima = optima(points, fit, verdict.approaches, budgets, options.extrapolation_limit);
  return verdict;
}

json::object verdict_json(const Verdict& verdict) {
  json::object object = adequacy_json(verdict.adequacy);
  object["adequate"] = verdict.adequate();
  object["inadequacy"] = strings_json(verdict.inadequacy());
  object["undetermined"] = strings_json(verdict.undetermined);
  object["approaches"] = approaches_json(verdict.approaches);
  object["optima"] = optima_json(verdict.optima);
  object["optima_refused"] = strings_json(refusals(verdict.optima));
  return object;
}

}  // namespace bitsweep::frontier
