#include "prepare/datasets.h"

#include <set>

namespace bitsweep::prepare {

void prepare_datasets(const plan::Plan& plan, store::Store& store, Texts& texts, Notes& notes) {
  std::set<std::string> seen;
  for (const plan::PlannedRun& run : plan.runs) {
    const std::string id = dataset_id(run.spec.data);
    if (!seen.insert(id).second || store.dataset(id)) continue;
    store.put_dataset(texts.measure(run.spec.data, notes));
  }
}

}  // namespace bitsweep::prepare
