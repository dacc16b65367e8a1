#include "store/curves.h"

#include <fmt/format.h>

namespace bitsweep::store {

std::vector<StoredCurve> sweep_curves(Store& store, std::string_view sweep, std::string_view metric) {
  const char* column = metric == "train_bpc" ? "train_bpc" : "val_bpc";
  Statement row = store.database().prepare(fmt::format(
      "SELECT run.id, run.state, run.steps, run.axes, eval.step, eval.{0} FROM run JOIN sweep ON sweep.id = run.sweep "
      "JOIN eval ON eval.run = run.id WHERE sweep.name = ? AND eval.finite AND eval.{0} IS NOT NULL "
      "ORDER BY run.position, eval.step",
      column));
  row.bind(sweep);
  std::vector<StoredCurve> curves;
  while (row.step()) {
    if (curves.empty() || curves.back().run != row.text_view(0)) {
      StoredCurve& curve = curves.emplace_back();
      curve.run = row.text(0);
      curve.state = run_state_from(row.text_view(1)).value_or(RunState::failed);
      curve.steps = row.integer(2);
      if (auto axes = try_parse_json(row.text_view(3)); axes && axes->is_object()) curve.axes = axes->get_object();
    }
    curves.back().losses.emplace_back(row.integer(4), row.real(5));
  }
  return curves;
}

}  // namespace bitsweep::store
