#include "cli/data_texts.h"

#include <fmt/format.h>

#include "base/units.h"
#include "data/dataset.h"
#include "data/stories_questions.h"
#include "tasks/load_tasks.h"

namespace bitsweep::cli {
namespace {

json::array as_json(const data::Yardsticks& yardsticks) {
  json::array orders;
  for (const double bits : yardsticks.bits_per_byte) orders.push_back(bits);
  return orders;
}

}  // namespace

plan::DatasetFacts DataTexts::probe(const spec::DataSpec& data) {
  data::DatasetInfo info = data::Dataset::inspect(data, cache_);
  return {.sha256 = info.sha256,
          .bytes = static_cast<int64_t>(info.bytes),
          .train_tokens = info.train_tokens,
          .val_tokens = info.val_tokens,
          .vocab = info.vocab,
          .notes = std::move(info.notes)};
}

prepare::Texts::Measured DataTexts::measure(const spec::DataSpec& spec, const std::vector<int64_t>& windows,
                                            Notes& notes) {
  const data::Dataset data = data::Dataset::open(spec, cache_);
  const data::DatasetInfo& info = data.info();
  notes.progress(fmt::format("data: {}, {} to train on, {} to validate on; counting n-grams", info.name,
                             format_bytes(static_cast<double>(info.train_tokens)),
                             format_bytes(static_cast<double>(info.val_tokens))));
  const data::DatasetYardsticks yardsticks = data.yardsticks(windows);
  Measured measured;
  measured.dataset = {.id = dataset_id(spec),
                      .name = info.name,
                      .tokenizer = spec.tokenizer,
                      .sha256 = info.sha256,
                      .bytes = static_cast<int64_t>(info.bytes),
                      .train_tokens = info.train_tokens,
                      .val_tokens = info.val_tokens,
                      .val_sha256 = info.val_sha256,
                      .unknown_bytes = static_cast<int64_t>(info.unknown_bytes),
                      .ngram_bpb = as_json(yardsticks.split),
                      .entropy_bpb = info.entropy_bits_per_byte};
  for (size_t i = 0; i < windows.size(); ++i)
    measured.yardsticks.push_back({.context = spec.context,
                                   .windows = windows[i],
                                   .bytes = static_cast<int64_t>(yardsticks.windows[i].scored_bytes),
                                   .ngram_bpb = as_json(yardsticks.windows[i])});
  return measured;
}

void DataTexts::check_tasks(const std::vector<spec::TaskSpec>& tasks) {
  tasks::load_tasks(tasks, data::stories_questions_lines);
}

}  // namespace bitsweep::cli
