#include "report/provenance.h"

#include <set>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/units.h"
#include "report/builds.h"
#include "report/findings.h"

namespace bitsweep::report {
namespace {

// Distinct values of what the runs said at their start, in the order of runs.
std::vector<std::string> said(const analysis::ReportInput& input, const char* key) {
  std::vector<std::string> values;
  std::set<std::string> seen;
  for (const analysis::MeasuredRun& run : input.runs) {
    const json::value* value = run.start.if_contains(key);
    if (value == nullptr || value->is_null()) continue;
    std::string text = value->is_string() ? std::string(value->get_string()) : canonical_json(*value);
    if (!text.empty() && seen.insert(text).second) values.push_back(std::move(text));
  }
  return values;
}

void dataset_line(const query::DatasetRow& d, std::vector<render::Text>& items) {
  render::Text text(fmt::format("Data {}, {}: {} bytes, {} training and {} validation tokens, content ", d.name,
                                d.tokenizer, format_thousands(d.bytes), format_thousands(d.train_tokens),
                                format_thousands(d.val_tokens)));
  text.code(d.sha256.substr(0, 16)) << ", validation part ";
  text.code(d.val_sha256.substr(0, 16)) << " (first digits of SHA-256).";
  items.push_back(std::move(text));
}

}  // namespace

void append_provenance(const analysis::ReportInput& input, const analysis::Analysis& analysis,
                       std::vector<render::Block>& out) {
  out.emplace_back(render::Heading{2, "Where this comes from"});
  std::vector<render::Text> items;
  render::Text made("Made by ");
  if (!input.source.empty()) made.code(input.source) << ", ";
  double last = 0;
  for (const analysis::MeasuredRun& run : input.runs) last = std::max(last, run.row.ended.value_or(0));
  made << "bitsweep " + input.version + ".";
  if (last > 0) made << " The last of these runs ended " + format_utc(last) + " UTC.";
  items.push_back(std::move(made));
  for (const analysis::GroupAnalysis& g : analysis.groups)
    if (g.dataset != nullptr) dataset_line(*g.dataset, items);
  std::string built;
  for (const auto& [key, title] :
       {std::pair{"build_id", "Worker built with"}, {"device", "Devices"}, {"precision", "Precision"}}) {
    const std::vector<std::string> values = said(input, key);
    if (!values.empty()) built += fmt::format("{}{}: {}.", built.empty() ? "" : " ", title, listed(values));
  }
  if (!built.empty()) items.emplace_back(std::move(built));
  for (render::Text& text : outdated_runs(input)) items.push_back(std::move(text));
  if (!input.runs.empty()) {
    render::Text ids(fmt::format("Runs ({}):", input.runs.size()));
    for (const analysis::MeasuredRun& run : input.runs) (ids << " ").code(run.row.id);
    items.push_back(std::move(ids));
  }
  out.emplace_back(render::BulletList{std::move(items)});
}

}  // namespace bitsweep::report
