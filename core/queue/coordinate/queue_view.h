// A root's queue as people are shown it: counts, what runs where, why the rest waits, how long it will take. One value
// for `status`, its JSON and whoever else shows it. Reading it changes nothing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "query/query.h"
#include "schedule/schedule.h"
#include "store/store.h"

namespace bitsweep::coordinate {

struct QueueView {
  struct Live {
    query::RunRow run;
    std::string device;
    std::optional<double> eta_s;  // by its own measured rate
    bool diverging = false;       // its last loss is far above that of a model that knows nothing
  };
  struct Waiting {
    query::RunRow run;
    std::string why;  // a sentence
  };

  std::map<RunState, int64_t> counts;  // in scope
  std::vector<Live> live;
  std::vector<Waiting> waiting;  // the first of the queue, in its order
  bool coordinator = false;      // a `work` or `run` holds this root
  std::string held;              // why nothing at all is started; ""
  double checkpoint_bytes = 0;   // that what is ahead will leave
  std::optional<double> eta_s;

  int64_t count(RunState state) const;
  int64_t runs() const;
  bool is_over() const { return live.empty() && count(RunState::queued) == 0; }
};

// Of the sweeps named, or of all; `most`: of those that wait. `query` and `store` are of one root, open for reading.
QueueView view_queue(const query::Query& query, store::Store& store, const std::vector<std::string>& sweeps,
                     int64_t most, Clock& clock = system_clock());

}  // namespace bitsweep::coordinate
