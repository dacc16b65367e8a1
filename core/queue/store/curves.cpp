#include "store/curves.h"

#include <fmt/format.h>

namespace bitsweep::store {
std::vector<StoredCurve> sweep_curves(Store& store, std::string_view sweep, std::string_view metric) {
  const bool is_column = metric == "val_bpc" || metric == "train_bpc";
  const std::string values =
      is_column ? fmt::format("SELECT run, step, {0} AS value FROM eval WHERE finite AND {0} IS NOT NULL", metric)
                : "SELECT run, step, value FROM metric WHERE finite AND name = ?2";
  Statement row = store.database().prepare(fmt::format(
      "SELECT run.id, run.state, run.steps, run.axes, told.step, told.value FROM run JOIN sweep ON sweep.id = "
      "run.sweep JOIN ({}) AS told ON told.run = run.id WHERE sweep.name = ?1 ORDER BY run.position, told.step",
      values));
  if (is_column)
    row.bind(sweep);
  else
    row.bind(sweep, metric);
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
