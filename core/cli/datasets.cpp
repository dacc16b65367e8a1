#include "cli/datasets.h"

#include <set>

#include <fmt/format.h>

#include "base/units.h"
#include "cli/options.h"
#include "data/dataset.h"

namespace bitsweep {
namespace {

DatasetRecord measure(const std::string& id, const DataSpec& spec, const RootPaths& paths) {
  const Dataset data = Dataset::open(spec, paths.cache());
  const DatasetInfo& info = data.info();
  print_error(fmt::format("data: {}, {} to train on, {} to validate on; counting n-grams", info.name,
                          format_bytes(static_cast<double>(info.train_tokens)),
                          format_bytes(static_cast<double>(info.val_tokens))));
  DatasetRecord record{.id = id,
                       .name = info.name,
                       .tokenizer = spec.tokenizer,
                       .sha256 = info.sha256,
                       .bytes = static_cast<int64_t>(info.bytes),
                       .train_tokens = info.train_tokens,
                       .val_tokens = info.val_tokens,
                       .val_sha256 = info.val_sha256,
                       .unknown_bytes = static_cast<int64_t>(info.unknown_bytes),
                       .ngram_bpb = {},
                       .entropy_bpb = info.entropy_bits_per_byte};
  for (double bits : data.yardsticks().bits_per_byte) record.ngram_bpb.push_back(bits);
  return record;
}

}  // namespace

void prepare_datasets(const Plan& plan, Store& store) {
  std::set<std::string> seen;
  for (const PlannedRun& run : plan.runs) {
    const std::string id = dataset_id(run.spec.data);
    if (!seen.insert(id).second || store.dataset(id)) continue;
    store.put_dataset(measure(id, run.spec.data, store.paths()));
  }
}

}  // namespace bitsweep
