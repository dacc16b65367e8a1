#include "fit/table_form.h"

#include <algorithm>

#include <fmt/format.h>

namespace bitsweep::fit {
namespace {

const std::vector<std::string> kSteps = {"step",          "steps_done", "global_step", "_step", "iteration",
                                         "iteration_num", "iter",       "iter_num",    "it",    "epoch"};
const std::vector<std::string> kKeys = {"key", "metric", "metric_name", "tag", "variable", "measure"};
const std::vector<std::string> kValues = {"value", "metric_value", "val", "values"};
const std::vector<std::string> kLabels = {"row",        "ablation", "variant",  "name",   "config",  "configuration",
                                          "experiment", "label",    "arm",      "method", "setting", "condition",
                                          "system",     "recipe",   "run_name", "model",  "run",     "id"};

// Columns "RUN - metric", as exports have them that give a run a column.
size_t wide_columns(const TableHeader& header) {
  const auto& names = header.names();
  return static_cast<size_t>(std::count_if(names.begin(), names.end(), [](const std::string& name) {
    const bool range = name.ends_with("__MIN") || name.ends_with("__MAX");
    return !range && name.find(" - ") != std::string::npos;
  }));
}

bool any_loss(const TableHeader& header) { return header.has(loss_names()) || header.has({"loss"}); }

}  // namespace

std::string other_form(const TableHeader& header) {
  const bool step = header.has(kSteps);
  if (header.has({"wall time", "wall_time"}) && step && header.has({"value"}))
    return "this is TensorBoard's export of one value of one run; `bitsweep import` reads such logs, with --map "
           "val_bpc=Value";
  if (const size_t wide = wide_columns(header); wide > 0)
    return fmt::format(
        "this is a wide export, a column a run ({} of them named 'RUN - metric'); `bitsweep import` "
        "reads it as the log of its runs",
        wide);
  auto key = header.like(kKeys);
  if (key.empty() && step) key = header.like({"name"});
  const auto value = header.like(kValues);
  if (!key.empty() && !value.empty())
    return fmt::format(
        "this is a tidy table, one value a row, whose column '{}' says what each value is; `bitsweep "
        "import` reads such logs, and --where '{} = NAME' takes the rows of one",
        excerpt(header.name(key[0])), excerpt(header.name(key[0])));
  if (step && !header.has({"params", "tokens"}))
    return "this is the log of a run, a row a step, which `bitsweep import` reads";
  if (is_results_table(header, {}))
    return fmt::format("this is a table of results by '{}', which `bitsweep report --points FILE` compares",
                       excerpt(header.name(*results_label(header))));
  return "";
}

std::optional<size_t> results_label(const TableHeader& header) {
  for (const std::string& name : kLabels)
    if (const auto found = header.like({name}, false); !found.empty()) return found[0];
  return std::nullopt;
}

bool is_results_table(const TableHeader& header, const ColumnMap& map) {
  for (const char* ours : {"params", "tokens", "flops"})
    if (map.contains(ours)) return false;
  if (header.has(kSteps) || wide_columns(header) > 0 || header.has(kValues)) return false;
  const bool size = header.has({"params", "n_params", "num_params", "parameters"}) || header.find("N");
  const bool length =
      header.has({"tokens", "n_tokens", "num_tokens", "tokens_seen", "train_tokens"}) || header.find("D");
  const bool label = map.contains("variant") || map.contains("run") || results_label(header);
  return !(size && length) && label && (map.contains("loss") || any_loss(header));
}

}  // namespace bitsweep::fit
