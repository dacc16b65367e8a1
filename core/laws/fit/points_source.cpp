#include "fit/points_source.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/nearest.h"
#include "fit/cell_value.h"
#include "fit/table_form.h"

namespace bitsweep::fit {
namespace {

// Other names of ours, as people have them. `loss` has its own list.
const std::map<std::string, std::vector<std::string>>& synonyms() {
  static const std::map<std::string, std::vector<std::string>> kNames = {
      {"params",
       {"n_params", "num_params", "nparams", "parameters", "num_parameters", "n_parameters", "param_count",
        "params_count", "model_params", "total_params", "params_total"}},
      {"tokens",
       {"n_tokens", "num_tokens", "ntokens", "tokens_seen", "seen_tokens", "train_tokens", "training_tokens",
        "total_tokens", "token_count", "tokens_total"}},
      {"seed", {"random_seed", "rng_seed"}},
      {"step", {"global_step", "_step", "iteration", "iter"}},
      {"lr", {"learning_rate"}},
  };
  return kNames;
}

// Columns that name runs, and those that may.
const std::vector<std::string> kRunNames = {"run_id",     "run_name", "runid",    "run_uuid", "trial_id",
                                            "trial_name", "job_id",   "run name", "run id"};
const std::vector<std::string> kPerhapsRunNames = {"name",          "id",    "trial", "experiment", "experiment_name",
                                                   "experiment_id", "model", "row"};

bool is_label(const std::string& ours) { return ours == "variant" || ours == "dataset" || ours == "run"; }

PointSource of_column(size_t column, bool guessed = false) { return {{"", ""}, {column}, guessed}; }

bool needs(const PointsFormat& format, Axis axis) {
  return std::find(format.needed.begin(), format.needed.end(), axis) != format.needed.end();
}

std::optional<PointSource> found_by_synonym(const std::string& ours, const TableHeader& header,
                                            const PointsFormat& format) {
  const auto only = [&](std::vector<std::string> names) -> std::optional<size_t> {
    const std::vector<size_t> found = header.like(names);
    return found.size() == 1 ? std::optional(found[0]) : std::nullopt;
  };
  if (ours == "run") {
    if (const auto column = only({"run"})) return of_column(*column);
    if (const auto column = only(kRunNames)) return of_column(*column);
    for (const std::string& name : kPerhapsRunNames)
      if (const auto column = only({name})) return of_column(*column, true);
    return std::nullopt;
  }
  const auto known = synonyms().find(ours);
  if (known == synonyms().end()) return std::nullopt;
  std::vector<std::string> names = known->second;
  names.push_back(ours);
  if (const auto column = only(names)) return of_column(*column);
  // A letter is a name only of what has to be there.
  const char* letter = ours == "params" && needs(format, Axis::params)   ? "N"
                       : ours == "tokens" && needs(format, Axis::tokens) ? "D"
                                                                         : "";
  if (const auto column = header.find(letter)) return of_column(*column);
  return std::nullopt;
}

void tell_missing_loss(const TableHeader& header) {
  const std::vector<size_t> candidates = header.like(loss_names());
  if (candidates.size() < 2) {
    header.missing("loss", " (another name is mapped by --map loss=NAME)");
    return;
  }
  std::vector<std::string> names;
  for (const size_t column : candidates) names.push_back("'" + excerpt(header.name(column)) + "'");
  header.tell(
      fmt::format("no column 'loss', and it may be any of {}: --map loss=NAME says which", fmt::join(names, ", ")));
}

// What the format needs and is not there; where the table is of another form, that is told, and once.
void tell_missing(const TableHeader& header, const PointsFormat& format, const PointSources& sources) {
  std::vector<std::string> missing;
  if (!sources.count("loss")) missing.push_back("loss");
  const bool has_size = sources.count("params") > 0, has_length = sources.count("tokens") > 0;
  const bool follows = sources.count("flops") && (has_size || has_length);
  for (const Axis axis : format.needed) {
    if (follows && (axis == Axis::params || axis == Axis::tokens)) continue;
    // Of a curve: the areas, or what they follow from.
    if (axis == Axis::annealing || (axis == Axis::lr_area && sources.count("lr_area"))) continue;
    if (axis == Axis::lr_area) {
      for (const char* name : {"step", "lr"})
        if (!sources.count(name)) missing.push_back(name);
    } else if (!sources.count(axis_name(axis))) {
      missing.push_back(axis_name(axis));
    }
  }
  if (missing.empty()) return;
  const bool ambiguous = missing.size() == 1 && missing[0] == "loss" && header.like(loss_names()).size() > 1;
  const std::string other = ambiguous ? "" : other_form(header);
  if (!other.empty()) {
    std::vector<std::string> wanted = {"params", "tokens", "loss"};
    for (const std::string& name : missing)
      if (std::find(wanted.begin(), wanted.end(), name) == wanted.end()) wanted.push_back(name);
    header.tell(fmt::format("{}; points have the columns {} (other names: --map {}=NAME), and here there {}", other,
                            fmt::join(wanted, ", "), missing[0], header.listed()));
    return;
  }
  for (const std::string& ours : missing) {
    if (ours == "loss") {
      tell_missing_loss(header);
      continue;
    }
    const bool other_axis = (ours == "params" && has_length) || (ours == "tokens" && has_size);
    header.missing(ours, fmt::format(" (another name is mapped by --map {}=NAME{})", ours,
                                     other_axis ? "; training FLOPs, C = 6 N D, by --map flops=NAME" : ""));
  }
}

}  // namespace

TableHeader::TableHeader(const CsvRow& row, Findings& findings) : row_(row), findings_(findings) {
  for (const CsvCell& cell : row) names_.push_back(cell.text);
}

std::optional<size_t> TableHeader::find(const std::string& name) const {
  const auto at = std::find(names_.begin(), names_.end(), name);
  if (at == names_.end()) return std::nullopt;
  const auto again = std::find(at + 1, names_.end(), name);
  if (again != names_.end()) {
    const CsvCell& cell = row_[static_cast<size_t>(again - names_.begin())];
    findings_.add_kind("doubled " + name, cell.line, cell.column,
                       fmt::format("column '{}' is there twice", excerpt(name)));
  }
  return static_cast<size_t>(at - names_.begin());
}

std::vector<size_t> TableHeader::like(const std::vector<std::string>& names, bool paths) const {
  const auto is_one = [&](const std::string& name) {
    return std::find(names.begin(), names.end(), lower_case(name)) != names.end();
  };
  std::vector<size_t> found;
  for (size_t k = 0; k < names_.size(); ++k)
    if (is_one(names_[k])) found.push_back(k);
  if (!found.empty() || !paths) return found;
  for (size_t k = 0; k < names_.size(); ++k) {
    const size_t dot = names_[k].find_last_of("./");
    if (dot != std::string::npos && is_one(names_[k].substr(dot + 1))) found.push_back(k);
  }
  return found;
}

void TableHeader::missing(const std::string& name, const std::string& hint) const {
  findings_.add(
      row_[0].line, row_[0].column,
      fmt::format("no column '{}'{}{}; there {}", excerpt(name), excerpt(did_you_mean(name, names_)), hint, listed()));
}

void TableHeader::tell(const std::string& message) const { findings_.add(row_[0].line, row_[0].column, message); }

std::string TableHeader::listed() const {
  constexpr size_t kMost = 16;
  std::string text = names_.size() == 1 ? "is" : "are";
  for (size_t i = 0; i < std::min(names_.size(), kMost); ++i) text += (i == 0 ? " " : ", ") + excerpt(names_[i]);
  if (names_.size() > kMost) text += fmt::format(" and {} more", names_.size() - kMost);
  return text;
}

PointSource point_source(const std::string& text, bool pattern, const TableHeader& header, bool bare_is_column) {
  if (!bare_is_column && text.find('{') == std::string::npos) return {{text}, {}, false};
  if (const auto whole = header.find(text); whole || !pattern || text.find('{') == std::string::npos) {
    if (whole) return of_column(*whole);
    header.missing(text, "");
    return {{"", ""}, {}, false};
  }
  PointSource source;
  source.texts.emplace_back();
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t close = text[i] == '{' ? text.find('}', i) : std::string::npos;
    if (close == std::string::npos) {
      source.texts.back() += text[i];
      continue;
    }
    const std::string name = trimmed(text.substr(i + 1, close - i - 1));
    if (const auto cell = header.find(name)) {
      source.cells.push_back(*cell);
      source.texts.emplace_back();
    } else {
      header.missing(name, "");
    }
    i = close;
  }
  return source;
}

const std::vector<std::string>& loss_names() {
  static const std::vector<std::string> kNames = {
      "val_bpb",       "val_bpc",         "val_loss",     "final_val_bpb", "final_val_bpc", "final_val_loss",
      "final_loss",    "final_bpb",       "final_bpc",    "eval_loss",     "valid_loss",    "validation_loss",
      "test_loss",     "dev_loss",        "val/bpb",      "val/bpc",       "val/loss",      "eval/loss",
      "valid/loss",    "validation/loss", "test/loss",    "bpb",           "bpc",           "val.loss",
      "bits_per_byte", "bits_per_char",   "best_val_bpb", "best_val_loss", "val_ce",        "best_bpb"};
  return kNames;
}

std::optional<size_t> loss_column(const TableHeader& header, const ColumnMap& map) {
  if (const auto mapped = map.find("loss"); mapped != map.end()) return header.find(mapped->second);
  if (const auto exact = header.find("loss")) return exact;
  std::vector<size_t> found = header.like({"loss"}, false);
  if (found.empty()) found = header.like(loss_names());
  return found.size() == 1 ? std::optional(found[0]) : std::nullopt;
}

PointSources find_point_sources(const TableHeader& header, const PointsFormat& format) {
  PointSources sources;
  for (const std::string& ours : point_columns()) {
    const auto mapped = format.columns.find(ours);
    if (mapped != format.columns.end()) {
      sources[ours] = point_source(mapped->second, is_label(ours), header);
    } else if (ours == "loss") {
      if (const auto column = loss_column(header, format.columns)) sources[ours] = of_column(*column);
    } else if (const auto at = header.find(ours); at && ours != "flops") {
      sources[ours] = of_column(*at);
    } else if (auto other = found_by_synonym(ours, header, format)) {
      sources[ours] = std::move(*other);
    }
  }
  // A column has one meaning: what a map or a name of ours gives away is not guessed to name runs.
  if (const auto run = sources.find("run"); run != sources.end() && run->second.guessed)
    for (const auto& [ours, source] : sources)
      if (ours != "run" && source.cells == run->second.cells) {
        sources.erase(run);
        break;
      }
  if (const auto best = sources.find("best_loss"), loss = sources.find("loss");
      best != sources.end() && loss != sources.end() && best->second.cells == loss->second.cells)
    sources.erase(best);  // the only loss that there is
  tell_missing(header, format, sources);
  const auto need_columns = [&](const RowFilter& filter, const char* hint) {
    for (const std::string& name : filter.columns()) {
      if (!sources.count(name) && !header.find(name)) header.missing(name, hint);
    }
  };
  need_columns(format.where, " (--where)");
  for (const VariantRule& rule : format.labels) need_columns(rule.rows, " (--label)");
  return sources;
}

}  // namespace bitsweep::fit
