#include "cli/data_texts.h"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "base/units.h"
#include "data/dataset.h"
#include "data/question_text.h"
#include "data/token_plan.h"
#include "spec/corpus_value.h"
#include "spec/tokenizer_value.h"
#include "tasks/load_tasks.h"

namespace bitsweep::cli {
namespace {

constexpr int64_t kMostRows = 1'000'000'000, kLongContext = 1 << 20;

json::array as_json(const data::Yardsticks& yardsticks) {
  json::array orders;
  for (const double bits : yardsticks.bits_per_byte) orders.push_back(bits);
  return orders;
}

int all_cores() { return static_cast<int>(std::max(1u, std::thread::hardware_concurrency())); }

// As people know it; of a file or a recipe, with what tells two of one name apart.
std::string tokenizer_name(const spec::DataSpec& spec) {
  const std::string name = spec::tokenizer_text(spec::tokenizer_json(spec));
  if (spec.tokenizer == spec::no_tokenizer) return "an unknown vocabulary";
  return spec.is_bytes() ? name : fmt::format("{} {:.8}", name, spec.tokenizer_sha256);
}

// Without yardsticks.
store::DatasetRecord record_of(const spec::DataSpec& spec, const data::DatasetInfo& info) {
  return {.id = dataset_id(spec),
          .name = info.name,
          .tokenizer = tokenizer_name(spec),
          .sha256 = info.sha256,
          .bytes = static_cast<int64_t>(info.bytes),
          .train_tokens = info.train_tokens,
          .val_tokens = info.val_tokens,
          .val_sha256 = info.val_sha256,
          .unknown_bytes = static_cast<int64_t>(info.unknown_bytes),
          .ngram_bpb = {},
          .entropy_bpb = info.entropy_bits_per_byte};
}

// "'fineweb' is not encoded yet by bpe.model: about 2.41M tokens, 4.82 MB on disk, 3 s of one core; …".
std::string to_build_text(const spec::DataSpec& spec, const plan::DatasetFacts& facts) {
  const std::string name = spec::tokenizer_text(spec::tokenizer_json(spec));
  if (spec.recipe.vocab > 0 && facts.train_tokens == 0)
    return fmt::format(
        "'{}' is not trained yet: how many tokens it makes of '{}' is known after 'bitsweep tokenize', "
        "submit or run",
        name, spec::corpus_text(spec::corpus_json(spec)));
  return fmt::format(
      "'{}' is not encoded yet by {}: about {} tokens, {} on disk, {} of one core; 'bitsweep tokenize', "
      "submit and run do it",
      spec::corpus_text(spec::corpus_json(spec)), name,
      format_count(static_cast<double>(facts.train_tokens + facts.val_tokens)), format_bytes(facts.store_bytes),
      format_duration(facts.store_seconds));
}

// What `look` throws of the input; nothing when it is content.
template <class Look>
std::vector<Diagnostic> wrong_with(const Look& look) {
  try {
    look();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    return error.diagnostics();
  }
  return {};
}

// The same texts in tokens that cannot be wrong.
spec::DataSpec without_tokenizer(spec::DataSpec data) {
  data.tokenizer = data.is_shards() ? std::string(spec::no_tokenizer) : "bytes256";
  data.vocab_rows = data.is_shards() ? std::max<int64_t>(data.vocab_rows, kMostRows) : 0;
  data.recipe = {};
  data.documents.clear();
  if (!data.examples.file.empty()) data.context = kLongContext;
  return data;
}

}  // namespace

// The tokenizer is opened before a text is read, so that what is wrong with the one hides what is with the other.
std::vector<plan::DataProblem> DataTexts::problems_of(const spec::DataSpec& data, const Error& whole) const {
  std::vector<plan::DataProblem> problems;
  const bool of_file = !data.is_bytes() && data.recipe.vocab == 0 && data.tokenizer != spec::no_tokenizer;
  if (of_file)
    for (const Diagnostic& d : wrong_with([&] { data::open_file_tokenizer(data); }))
      problems.push_back({"data.tokenizer", d.to_string()});
  const auto of_val = [&](const std::string& text) {
    return !data.val.empty() &&
           (text.find(data.val) != std::string::npos || text.find("the validation text") != std::string::npos);
  };
  for (const Diagnostic& d : wrong_with([&] { data::Dataset::inspect(without_tokenizer(data), cache_); })) {
    const std::string text = d.to_string();
    problems.push_back({of_val(text) ? "data.val" : "data.corpus", text});
  }
  if (!problems.empty()) return problems;
  // Only together are they wrong: a tokenizer that this text cannot train, too few tokens, …
  for (const Diagnostic& d : whole.diagnostics())
    problems.push_back({data.recipe.vocab > 0 ? "data.tokenizer" : "data.corpus", d.to_string()});
  return problems;
}

plan::DatasetFacts DataTexts::look_at(const spec::DataSpec& spec, const spec::DataSpec& shown, bool build) const try {
  const bool open = encoding_ != nullptr && (build || !spec.is_bytes());
  data::DatasetInfo info = open ? data::Dataset::open(spec, cache_, {.threads = all_cores(), .notes = encoding_}).info()
                                : data::Dataset::inspect(spec, cache_);
  plan::DatasetFacts facts{.sha256 = info.sha256,
                           .bytes = static_cast<int64_t>(info.bytes),
                           .train_tokens = info.train_tokens,
                           .val_tokens = info.val_tokens,
                           .vocab = info.vocab,
                           .tokenizer_sha256 = info.tokenizer_sha256,
                           .documents = info.documents,
                           .documents_sha256 = info.documents_sha256,
                           .bytes_per_token = info.bytes_per_token,
                           .notes = std::move(info.notes),
                           .val_bytes = {info.val_bytes.begin(), info.val_bytes.end()}};
  if (!info.to_build) return facts;
  facts.estimated = true;
  facts.store_bytes = info.to_build->disk_bytes;
  if (info.to_build->bytes_per_s > 0)
    facts.store_seconds = static_cast<double>(info.bytes) / info.to_build->bytes_per_s;
  facts.notes.push_back(to_build_text(shown, facts));
  return facts;
} catch (const Error& error) {
  if (error.kind() != ErrorKind::input) throw;
  plan::DatasetFacts facts;
  facts.problems = problems_of(spec, error);
  return facts;
}

prepare::Texts::Measured DataTexts::measure(const spec::DataSpec& spec, const Scored& scored, Notes& notes) {
  const data::Dataset data = data::Dataset::open(spec, cache_, {.threads = all_cores(), .notes = &notes});
  const data::DatasetInfo& info = data.info();
  if (!data.knows_text()) return {record_of(spec, info), {}};
  const data::DatasetYardsticks yardsticks = data.yardsticks(scored.windows, scored.bytes, &notes);
  Measured measured;
  measured.dataset = record_of(spec, info);
  measured.dataset.ngram_bpb = as_json(yardsticks.split);
  const auto add = [&](int64_t context, int64_t asked, const data::Yardsticks& found) {
    measured.yardsticks.push_back({.context = context,
                                   .windows = asked,
                                   .bytes = static_cast<int64_t>(found.scored_bytes),
                                   .ngram_bpb = as_json(found)});
  };
  for (size_t i = 0; i < scored.windows.size(); ++i) add(spec.context, scored.windows[i], yardsticks.windows[i]);
  for (size_t i = 0; i < scored.bytes.size(); ++i) add(store::kAnyContext, scored.bytes[i], yardsticks.stretches[i]);
  return measured;
}

void DataTexts::check_tasks(const std::vector<spec::TaskSpec>& tasks) { tasks::load_tasks(tasks, data::question_text); }

std::optional<DataTexts::Trained> DataTexts::trained_tokenizer(const spec::DataSpec& data) {
  const auto tokenizer = data::find_trained_tokenizer(data, data.tokenizer_sha256, cache_);
  if (tokenizer == nullptr) return std::nullopt;
  return Trained{data::trained_tokenizer_file(cache_, data.tokenizer_sha256), tokenizer->facts().sha256};
}

plan::DatasetFacts DataTexts::probe(const spec::DataSpec& spec) { return look_at(spec, spec, false); }

// The worker looks for such a text as it is named here, and finds it built: what it takes to encode one is no part of
// what a run was planned with.
plan::DatasetFacts DataTexts::probe_beside(const spec::DataSpec& own, const spec::AlsoSpec& text) {
  spec::DataSpec data = data::text_beside(own, text, cache_);
  spec::DataSpec shown = data;
  shown.tokenizer = own.tokenizer;
  shown.recipe = own.recipe;
  if (data.is_bytes() || wrong_with([&] { data::open_file_tokenizer(data); }).empty())
    return look_at(data, shown, true);
  // Its file is told elsewhere, or not there before it is trained: the text is looked at as such.
  plan::DatasetFacts facts = look_at(without_tokenizer(data), shown, false);
  if (own.recipe.vocab == 0 || !facts.problems.empty()) return facts;
  facts.train_tokens = facts.val_tokens = 0;
  facts.estimated = true;
  facts.notes.push_back(to_build_text(shown, facts));
  return facts;
}

}  // namespace bitsweep::cli
