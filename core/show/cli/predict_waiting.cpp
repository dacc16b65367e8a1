// `bitsweep foretell`, hidden: what the prediction loop starts beside the work (predict/prediction_loop.h).
#include "cli/predict_waiting.h"

#include <sys/resource.h>

#include "cli/options.h"
#include "predict/prediction_loop.h"
#include "predict/predictions.h"
#include "query/query.h"
#include "store/store.h"

namespace bitsweep::cli {
namespace {

constexpr int kNice = 10;  // lower still, it would not get to fit in the few minutes of a small sweep

// 0 when something new was stored.
int do_predict_waiting(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.root_option().value("maker", "the verb that asks");
  if (!line.parse(args)) return 0;
  ::setpriority(PRIO_PROCESS, 0, kNice);
  const rlimit most{predict::kMostPredicting_s, predict::kMostPredicting_s};
  ::setrlimit(RLIMIT_CPU, &most);
  const predict::WaitingPredictions predictions =
      predict::predict_waiting(query::Query(line.root()), line.positional(), line.get("maker").value_or(verb.name));
  if (predictions.made.empty()) return 1;
  store::Store store(line.root(), store::StoreMode::create);
  return keep_predictions(store, predictions).stored > 0 ? 0 : 1;
}

}  // namespace

std::vector<std::string> predict_waiting_command(const fs::path& root, const std::vector<std::string>& sweeps,
                                                 const std::string& maker) {
  std::vector<std::string> words{"bitsweep", kPredictWaitingVerb.name, "--root", root.string(), "--maker", maker};
  words.insert(words.end(), sweeps.begin(), sweeps.end());
  return words;
}

const Verb kPredictWaitingVerb{"foretell",         "Store what laws say of the runs that wait",
                               "[SWEEP…]",         "bitsweep foretell quickstart",
                               do_predict_waiting, true};

}  // namespace bitsweep::cli
