#include "report/prediction_section.h"

#include <fmt/format.h>

#include "base/units.h"
#include "render/format.h"

namespace bitsweep {
namespace {

const char* fared(Verdict verdict) {
  switch (verdict) {
    case Verdict::pending:
      return "not finished";
    case Verdict::hit:
      return "within";
    case Verdict::miss:
      return "outside";
    case Verdict::without_interval:
      return "no interval";
    case Verdict::void_run:
      return "run ended without a loss";
  }
  return kNothing;
}

}  // namespace

std::vector<Block> prediction_section(const ReportInput& input) {
  const Calibration calibration = calibrate(input.predictions);
  Table t{{{"run"},
           {"variant"},
           {"law"},
           {"params", Align::right},
           {"tokens", Align::right},
           {"foretold", Align::right},
           {"interval", Align::right},
           {"measured", Align::right},
           {"fared"}},
          {}};
  for (const ScoredPrediction& p : calibration.predictions) {
    if (!p.last) continue;
    const PredictionRow& row = p.row;
    t.rows.push_back({row.run.empty() ? kNothing : row.run, row.variant, row.law, format_count(row.params),
                      format_count(row.tokens), format_bpc(row.loss),
                      row.lower && row.upper ? format_bpc(row.lower) + " to " + format_bpc(row.upper) : kNothing,
                      format_bpc(row.measured), fared(p.verdict)});
  }
  if (t.empty()) return {};
  std::vector<Block> blocks;
  blocks.emplace_back(Heading{2, "Earlier predictions"});
  blocks.emplace_back(Paragraph{"Stored before their runs began. " + calibration_words(calibration)});
  blocks.emplace_back(TableBlock{std::move(t)});
  return blocks;
}

}  // namespace bitsweep
