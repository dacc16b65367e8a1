// `bitsweep calibration`: every prediction that was stored before its run, and how it fared.
#include <algorithm>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/units.h"
#include "cli/options.h"
#include "query/query.h"
#include "render/table.h"

namespace bitsweep::cli {
namespace {

std::string number(const std::optional<double>& value, const char* format) {
  return value ? fmt::format(fmt::runtime(format), *value) : "";
}

// `raw`: every digit, for programs.
render::Table prediction_table(const query::Calibration& all, bool earlier, bool raw) {
  render::Table table{{{"run"},
                       {"variant"},
                       {"law"},
                       {"stored"},
                       {"by"},
                       {"params", render::Align::right},
                       {"tokens", render::Align::right},
                       {"foretold", render::Align::right},
                       {"lower", render::Align::right},
                       {"upper", render::Align::right},
                       {"measured", render::Align::right},
                       {"error", render::Align::right},
                       {"sd", render::Align::right},
                       {"verdict"}},
                      {}};
  const char* loss = raw ? "{}" : "{:.4f}";
  const auto count = [&](double value) { return raw ? canonical_json(value) : format_count(value); };
  for (const query::ScoredPrediction& p : all.predictions) {
    if (!earlier && !p.last) continue;
    const query::PredictionRow& row = p.row;
    table.rows.push_back({row.run.empty() ? "-" : row.run, row.variant, row.law,
                          raw ? canonical_json(row.made) : format_utc(row.made), row.maker, count(row.params),
                          count(row.tokens), fmt::format(fmt::runtime(loss), row.loss), number(row.lower, loss),
                          number(row.upper, loss), number(row.measured, loss), number(p.error, raw ? "{}" : "{:+.4f}"),
                          number(p.standardised, raw ? "{}" : "{:+.1f}"),
                          fmt::format("{}{}", to_text(p.verdict), p.last ? "" : ", superseded")});
  }
  return table;
}

int do_calibration(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.flag("earlier", "also predictions that a later one of the same run superseded").root_option().output_options();
  if (!line.parse(args)) return 0;
  const OutputFormat format = output_format(line);
  const query::Query query(line.root());
  std::vector<std::string> sweeps;
  for (const std::string& name : line.positional()) sweeps.push_back(query.sweep_name(name));
  const query::Calibration all = calibrate(query.predictions(sweeps));
  if (format == OutputFormat::json) {
    print(pretty_json(to_json(all)) + "\n");
  } else if (format == OutputFormat::jsonl) {
    std::string text;
    for (const query::ScoredPrediction& p : all.predictions) text += compact_json(to_json(p)) + "\n";
    print(text);
  } else if (format == OutputFormat::csv) {
    print(csv_table(prediction_table(all, true, true)));
  } else if (all.predictions.empty()) {
    print(
        "nothing has been foretold yet: predictions are stored when runs are queued whose sweep has enough finished "
        "ones for a law, or by 'bitsweep suggest'\n");
  } else {
    print(terminal_table(prediction_table(all, line.has("earlier"), false)) + "\n" + calibration_words(all) + "\n");
  }
  return 0;
}

}  // namespace

const Verb kCalibrationVerb{"calibration", "Every prediction that was stored before its run, and how it fared",
                            "[SWEEP…]", "bitsweep calibration", do_calibration};

}  // namespace bitsweep::cli
