#include "cli/points_options.h"

#include <algorithm>

#include <fmt/format.h>

#include "analysis/other_loss.h"
#include "analysis/points_file.h"
#include "analysis/sweep_points.h"
#include "base/csv.h"
#include "base/error.h"
#include "base/nearest.h"

namespace bitsweep::cli {
namespace {

fit::CheckpointUse checkpoint_use(const std::string& text) {
  static const std::vector<std::string> kKnown = {"last", "all", "none"};
  if (text == "last") return fit::CheckpointUse::last;
  if (text == "all") return fit::CheckpointUse::all;
  if (text == "none") return fit::CheckpointUse::none;
  throw Error(ErrorKind::input, fmt::format("--checkpoints: expected last, all or none, not '{}'{}", excerpt(text),
                                            did_you_mean(text, kKnown)));
}

// "a, b" as a and b.
std::vector<std::string> names_in(const std::string& text) {
  std::vector<std::string> names;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    if (std::string name = trimmed(text.substr(begin, end - begin)); !name.empty()) names.push_back(std::move(name));
    begin = end + 1;
  }
  return names;
}

std::vector<fit::Point> finished(const analysis::PointsFile& file) {
  analysis::PointsFile kept = file;
  drop_unfinished(kept);
  return kept.points;
}

int dropped(const CommandLine& line) { return static_cast<int>(line.number("drop-largest-loss", 0, 1e9).value_or(0)); }

}  // namespace

void points_options(CommandLine& line) {
  line.value("points", kPointsHelp)
      .value("map",
             "other names of columns: params=N,loss=val_bpc; of several: variant=W{w_bits}A{a_bits}; in quotes where "
             "they hold commas: loss=\"a,b\"; flops=C: the runs' training FLOPs, from which tokens follow where no "
             "column has them (C = 6 N D); params_nonembedding=N2, best_loss=L2: what a report also asks of the law")
      .values("label", "of rows in a file, the variant: \"W{w_bits}A16: a_quant = NoQuantizer\"; the first that holds")
      .value("units", "of a file's columns: params=M,tokens=B")
      .value("where", "only runs for which this holds: \"w_bits = 1 and params >= 10M or variant = base\"")
      .value("drop-largest-loss", "leave out the K runs of the highest loss, as some papers do")
      .value("checkpoints",
             "rows of a file that are checkpoints of one run: last (the run's point, the default), all (of fit: "
             "intervals resample whole runs) or none (each row is a run)")
      .flag("pool", "all variants as one, instead of a law for each");
}

void refuse_points_options(const CommandLine& line, const std::string& verb, const std::vector<std::string>& names) {
  for (const std::string& name : names)
    if (line.has(name))
      throw Error(ErrorKind::input, fmt::format("bitsweep {}: --{} is for --points FILE.csv", verb, name));
}

analysis::ReportInput points_input(const CommandLine& line, const std::string& verb,
                                   const analysis::ClaimsFile& claims) {
  if (!line.positional().empty())
    throw Error(ErrorKind::input, fmt::format("bitsweep {}: either sweeps or --points, not both", verb));
  if (line.get("checkpoints") == "all")
    throw Error(ErrorKind::input, fmt::format("bitsweep {}: --checkpoints all is for fit: last or none", verb));
  const fs::path file = *line.get("points");
  const bool factors = line.has("factors");
  analysis::PointsFile read = analysis::read_points_file(
      file, points_format(line), factors ? names_in(*line.get("factors")) : std::vector<std::string>());
  analysis::refuse_too_many(read.points.size());
  if (line.has("pool"))
    for (fit::Point& p : read.points) p.variant.clear();
  else if (const std::string note = analysis::one_size_each(read.points); !note.empty())
    print_error("note: " + note);
  for (const std::string& note : implausible_magnitudes(finished(read))) print_error("note: " + note);
  add_facts(claims, read);
  std::string source = fmt::format("bitsweep {} --points {}", verb, file.filename().string());
  for (const char* option : {"map", "units", "where", "drop-largest-loss", "factors", "checkpoints"})
    if (line.has(option)) source += fmt::format(" --{} '{}'", option, *line.get(option));
  for (const std::string& label : line.all("label")) source += fmt::format(" --label '{}'", label);
  if (line.has("pool")) source += " --pool";
  if (line.has("claims")) source += " --claims " + fs::path(*line.get("claims")).filename().string();
  const std::string name = line.has("name") ? *line.get("name") : file.stem().string();
  analysis::ReportInput input =
      report_from_points(read.points, name, std::move(source), BITSWEEP_VERSION, read.settings);
  if (!read.no_seeds.empty()) read.notes.push_back(read.no_seeds);
  for (const std::string& note : read.notes) print_error("note: " + note);
  input.notes = std::move(read.notes);
  drop_largest_losses(input, dropped(line));
  return input;
}

void choose_runs(const CommandLine& line, analysis::ReportInput& input, const query::Query* loss_of) {
  if (line.has("where")) keep_where(input, fit::RowFilter(*line.get("where"), "--where"));
  if (loss_of != nullptr && line.has("loss")) take_loss(*loss_of, *line.get("loss"), input);
  drop_largest_losses(input, dropped(line));
  for (const char* option : {"where", "drop-largest-loss"})
    if (line.has(option)) input.source += fmt::format(" --{} '{}'", option, *line.get(option));
}

fit::PointsFormat points_format(const CommandLine& line) {
  fit::PointsFormat format(line.has("map") ? fit::parse_column_map(*line.get("map")) : fit::ColumnMap{});
  if (line.has("units")) format.units = fit::parse_units(*line.get("units"));
  if (line.has("where")) format.where = fit::RowFilter(*line.get("where"), "--where");
  for (const std::string& text : line.all("label")) format.labels.push_back(fit::parse_variant_rule(text));
  if (line.has("checkpoints")) format.checkpoints = checkpoint_use(*line.get("checkpoints"));
  return format;
}

}  // namespace bitsweep::cli
