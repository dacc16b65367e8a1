#include "fit/row_checks.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "fit/points.h"

namespace bitsweep::fit {
namespace {

constexpr double kNoSeeds = 2;  // losses of seeds differ by less than this factor

struct Range {
  const PointRow *least = nullptr, *most = nullptr;

  void add(const PointRow& row) {
    if (least == nullptr || row.point.loss < least->point.loss) least = &row;
    if (most == nullptr || row.point.loss > most->point.loss) most = &row;
  }
  bool uneven() const { return least != nullptr && most->point.loss >= kNoSeeds * least->point.loss; }
};

using Configurations = std::vector<std::vector<const PointRow*>>;

// Configurations of several rows whose losses no two seeds have.
Configurations uneven_configurations(const std::vector<PointRow>& rows) {
  std::vector<const PointRow*> counted;
  std::vector<Point> points;
  for (const PointRow& row : rows) {
    if (!row.counts() || row.point.within_run) continue;
    counted.push_back(&row);
    points.push_back(row.point);
  }
  const std::vector<int> groups = group_by_configuration(points);
  Configurations all, uneven;
  for (size_t i = 0; i < counted.size(); ++i) {
    const auto group = static_cast<size_t>(groups[i]);
    if (all.size() <= group) all.resize(group + 1);
    all[group].push_back(counted[i]);
  }
  for (auto& members : all) {
    Range range;
    for (const PointRow* row : members) range.add(*row);
    if (range.uneven()) uneven.push_back(std::move(members));
  }
  return uneven;
}

// How many values the column has in these rows, where it leaves no configuration uneven; nothing where it does.
std::optional<size_t> values_that_separate(const Configurations& uneven, const std::string& column) {
  std::set<std::string> values;
  for (const auto& members : uneven) {
    std::map<std::string, Range> parts;
    for (const PointRow* row : members) {
      const std::string& value = row->cells.at(column);
      values.insert(value);
      parts[value].add(*row);
    }
    for (const auto& [value, range] : parts)
      if (range.uneven()) return std::nullopt;
  }
  return values.size();
}

}  // namespace

void drop_copies(PointTable& table) {
  std::map<std::map<std::string, std::string>, int> seen;
  std::vector<PointRow> kept;
  int copies = 0, first = 0, original = 0;
  for (PointRow& row : table.rows) {
    const bool unnamed = row.point.run.empty() && !row.point.seed && row.counts();
    if (unnamed) {
      const auto [at, added] = seen.emplace(row.cells, row.line);
      if (!added) {
        if (++copies == 1) {
          first = row.line;
          original = at->second;
        }
        continue;
      }
    }
    kept.push_back(std::move(row));
  }
  table.rows = std::move(kept);
  if (copies > 0)
    table.notes.push_back(fmt::format(
        "{} row{} equal to another in every column, and no seed or run tells them apart: taken for copies and counted "
        "once (the first on line {}, of line {}); where they are runs, a column 'seed' or 'run' says so",
        copies, copies == 1 ? " is" : "s are", first, original));
}

void find_repetitions(const std::vector<PointRow>& rows, Findings& findings) {
  struct Before {
    bool operator()(const PointRow* a, const PointRow* b) const {
      const auto key = [](const PointRow& r) {
        return std::tie(r.point.run, r.point.variant, r.point.dataset, r.point.params, r.point.tokens,
                        r.point.unique_tokens, r.point.lr_area, r.step, r.point.seed);
      };
      return key(*a) < key(*b);
    }
  };
  std::set<const PointRow*, Before> seen;
  for (const PointRow& row : rows) {
    if (!row.counts()) continue;
    if (row.point.run.empty() && !row.point.seed) continue;  // two runs may differ in what is not in the file
    const auto [first, added] = seen.insert(&row);
    if (!added)
      findings.add_kind("repeated", row.line, 1,
                        fmt::format("the same run as on line {}{}", (*first)->line,
                                    row.point.run.empty() ? ": equal in all, the seed too"
                                                          : fmt::format(": '{}'", excerpt(row.point.run))));
  }
}

void find_uneven_seeds(PointTable& table, const std::vector<std::string>& known) {
  const Configurations uneven = uneven_configurations(table.rows);
  if (uneven.empty()) return;
  std::string best;
  size_t fewest = 0;
  for (const auto& [column, cell] : uneven[0][0]->cells) {
    if (std::find(known.begin(), known.end(), column) != known.end()) continue;
    const auto values = values_that_separate(uneven, column);
    if (!values || (!best.empty() && *values >= fewest)) continue;
    best = column;
    fewest = *values;
  }
  Range range;
  for (const PointRow* row : uneven[0]) range.add(*row);
  const Point& p = range.least->point;
  const std::string what = fmt::format(
      "rows of one configuration ({}) have losses from {:g} (line {}) to {:g} (line {}), and no two seeds differ by a "
      "factor of two",
      place_name(p.params, p.tokens), p.loss, range.least->line, range.most->point.loss, range.most->line);
  if (best.empty())
    table.notes.push_back(what + "; no column of the file tells them apart");
  else
    table.no_seeds = fmt::format(
        "{}: column '{}' tells them apart ('{}' and '{}'): --where picks one, --map variant={} makes them "
        "variants",
        what, excerpt(best), excerpt(range.least->cells.at(best)), excerpt(range.most->cells.at(best)), excerpt(best));
}

}  // namespace bitsweep::fit
