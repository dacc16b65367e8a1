// What laws say of runs that have not begun, kept in the store so that it can be held against what they measure.
//
// Only what a law can say honestly is kept: with an interval, from points that carry the law by its own rules. The rest
// is told in words.
#pragma once

#include <string>
#include <vector>

#include "analysis/law_data.h"
#include "base/notes.h"
#include "fit/fit.h"
#include "store/store.h"

namespace bitsweep::predict {

// One law, and what it says.
struct FitPredictions {
  store::FitRecord fit;
  std::vector<store::PredictionRecord> predictions;  // of runs that have not begun
};

// Of runs that wait, by all laws that say something of them.
struct WaitingPredictions {
  std::vector<FitPredictions> made;
  std::vector<std::string> refused;  // a sentence a variant of which runs wait and nothing can be said
};

// A run or a place that is to be predicted: its id, or "" for a place, and where it lies.
struct PredictionPlace {
  std::string run;
  double params = 0, tokens = 0;
};

// The first law that has an interval for every one of them: those asked for, then chinchilla, then power. Nothing, and
// in `why` the reasons, when none has.
std::optional<FitPredictions> predict(const analysis::LawData& data, const std::vector<std::string>& sweeps,
                                      const std::vector<PredictionPlace>& about, const std::vector<std::string>& laws,
                                      std::string_view maker, std::string& why);

// Of all runs of these sweeps that wait; no names: of all sweeps.
WaitingPredictions predict_waiting(const query::Query& query, const std::vector<std::string>& sweeps,
                                   std::string_view maker);

// What became of it; the fits that say something new are kept with their predictions.
store::StoredPredictions keep_predictions(store::Store& store, const WaitingPredictions& predictions);

// Both, for verbs that queue runs: says what was stored and what was refused. Never throws for what the data are, nor
// when the database refuses: a run is worth more than its prediction.
void store_predictions(store::Store& store, const std::vector<std::string>& sweeps, std::string_view maker,
                       Notes& notes);

// The record of a fit of these points, as the store keeps it.
store::FitRecord fit_record(const std::vector<std::string>& sweeps, const std::vector<fit::Point>& points,
                            std::string_view dataset, const fit::FitOptions& options, const fit::FitResult& result);

}  // namespace bitsweep::predict
