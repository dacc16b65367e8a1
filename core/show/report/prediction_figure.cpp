// Predictions of targets: the law with its band from the runs to the target, and what of it lies beyond the runs.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/rng.h"
#include "base/units.h"
#include "fit/bootstrap.h"
#include "fit/distributions.h"
#include "fit/posterior.h"
#include "render/format.h"
#include "report/findings.h"
#include "report/figures.h"
#include "report/scaling_panels.h"

namespace bitsweep::report {
namespace {

constexpr int kBandPoints = 41;
constexpr uint64_t kNoiseStream = UINT64_C(0x70726564) << 16;  // apart from the streams of the fit

double flops_of(double params, double tokens) { return 6 * params * tokens; }

// A straight line in (log N, log D) through the middle of the runs and the target, by compute.
struct Path {
  double log_params = 0, log_tokens = 0;    // the middle of the runs
  double params_step = 0, tokens_step = 0;  // to the target
  double least = HUGE_VAL, most = 0;        // FLOPs of the runs

  double log_flops() const { return std::log(6.0) + log_params + log_tokens; }
  // Whether compute tells the places along the line apart.
  bool useful() const { return std::abs(params_step + tokens_step) > std::log(2.0); }
  fit::Target at(double flops, const fit::Target& like) const {
    const double t = (std::log(flops) - log_flops()) / (params_step + tokens_step);
    fit::Target target = like;
    target.params = std::exp(log_params + t * params_step);
    target.tokens = std::exp(log_tokens + t * tokens_step);
    return target;
  }
};

std::optional<Path> path_to(const std::vector<const analysis::LawFit*>& fits, const fit::Target& target) {
  Path path;
  double count = 0;
  for (const analysis::LawFit* fit : fits) {
    for (const fit::Point& p : fit->points) {
      path.log_params += std::log(p.params), path.log_tokens += std::log(p.tokens), ++count;
      const double flops = flops_of(p.params, p.tokens);
      path.least = std::min(path.least, flops);
      path.most = std::max(path.most, flops);
    }
  }
  if (count == 0) return std::nullopt;
  path.log_params /= count, path.log_tokens /= count;
  path.params_step = std::log(target.params) - path.log_params;
  path.tokens_step = std::log(target.tokens) - path.log_tokens;
  if (!path.useful()) return std::nullopt;
  return path;
}

const fit::Prediction* prediction_at(const analysis::LawFit& fit, const fit::Target& target) {
  for (const fit::Prediction& p : fit.result.predictions)
    if (p.target.params == target.params && p.target.tokens == target.tokens && p.loss && p.interval) return &p;
  return nullptr;
}

// Of a new run at each place, as the interval of a prediction.
std::vector<fit::Interval> band_of(const analysis::LawFit& fit, const fit::Posterior& draws,
                                   const std::vector<fit::Target>& at) {
  const Eigen::MatrixXd losses = draws.predict(at);
  std::vector<double> factors;
  for (int k = 0; k < draws.size(); ++k) {
    const double z = fit::normal_quantile(random_unit(0, kNoiseStream, static_cast<uint64_t>(k)) + 0x1p-54);
    factors.push_back(std::exp(draws.noise()[k] * z));
  }
  std::vector<fit::Interval> band;
  for (Eigen::Index t = 0; t < losses.cols(); ++t) {
    std::vector<double> values;
    for (int k = 0; k < draws.size(); ++k) values.push_back(losses(k, t) * factors[static_cast<size_t>(k)]);
    band.push_back(fit::percentile_interval(std::move(values), fit.result.confidence));
  }
  return band;
}

// One variant of a panel: its law along the path, the runs about it, and the target.
class VariantOnPath {
 public:
  VariantOnPath(const analysis::ReportInput& input, const analysis::LawFit& fit, const fit::Posterior& draws,
                const Path& path, const fit::Prediction& prediction, render::PlotSeries look)
      : input_(input), fit_(fit), draws_(draws), path_(path), prediction_(prediction), look_(std::move(look)) {}

  void add_to(render::PlotPanel& panel) const {
    add_law(panel);
    add_runs(panel);
    add_target(panel);
  }

 private:
  double target_flops() const { return flops_of(prediction_.target.params, prediction_.target.tokens); }

  void add_law(render::PlotPanel& panel) const {
    const double from = std::min(path_.least, target_flops()), to = std::max(path_.most, target_flops());
    std::vector<fit::Target> at;
    for (int i = 0; i < kBandPoints; ++i)
      at.push_back(
          path_.at(from * std::pow(to / from, static_cast<double>(i) / (kBandPoints - 1)), prediction_.target));
    const std::vector<double> losses = fit_.losses(at);
    const std::vector<fit::Interval> band = band_of(fit_, draws_, at);
    render::PlotBand shade{look_.colour, {}, look_.name};
    render::PlotSeries inside{"", look_.colour, render::Marker::none, render::Dash::solid, true, false, {}};
    render::PlotSeries beyond{"", look_.colour, render::Marker::none, render::Dash::dashed, true, false, {}};
    for (size_t i = 0; i < at.size(); ++i) {
      const double flops = flops_of(at[i].params, at[i].tokens);
      const std::string title =
          fmt::format("{}, {} parameters on {} tokens: {} by the law, {} to {}", look_.name, format_count(at[i].params),
                      format_count(at[i].tokens), render::format_bpc(losses[i]), render::format_bpc(band[i].first),
                      render::format_bpc(band[i].second));
      shade.points.push_back({flops, losses[i], band[i].first, band[i].second, ""});
      const render::PlotPoint point{flops, losses[i], {}, {}, title};
      const bool measured = flops >= path_.least * (1 - 1e-9) && flops <= path_.most;
      if (measured) inside.points.push_back(point);
      // The two meet, whichever side the runs are on.
      if (!measured && beyond.points.empty() && !inside.points.empty()) beyond.points.push_back(inside.points.back());
      if (!measured) beyond.points.push_back(point);
    }
    panel.bands.push_back(std::move(shade));
    panel.series.push_back(std::move(inside));
    panel.series.push_back(std::move(beyond));
  }

  void add_runs(render::PlotPanel& panel) const {
    std::vector<fit::Target> at;
    for (const fit::Point& p : fit_.points) at.push_back(path_.at(flops_of(p.params, p.tokens), prediction_.target));
    const std::vector<double> losses = fit_.losses(at);
    render::PlotSeries runs = look_;
    runs.small = fit_.points.size() > 40;
    for (size_t k = 0; k < fit_.points.size(); ++k) {
      const fit::Point& p = fit_.points[k];
      const double missed = p.loss / fit_.result.fits[k].fitted;
      runs.points.push_back(
          {flops_of(p.params, p.tokens),
           losses[k] * missed,
           {},
           {},
           fmt::format("{}, {} parameters on {} tokens: measured {}, by the law {} (run {})", look_.name,
                       format_count(p.params), format_count(p.tokens), render::format_bpc(p.loss),
                       render::format_bpc(fit_.result.fits[k].fitted), input_.runs[fit_.runs[k]].row.id)});
    }
    panel.series.push_back(std::move(runs));
  }

  void add_target(render::PlotPanel& panel) const {
    const auto [low, high] = *prediction_.interval;
    render::PlotSeries ring{"", look_.colour, render::Marker::ring, render::Dash::solid, false, false, {}};
    ring.points.push_back({target_flops(), *prediction_.loss, low, high,
                           fmt::format("{} at {} parameters on {} tokens: {} predicted, {} to {}, {}", look_.name,
                                       format_count(prediction_.target.params), format_count(prediction_.target.tokens),
                                       render::format_bpc(*prediction_.loss), render::format_bpc(low),
                                       render::format_bpc(high), prediction_.beyond.text())});
    panel.series.push_back(std::move(ring));
  }

  const analysis::ReportInput& input_;
  const analysis::LawFit& fit_;
  const fit::Posterior& draws_;
  const Path& path_;
  const fit::Prediction& prediction_;
  render::PlotSeries look_;
};

// Laws of both axes that the points carry with an interval, at most one a variant.
struct Drawn {
  const analysis::LawFit* fit;
  size_t variant;
};

std::vector<Drawn> laws_with_intervals(const analysis::GroupAnalysis& g) {
  std::vector<Drawn> drawn;
  for (size_t v = 0; v < g.table.variants.size(); ++v) {
    for (const analysis::LawFit& fit : g.fits) {
      if (fit.variant != g.table.variants[v] || !fit.drawable() || !fit.result.axis.empty()) continue;
      const auto& predictions = fit.result.predictions;
      if (std::none_of(predictions.begin(), predictions.end(), [](const fit::Prediction& p) { return p.interval; }))
        continue;
      if (fit.result.posterior) drawn.push_back({&fit, v});
      break;
    }
  }
  return drawn;
}

}  // namespace

std::optional<render::Figure> prediction_figure(const analysis::ReportInput& input, const analysis::GroupAnalysis& g) {
  render::Figure figure{"prediction.svg", "Predictions", "", {}, true};
  const std::vector<Drawn> drawn = laws_with_intervals(g);
  for (const fit::Target& target : input.targets) {
    if (figure.panels.size() == kMostPanels) break;
    std::vector<const analysis::LawFit*> fits;
    for (const Drawn& d : drawn)
      if (prediction_at(*d.fit, target) != nullptr) fits.push_back(d.fit);
    if (!(target.params > 0) || !(target.tokens > 0)) continue;
    const auto path = path_to(fits, target);
    if (!path) continue;
    render::PlotPanel panel;
    panel.title = fmt::format("{} parameters on {} tokens", format_count(target.params), format_count(target.tokens));
    panel.x = {"training compute, 6 N D (FLOPs)", render::Scale::log, render::TickFormat::power, {}, {}};
    panel.y = {loss_title(g, "final validation loss"), render::Scale::linear, render::TickFormat::plain, {}, {}};
    for (const Drawn& d : drawn) {
      const fit::Prediction* prediction = prediction_at(*d.fit, target);
      if (prediction == nullptr) continue;
      VariantOnPath(input, *d.fit, *d.fit->result.posterior, *path, *prediction,
                    variant_series(d.variant, d.fit->variant))
          .add_to(panel);
    }
    panel.beyond_from = path->most;
    figure.panels.push_back(std::move(panel));
  }
  if (figure.panels.empty()) return std::nullopt;
  figure.caption =
      "The fitted law from the middle of the runs to the target, with the 95 % band for a single new run. Dashed, on "
      "tinted ground: beyond the compute of any run. Markers: runs, each as far off the curve as it missed the law; "
      "rings: the target with its interval.";
  return figure;
}

}  // namespace bitsweep::report
