// Fitting `chinchilla` to 240 points: the grid of 4,500 starts, 4,000 resamples, the profiles of all five parameters
// and the posterior, and the whole report of 200 runs, on one core; beside SciPy on the same points when python3 has it
// (PYTHON=… names another). usage: bench_laws SCIPY_FIT.PY
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>

#include "base/rng.h"
#include "fit/bootstrap.h"
#include "fit/distributions.h"
#include "fit/fit.h"
#include "fit/optimise.h"
#include "fit/posterior.h"
#include "fit/profile.h"
#include "python_anchor.h"
#include "report/report.h"

namespace bitsweep {
namespace {

constexpr int kPoints = 240, kResamples = 4000;

std::vector<fit::Point> points_of_a_law() {
  std::vector<fit::Point> points;
  for (uint64_t i = 0; i < kPoints; ++i) {
    fit::Point p;
    p.params = std::floor(std::pow(10, 6.5 + 3 * random_unit(1, 1, i)));
    p.tokens = std::floor(std::pow(10, 8 + 3 * random_unit(1, 2, i)));
    const double noise = 0.01 * fit::normal_quantile(random_unit(1, 3, i) + 0x1p-54);
    p.loss = (1.69 + 406.4 / std::pow(p.params, 0.34) + 410.7 / std::pow(p.tokens, 0.28)) * std::exp(noise);
    points.push_back(p);
  }
  return points;
}

// Four variants at ten sizes and five budgets, as a file of points gives them to a report.
std::vector<fit::Point> points_of_a_sweep() {
  std::vector<fit::Point> points;
  for (const auto& [variant, eff] : {std::pair{"llama", 1.0}, {"v57", 0.2}, {"v75", 0.3}, {"v76", 0.25}})
    for (uint64_t size = 0; size < 10; ++size)
      for (uint64_t budget = 0; budget < 5; ++budget) {
        fit::Point p;
        p.params = std::floor(1e6 * std::pow(2, size));
        p.tokens = std::floor(5e7 * std::pow(2, budget));
        const double noise = 0.003 * fit::normal_quantile(random_unit(2, size, budget + 100 * variant[2]) + 0x1p-54);
        p.loss = (1.4 + 30 / std::pow(p.params * eff, 0.3) + 240 / std::pow(p.tokens, 0.4)) * std::exp(noise);
        p.variant = variant;
        p.run = fmt::format("{}-{}-{}", variant, size, budget);
        points.push_back(std::move(p));
      }
  return points;
}

// Processor seconds of the fastest of `times` calls.
template <typename Call>
double fastest(int times, Call&& call) {
  double best = HUGE_VAL;
  for (int i = 0; i < times; ++i) {
    const std::clock_t from = std::clock();
    call();
    best = std::min(best, static_cast<double>(std::clock() - from) / CLOCKS_PER_SEC);
  }
  return best;
}

// What scipy_fit.py prints; nothing when SciPy is not there.
std::optional<json::object> scipy(const std::string& script, const std::vector<fit::Point>& points) {
  const auto csv = std::filesystem::temp_directory_path() / fmt::format("bitsweep-laws-{}.csv", points.size());
  {
    std::ofstream file(csv);
    file << "params,tokens,loss\n";
    for (const fit::Point& p : points) file << fmt::format("{},{},{}\n", p.params, p.tokens, p.loss);
  }
  const auto anchor = python_anchor(script, csv.string());
  std::filesystem::remove(csv);
  return anchor;
}

void row(const std::string& what, double ours_s, std::optional<double> scipy_s) {
  fmt::print("{:<40} {:8.3f} s", what, ours_s);
  if (scipy_s) fmt::print("   SciPy {:8.2f} s   {:6.0f} times as fast", *scipy_s, *scipy_s / ours_s);
  fmt::print("\n");
}

void bench(const std::string& script) {
  const auto points = points_of_a_law();
  const auto law = make_law("chinchilla", points);
  fit::Objective objective(*law, points, 1e-3);
  const auto starts = grid_of_starts(objective);
  fit::Optimum optimum;
  const double fit_s = fastest(3, [&] { optimum = minimise(objective, starts); });
  const double bootstrap_s =
      fastest(2, [&] { bootstrap(*law, points, 1e-3, {optimum.basins[0].theta}, kResamples, 0); });
  fit::Objective squares(*law, points, HUGE_VAL);
  const fit::Descent least = descend(squares, optimum.basins[0].theta);
  const fit::Observations observed = observations(*law, points, {});
  const double profile_s = fastest(3, [&] { profile_intervals(*law, observed, least.theta, 0.95); });
  const double posterior_s = fastest(2, [&] { draw_posterior(points, fit::FitOptions{}, 4000); });

  analysis::ReportInput sweep = analysis::report_from_points(points_of_a_sweep(), "sweep", "bench", "0");
  sweep.targets = {{1e10, 1e10, "", ""}};
  const double report_s = fastest(3, [&] { report::render_report(sweep); });

  const auto anchor = scipy(script, points);
  const auto scaled = [&](const char* name, double count) -> std::optional<double> {
    if (!anchor) return std::nullopt;
    return anchor->at(name).to_number<double>() * count;
  };
  row(fmt::format("{} starts, {} points", starts.size(), points.size()), fit_s,
      scaled("seconds_per_start", static_cast<double>(starts.size())));
  row(fmt::format("{} resamples", kResamples), bootstrap_s, scaled("seconds_per_resample", kResamples));
  row("profiles of 5 parameters and a_opt", profile_s, std::nullopt);
  row("4000 posterior draws", posterior_s, std::nullopt);
  row("report of 200 runs, 4 variants, 1 target", report_s, std::nullopt);
  fmt::print("objective {:.15g}, {} of {} descents end there\n", optimum.basins[0].objective, optimum.starts_at_best,
             optimum.starts);
  if (anchor) {
    const double other = anchor->at("objective").to_number<double>();
    fmt::print("SciPy's, polished from its best start: {:.15g}, above ours by {:.2g} of it\n", other,
               other / optimum.basins[0].objective - 1);
  } else {
    fmt::print("(no SciPy in {}: nothing to compare with)\n", python_program());
  }
}

}  // namespace
}  // namespace bitsweep

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: bench_laws SCIPY_FIT.PY\n");
    return 2;
  }
  bitsweep::bench(argv[1]);
  return 0;
}
