// What does advice buy on runs that were really made? Each table's largest fifth is to be predicted; the other runs are
// revealed one by one, as suggest() asks for them, at random, or in the table's own order. Told is how many runs each needs
// until the root mean square error of the predictions stays below a goal. Deterministic.
// usage: bench_suggest_tables FILE.csv…     columns params, tokens, loss
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "advise/suggest.h"
#include "base/files.h"
#include "base/rng.h"
#include "fit/points_csv.h"
#include "fit/surface.h"

namespace bitsweep {
namespace {

constexpr size_t kFirst = 6;        // runs that every arm begins with: those of least compute
constexpr double kHeldOut = 0.2;
constexpr uint64_t kOrders = 8;     // random ones
constexpr double kGoals[] = {0.03, 0.02, 0.015, 0.01};

struct Table {
  std::vector<fit::Point> first, pool, held;  // pool in the table's own order
};

Table split(std::vector<fit::Point> points) {
  std::vector<size_t> order(points.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return compute_of(points[a]) < compute_of(points[b]); });
  const size_t held = std::max<size_t>(1, static_cast<size_t>(kHeldOut * static_cast<double>(points.size())));
  std::vector<int> part(points.size(), 1);
  for (size_t i = 0; i < kFirst; ++i) part[order[i]] = 0;
  for (size_t i = order.size() - held; i < order.size(); ++i) part[order[i]] = 2;
  Table table;
  for (size_t i = 0; i < points.size(); ++i)
    (part[i] == 0 ? table.first : part[i] == 1 ? table.pool : table.held).push_back(points[i]);
  return table;
}

std::vector<fit::Target> targets_of(const Table& table) {
  std::vector<fit::Target> targets;
  for (const fit::Point& p : table.held) {
    targets.emplace_back();
    targets.back().params = p.params, targets.back().tokens = p.tokens;
  }
  return targets;
}

double error_of(const Table& table, const std::vector<fit::Point>& known) {
  const auto surface = draw_surface(known, {}, 200);
  if (!surface) return HUGE_VAL;
  double squares = 0;
  const std::vector<fit::RunForecast> runs = forecast(*surface, targets_of(table), 0.95);
  for (size_t i = 0; i < runs.size(); ++i) squares += std::pow(std::log(runs[i].expected / table.held[i].loss), 2);
  return std::sqrt(squares / static_cast<double>(runs.size()));
}

// The errors after each run of this order.
std::vector<double> errors_along(const Table& table, const std::vector<fit::Point>& order) {
  std::vector<fit::Point> known = table.first;
  std::vector<double> errors{error_of(table, known)};
  for (const fit::Point& p : order) {
    known.push_back(p);
    errors.push_back(error_of(table, known));
  }
  return errors;
}

std::vector<fit::Point> as_suggested(const Table& table) {
  std::vector<fit::Point> known = table.first, left = table.pool, order;
  while (!left.empty()) {
    std::vector<advise::Candidate> candidates;
    for (const fit::Point& p : left) {
      candidates.emplace_back();
      candidates.back().params = p.params, candidates.back().tokens = p.tokens, candidates.back().cost = 1;
    }
    advise::SuggestOptions options;
    options.targets = targets_of(table);
    options.limits.runs = 1;
    options.draws = 200;
    const advise::Suggestion found = suggest(known, candidates, options);
    const size_t next = found.batch.empty() ? found.ranking[0].candidate : found.batch[0].candidate;
    order.push_back(left[next]);
    known.push_back(left[next]);
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(next));
  }
  return order;
}

std::vector<fit::Point> shuffled(std::vector<fit::Point> points, uint64_t seed) {
  for (size_t i = points.size(); i > 1; --i) std::swap(points[i - 1], points[random_below(seed, 5, i, i)]);
  return points;
}

// Runs until the error stays below the goal, or one more than there are.
double runs_for(const std::vector<double>& errors, double goal) {
  size_t needed = errors.size();
  while (needed > 0 && errors[needed - 1] <= goal) --needed;
  return static_cast<double>(needed + kFirst);
}

void replay(const std::string& file) {
  const Table table = split(fit::read_points_csv(read_file(file), file));
  const std::vector<double> advised = errors_along(table, as_suggested(table)), own = errors_along(table, table.pool);
  std::vector<std::vector<double>> random;
  for (uint64_t seed = 0; seed < kOrders; ++seed) random.push_back(errors_along(table, shuffled(table.pool, seed)));
  for (const double goal : kGoals) {
    if (advised.back() > goal) continue;
    double mean = 0;
    for (const auto& errors : random) mean += runs_for(errors, goal) / static_cast<double>(kOrders);
    fmt::print("{:40} {:4.1f} %: suggested {:5.0f}, random {:6.1f}, own order {:5.0f}, of {} runs\n", file, 100 * goal,
               runs_for(advised, goal), mean, runs_for(own, goal), advised.size() - 1 + kFirst);
  }
  std::fflush(stdout);
}

}  // namespace
}  // namespace bitsweep

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) bitsweep::replay(argv[i]);
  return 0;
}
