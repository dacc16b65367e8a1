// How predictions fared that were stored before their runs began. Pure but for the rows, which Query::predictions
// gives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace bitsweep::query {

// A row of the view `predictions`.
struct PredictionRow {
  int64_t id = 0;
  std::optional<int64_t> fit;
  std::string run;  // "" while there is none at its place
  std::string law, maker, version, data, variant;
  std::string state, exit_cause;  // of the run
  double made = 0;                // unix seconds
  double params = 0, tokens = 0, loss = 0;
  std::optional<double> lower, upper;  // of the loss of one run
  double level = 0.95;
  std::optional<double> extrapolation;  // how far outside of the points it was made from, as a factor
  std::optional<double> measured;       // the loss at the end, once the run is done
};

// hit: within the interval; void: the run ended without a loss to hold against it; newer: another prediction of the run
// was stored after this one and before it began.
enum class Verdict { pending, hit, miss, without_interval, void_run };
std::string_view to_text(Verdict verdict);

struct ScoredPrediction {
  PredictionRow row;
  Verdict verdict = Verdict::pending;
  bool last = true;             // the latest one of its run, which counts; earlier ones are history
  std::optional<double> error;  // measured − loss
  // The error in standard deviations, as its interval has them for a normal distribution.
  std::optional<double> standardised;
};

// Over the last prediction of each run. Coverage and sharpness are of those that are hit or miss.
struct Calibration {
  std::vector<ScoredPrediction> predictions;  // by time made
  int64_t pending = 0, hits = 0, misses = 0, without_interval = 0, void_runs = 0;
  std::optional<double> nominal;                               // mean level of the intervals
  std::optional<double> coverage;                              // hits / (hits + misses)
  std::optional<std::pair<double, double>> coverage_interval;  // 95 %, Wilson 1927
  std::optional<double> sharpness;                             // median of (upper − lower) / 2 / loss
  std::optional<double> median_error;                          // of |error| / measured
  std::optional<double> bias;  // mean of error / measured; above 0: runs end higher than foretold
  std::optional<double>
      interval_score;  // mean, as a fraction of the loss: Gneiting, Raftery 2007, eq. 43; lower is better

  int64_t scored() const { return hits + misses; }
};

Calibration calibrate(std::vector<PredictionRow> rows);

// {"predictions": [{…, "verdict"}], "hits", "misses", "pending", "coverage", …}: the document of `calibration --json`.
json::object to_json(const Calibration& calibration);
json::object to_json(const ScoredPrediction& prediction);

// In a sentence: "9 of 10 runs ended within their 95 % intervals (60 to 98 % at this number); …"; "" for no
// predictions.
std::string calibration_words(const Calibration& calibration);

}  // namespace bitsweep::query
