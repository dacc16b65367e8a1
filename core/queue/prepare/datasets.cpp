#include "prepare/datasets.h"

#include <map>
#include <set>

namespace bitsweep::prepare {

void prepare_datasets(const plan::Plan& plan, store::Store& store, Texts& texts, Notes& notes) {
  struct Asked {
    const spec::DataSpec* data = nullptr;
    std::set<std::pair<int64_t, int64_t>> seen;  // windows and bytes
    Texts::Scored missing;
  };
  std::map<std::pair<std::string, int64_t>, Asked> all;  // by data set and context
  for (const plan::PlannedRun& run : plan.runs) {
    const std::string id = dataset_id(run.spec.data);
    const int64_t context = run.spec.data.context, windows = run.spec.eval.windows, bytes = run.spec.eval.bytes;
    Asked& asked = all[{id, context}];
    asked.data = &run.spec.data;
    if (!asked.seen.insert({bytes > 0 ? 0 : windows, bytes}).second) continue;
    if (!run.spec.data.examples.file.empty()) continue;  // no text for a table of counts
    if (bytes > 0) {
      if (!store.has_yardsticks(id, store::kAnyContext, bytes)) asked.missing.bytes.push_back(bytes);
    } else if (run.spec.data.is_bytes() && !store.has_yardsticks(id, context, windows)) {
      asked.missing.windows.push_back(windows);
    }
  }
  for (const auto& [place, asked] : all) {
    const bool known = store.dataset(place.first).has_value();
    if (known && asked.missing.empty()) continue;
    const Texts::Measured measured = texts.measure(*asked.data, asked.missing, notes);
    if (!known) store.put_dataset(measured.dataset);
    for (const store::YardstickRecord& yardsticks : measured.yardsticks) store.put_yardsticks(place.first, yardsticks);
  }
}

}  // namespace bitsweep::prepare
