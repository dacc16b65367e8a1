#include "report/prediction_section.h"

#include <fmt/format.h>

#include "base/units.h"
#include "render/format.h"

namespace bitsweep::report {
namespace {

const char* fared(query::Verdict verdict) {
  switch (verdict) {
    case query::Verdict::pending:
      return "not finished";
    case query::Verdict::hit:
      return "within";
    case query::Verdict::miss:
      return "outside";
    case query::Verdict::without_interval:
      return "no interval";
    case query::Verdict::void_run:
      return "run ended without a loss";
  }
  return render::kNothing;
}

}  // namespace

std::vector<render::Block> prediction_section(const analysis::ReportInput& input) {
  const query::Calibration calibration = calibrate(input.predictions);
  render::Table t{{{"run"},
                   {"variant"},
                   {"law"},
                   {"params", render::Align::right},
                   {"tokens", render::Align::right},
                   {"foretold", render::Align::right},
                   {"interval", render::Align::right},
                   {"measured", render::Align::right},
                   {"fared"}},
                  {}};
  for (const query::ScoredPrediction& p : calibration.predictions) {
    if (!p.last) continue;
    const query::PredictionRow& row = p.row;
    t.rows.push_back({row.run.empty() ? render::kNothing : row.run, row.variant, row.law, format_count(row.params),
                      format_count(row.tokens), render::format_bpc(row.loss),
                      row.lower && row.upper ? render::format_bpc(row.lower) + " to " + render::format_bpc(row.upper)
                                             : render::kNothing,
                      render::format_bpc(row.measured), fared(p.verdict)});
  }
  if (t.empty()) return {};
  std::vector<render::Block> blocks;
  blocks.emplace_back(render::Heading{2, "Earlier predictions"});
  blocks.emplace_back(render::Paragraph{"Stored before their runs began. " + calibration_words(calibration)});
  blocks.emplace_back(render::TableBlock{std::move(t)});
  return blocks;
}

}  // namespace bitsweep::report
