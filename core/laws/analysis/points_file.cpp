#include "analysis/points_file.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/nearest.h"
#include "base/units.h"
#include "query/comparable.h"

namespace bitsweep::analysis {
namespace {

// The place of a setting in a sweep file, and the columns that say it; the first that is there counts.
struct SettingColumn {
  const char *section, *key;
  std::vector<std::string> names;
};

const std::vector<SettingColumn>& setting_columns() {
  static const std::vector<SettingColumn> kColumns = {
      {"train", "batch", {"batch", "batch_seqs", "batch_size", "bs"}},
      {"train", "lr", {"lr", "learning_rate"}},
      {"train", "steps", {"steps", "train_steps"}},
      {"train", "warmup", {"warmup", "warmup_steps"}},
      {"train", "weight_decay", {"weight_decay"}},
      {"train", "optimizer", {"optimizer"}},
      {"train", "schedule", {"schedule"}},
      {"train", "precision", {"precision"}},
      {"train", "gradients", {"gradients"}},
      {"data", "tokenizer", {"tokenizer"}},
      {"data", "context", {"context", "context_length", "seq_len"}},
      {"data", "val", {"val_sha256", "val_hash", "validation"}},
      {"data", "unit", {"unit", "loss_unit"}},
  };
  return kColumns;
}

using Cells = std::map<std::string, std::string>;

const std::string* first_of(const Cells& cells, const std::vector<std::string>& names) {
  for (const std::string& name : names)
    if (const auto found = cells.find(name); found != cells.end() && !found->second.empty()) return &found->second;
  return nullptr;
}

// A number where it is one: equal values are equal however they are written.
json::value value_of(const std::string& text) {
  const auto number = parse_size(text);
  if (!number || !std::isfinite(*number)) return json::value(text);
  if (*number == std::floor(*number) && std::abs(*number) < 9e15) return static_cast<int64_t>(*number);
  return *number;
}

void set(json::object& spec, const char* section, const std::string& key, json::value value) {
  json::value& part = spec[section];
  if (!part.is_object()) part = json::object();
  part.get_object()[key] = std::move(value);
}

std::optional<double> wall_of(const Cells& cells) {
  const std::vector<std::pair<std::vector<std::string>, double>> units = {
      {{"wall_s", "seconds"}, 1}, {{"wall_min", "minutes"}, 60}, {{"wall_h", "hours"}, 3600}};
  for (const auto& [names, seconds] : units)
    if (const std::string* text = first_of(cells, names))
      if (const auto value = parse_number(*text); value && std::isfinite(*value) && *value > 0) return *value * seconds;
  const std::string* text = first_of(cells, {"wall", "wall_clock"});
  return text != nullptr ? parse_duration_s(*text) : std::nullopt;
}

// What a loss is measured in, as far as the name of its column tells; "" when it does not.
std::string unit_told_by(const std::string& column) {
  const auto names = [&](std::initializer_list<const char*> parts) {
    return std::any_of(parts.begin(), parts.end(),
                       [&](const char* part) { return column.find(part) != std::string::npos; });
  };
  if (names({"bpc", "bpb", "bits_per_byte", "bits_per_char"})) return "bits per byte";
  return names({"nats"}) ? "nats" : "";
}

class SettingsReader {
 public:
  // `unit`: of the loss, where no column of its own tells.
  SettingsReader(const std::string& name, std::string unit, const std::vector<std::string>& factors)
      : findings_(name), unit_(std::move(unit)), factors_(factors) {}

  PointSettings read(const fit::PointRow& row) {
    PointSettings settings;
    set(settings.spec, "data", "unit", json::value(unit_));  // a column of that name goes before
    for (const SettingColumn& column : setting_columns())
      if (const std::string* text = first_of(row.cells, column.names))
        set(settings.spec, column.section, column.key, value_of(*text));
    for (const std::string& factor : factors_) {
      const auto cell = row.cells.find(factor);
      if (cell != row.cells.end()) set(settings.spec, "factors", factor, value_of(cell->second));
    }
    if (const std::string* steps = first_of(row.cells, {"steps", "train_steps"}))
      settings.steps = static_cast<int64_t>(parse_size(*steps).value_or(0));
    settings.wall_s = wall_of(row.cells);
    if (const std::string* device = first_of(row.cells, {"device", "gpu", "hardware", "machine"}))
      settings.device = *device;
    settings.state = row.state.state;
    settings.exit_cause = row.state.exit_cause;
    return settings;
  }

  // A factor must be a column of the file.
  void check(const Cells& header) {
    std::vector<std::string> names;
    for (const auto& [name, cell] : header) names.push_back(name);
    for (const std::string& factor : factors_)
      if (!header.contains(factor))
        findings_.add(0, 0, fmt::format("no column '{}'{} (--factors)", excerpt(factor), did_you_mean(factor, names)));
  }

  void finish() { findings_.throw_if_any(); }

 private:
  Findings findings_;
  std::string unit_;
  const std::vector<std::string>& factors_;
};

}  // namespace

PointsFile read_points_file(const fs::path& path, const fit::PointsFormat& format,
                            const std::vector<std::string>& factors) {
  fit::PointTable table = read_point_table(read_file(path), path.string(), format);
  SettingsReader reader(path.string(), unit_told_by(table.loss_column), factors);
  if (!table.rows.empty()) reader.check(table.rows[0].cells);
  PointsFile file;
  for (fit::PointRow& row : table.rows) {
    file.settings.push_back(reader.read(row));
    file.points.push_back(std::move(row.point));
  }
  reader.finish();
  file.notes = std::move(table.notes);
  file.no_seeds = std::move(table.no_seeds);
  return file;
}

std::map<std::string, int> drop_unfinished(PointsFile& file) {
  std::map<std::string, int> left_out;
  std::vector<fit::Point> points;
  std::vector<PointSettings> settings;
  for (size_t i = 0; i < file.points.size(); ++i) {
    query::RunRow row;
    row.state = run_state_from(file.settings[i].state).value_or(RunState::done);
    row.exit_cause = file.settings[i].exit_cause;
    row.spec = file.settings[i].spec;
    if (file.points[i].loss > 0) row.last_val_bpc = file.points[i].loss;
    const std::string reason = exclusion_reason(row);
    if (reason.empty()) {
      points.push_back(std::move(file.points[i]));
      settings.push_back(std::move(file.settings[i]));
    } else if (row.last_val_bpc || row.state != RunState::done) {
      ++left_out[reason];
    }
  }
  file.points = std::move(points);
  file.settings = std::move(settings);
  return left_out;
}

std::string one_size_each(const std::vector<fit::Point>& points) {
  constexpr size_t kFewest = 3;
  std::map<std::string, double> sizes;
  for (const fit::Point& p : points)
    if (const auto [at, added] = sizes.try_emplace(p.variant, p.params); !added && at->second != p.params) return "";
  std::set<double> different;
  for (const auto& [variant, size] : sizes) different.insert(size);
  if (sizes.size() < kFewest || different.size() < sizes.size()) return "";
  return fmt::format(
      "each of the {} variants has one size ({}: {}): where the column names sizes, --pool takes all as one",
      sizes.size(), sizes.begin()->first, format_count(sizes.begin()->second));
}

void refuse_too_many(size_t points) {
  constexpr size_t kMostPoints = 10'000;
  if (points > kMostPoints)
    throw Error(ErrorKind::input,
                fmt::format("{} points: a law is fitted to finished runs, at most {} of them; --where picks some",
                            points, kMostPoints));
}

}  // namespace bitsweep::analysis
