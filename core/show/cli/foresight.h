// What laws say of runs that have not begun, kept in the store so that it can be held against what they measure.
//
// Only what a law can say honestly is kept: with an interval, from points that carry the law by its own rules. The rest
// is told in words.
#pragma once

#include <string>
#include <vector>

#include "cli/law_data.h"
#include "coordinate/coordinator.h"
#include "fit/fit.h"
#include "store/store.h"

namespace bitsweep {

struct Forecast {
  FitRecord fit;
  std::vector<PredictionRecord> predictions;  // of runs that have not begun
};

struct Foresight {
  std::vector<Forecast> forecasts;
  std::vector<std::string> refused;  // a sentence a variant of which runs wait and nothing can be said
};

// A run that is to be spoken of: its id, or "" for a place, and where it lies.
struct Foretold {
  std::string run;
  double params = 0, tokens = 0;
};

// The first law that has an interval for every one of them: those asked for, then chinchilla, then power. Nothing, and
// in `why` the reasons, when none has.
std::optional<Forecast> forecast(const LawData& data, const std::vector<std::string>& sweeps,
                                 const std::vector<Foretold>& about, const std::vector<std::string>& laws,
                                 std::string_view maker, std::string& why);

// Of all runs of these sweeps that wait; no names: of all sweeps.
Foresight foresee(const Query& query, const std::vector<std::string>& sweeps, std::string_view maker);

// What became of it; the fits that say something new are kept with their predictions.
StoredPredictions keep(Store& store, const Foresight& foresight);

// Both, for verbs that queue runs: says on stderr what was stored and what was refused. Never throws for what the data
// are, nor when the database refuses: a run is worth more than its prediction.
void foretell_waiting(Store& store, const std::vector<std::string>& sweeps, std::string_view maker);

// The record of a fit of these points, as the store keeps it.
FitRecord fit_record(const std::vector<std::string>& sweeps, const std::vector<Point>& points, std::string_view dataset,
                     const FitOptions& options, const FitResult& result);

// Fits again as runs finish, and stores what the law then says of those that wait, while `inner` tells people what
// happens. Nothing is fitted before a run has finished. The fit is a process of its own and of lowest priority, at most
// one in a hundred seconds of a processor's time; a failure of it is never one of a run. `sweeps` empty: all.
std::unique_ptr<Progress> foretelling_progress(std::unique_ptr<Progress> inner, const Store& store,
                                               std::vector<std::string> sweeps, std::string maker);

}  // namespace bitsweep
