// What a report advises and what it remembers: values that others work out (plugins say what a model costs, room advise
// ranks runs, the store keeps earlier fits). The sections made from them are show's.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fit/points.h"

namespace bitsweep::analysis {

// Bytes of tensors on the device that trains, and of a checkpoint.
struct TargetBytes {
  int64_t weights = 0, gradients = 0, optimizer = 0, activations = 0, peak = 0, checkpoint = 0;
};

// A run at a target, as a variant's plugin and the speeds of this machine have it.
struct TargetPlan {
  std::string group, variant;  // ComparableGroup::label; as in the group's table
  fit::Target target;
  std::string like;   // id of the run whose settings it takes: the best one of the size nearest to the target's
  std::string shape;  // "d_model 160, n_layers 4, n_heads 10, d_ff 320"
  double params = 0, tokens = 0, flops = 0;
  int64_t steps = 0, warmup = 0, stored_bytes = 0;  // stored: as deployed; 0: the plugin does not say
  std::optional<TargetBytes> bytes;                 // nothing: the plugin does not say
  std::optional<double> hours;                      // on one slot; nothing: no speed of the plugin is known
  bool hours_measured = false;                      // of this very shape; else scaled by FLOPs from another
  bool table = false;                               // of a table of points: of no plugin, hours by its wall times
  std::string refused;                              // why there is no plan; "" when there is
};

// One candidate of the next runs.
struct NextRun {
  double params = 0, tokens = 0;
  int64_t steps = 0;
  double cost = 0;                         // in NextRuns::unit, of one run
  double takes = 0;                        // of the prediction's variance, as a fraction of that now
  std::optional<double> expected, leaves;  // of a run of the batch: its loss; the half-width after it and those before
};

// What to run next for one variant's law.
struct NextRuns {
  std::string group, variant, law;
  bool hours = false;                       // costs are hours on one slot, else FLOPs
  double cost = 0;                          // of the batch
  fit::Target target;                       // the first
  double now = 0;                           // half-width of its prediction
  std::vector<std::string> outlook;         // a line a target: what is known, and what will be after the batch
  std::vector<std::string> leans_on_prior;  // why the runs alone do not determine the law
  std::vector<NextRun> ranking, batch;      // alone, best per cost first; together, in their order
  size_t candidates = 0;
  std::string file, yaml;  // of the batch, beside the report; "" for none
  std::string refused;     // why there is no advice
};

// A fit that an earlier report of these sweeps made from other points.
struct EarlierFit {
  std::string law, variant, dataset;  // dataset: ComparableGroup::dataset
  std::vector<std::string> runs;      // of its points
  std::vector<std::pair<std::string, double>> params;
  std::map<std::string, std::pair<double, double>> intervals;
};

}  // namespace bitsweep::analysis
