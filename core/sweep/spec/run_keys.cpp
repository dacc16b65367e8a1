// The table of a run's keys: one entry a key, in the order of a sweep file.
#include <algorithm>

#include "spec/also_value.h"
#include "spec/corpus_value.h"
#include "spec/keys.h"
#include "spec/tokenizer_value.h"

namespace bitsweep::spec {
namespace {

constexpr double kExact = 9007199254740992.0;  // 2^53

int64_t integer_of(const json::value& value) { return value.to_number<int64_t>(); }
double number_of(const json::value& value) { return value.to_number<double>(); }
std::string text_of(const json::value& value) { return std::string(value.get_string()); }

// A key that is one member of a section of RunSpec.
#define BITSWEEP_MEMBER(MEMBER, CONVERT)                                                \
  .set = [](RunSpec& spec, const json::value& value) { spec.MEMBER = CONVERT(value); }, \
  .get = [](const RunSpec& spec) { return json::value(spec.MEMBER); }

std::vector<std::string> words_of(const json::value& value) {
  std::vector<std::string> words;
  for (const json::value& item : value.get_array()) words.emplace_back(item.get_string());
  return words;
}

bool holds(const json::value& words, std::string_view word) {
  const auto found = words_of(words);
  return std::find(found.begin(), found.end(), word) != found.end();
}

std::vector<RunKey> model_and_data_keys() {
  return {
      {.path = "model.plugin", .type = ValueType::text, .help = "a variant's name, or the path of a .so"},
      {.path = "data.corpus",
       .type = ValueType::corpus,
       .words = {"headers", "stories", "repeat", "copy", "needle"},
       .help = "headers, stories, an induction task (repeat, copy, needle), the path of a text or a folder, several of "
               "these as [{ corpus, glob, field, weight }], or shards of tokens as { train: GLOB, val: GLOB }",
       .set = [](RunSpec& spec, const json::value& v) { set_corpus(spec.data, v); },
       .get = [](const RunSpec& spec) { return corpus_json(spec.data); }},
      {.path = "data.examples",
       .type = ValueType::path,
       .words = builtin_task_files(),
       .help = "in place of a corpus: a file of prompts and answers, or of messages, to fine-tune on",
       BITSWEEP_MEMBER(data.examples.file, text_of)},
      {.path = "data.template",
       .type = ValueType::layout,
       .help = "how examples are put",
       .set = [](RunSpec& spec, const json::value& v) { spec.data.examples.layout = template_from(v); },
       .get = [](const RunSpec& spec) { return json::value(to_json(spec.data.examples.layout)); }},
      {.path = "data.loss",
       .type = ValueType::choice,
       .words = {"answer", "all"},
       .help = "what of an example is learned",
       BITSWEEP_MEMBER(data.examples.loss, text_of)},
      {.path = "data.pack",
       .type = ValueType::boolean,
       .help = "rows hold as many examples as fit, without a mask between them",
       .set = [](RunSpec& spec, const json::value& v) { spec.data.examples.pack = v.as_bool(); },
       .get = [](const RunSpec& spec) { return json::value(spec.data.examples.pack); }},
      {.path = "data.glob",
       .type = ValueType::text,
       .help = "files taken from a folder",
       BITSWEEP_MEMBER(data.glob, text_of)},
      {.path = "data.field",
       .type = ValueType::text,
       .help = "the text's key in JSON lines, or its column in Parquet files",
       BITSWEEP_MEMBER(data.field, text_of)},
      {.path = "data.tokenizer",
       .type = ValueType::tokenizer,
       .words = tokenizer_names(),
       .help = "ascii128, bytes256, a SentencePiece .model, a tokenizer.json, or { train: { kind, vocab, sample } }",
       .set =
           [](RunSpec& spec, const json::value& v) {
             const bool trained = v.is_object();
             spec.data.tokenizer = trained ? "" : text_of(v);
             spec.data.recipe = trained ? tokenizer_recipe(v.get_object()) : TokenizerRecipe{};
           },
       .get = [](const RunSpec& spec) { return json::value(spec.data.tokenizer); }},
      {.path = "data.vocab_rows",
       .type = ValueType::integer,
       .least = 0,
       .most = 1'000'000'000,
       .help =
           "rows of the embedding, where a checkpoint to start from has more than the tokenizer has tokens; 0: as many",
       BITSWEEP_MEMBER(data.vocab_rows, integer_of)},
      {.path = "data.documents",
       .type = ValueType::choice,
       .words = {"none", "bos", "eos"},
       .help = "the token between documents; without it the tokenizer's own choice",
       BITSWEEP_MEMBER(data.documents, text_of)},
      {.path = "data.context",
       .type = ValueType::integer,
       .least = 1,
       .most = 1 << 20,
       .help = "tokens of a sequence",
       BITSWEEP_MEMBER(data.context, integer_of)},
      {.path = "data.val_fraction",
       .type = ValueType::number,
       .least = 0,
       .most = 1,
       .above_least = true,
       .below_most = true,
       .help = "of the corpus, in contiguous blocks",
       BITSWEEP_MEMBER(data.val_fraction, number_of)},
      {.path = "data.val",
       .type = ValueType::path,
       .help = "a validation text of its own",
       BITSWEEP_MEMBER(data.val, text_of)},
      {.path = "data.split",
       .type = ValueType::choice,
       .words = {"bytes", "documents"},
       .help = "where validation blocks begin and end: at any byte, or between documents",
       BITSWEEP_MEMBER(data.split, text_of)},
  };
}

std::vector<RunKey> budget_keys() {
  return {
      {.path = "train.steps",
       .type = ValueType::integer,
       .least = 1,
       .most = 1e9,
       .help = "or train.tokens, or train.epochs"},
      {.path = "train.tokens",
       .type = ValueType::number,
       .least = 1,
       .most = 1e15,
       .help = "tokens seen; rounded up to whole steps"},
      {.path = "train.epochs",
       .type = ValueType::number,
       .least = 0,
       .most = 1e6,
       .above_least = true,
       .help = "times the training split is seen; rounded down to whole steps"},
  };
}

std::vector<RunKey> schedule_keys() {
  return {
      {.path = "train.batch",
       .type = ValueType::integer,
       .least = 1,
       .most = 1e6,
       .help = "sequences a step",
       BITSWEEP_MEMBER(train.batch, integer_of)},
      {.path = "train.accumulate",
       .type = ValueType::integer,
       .least = 1,
       .most = 1e6,
       .help = "micro-batches a step",
       BITSWEEP_MEMBER(train.accumulate, integer_of)},
      {.path = "train.lr",
       .type = ValueType::number,
       .least = 0,
       .most = 100,
       .above_least = true,
       .help = "peak learning rate",
       BITSWEEP_MEMBER(train.lr, number_of)},
      {.path = "train.warmup",
       .type = ValueType::integer,
       .least = 0,
       .most = 1e9,
       .help = "steps",
       BITSWEEP_MEMBER(train.warmup, integer_of)},
      {.path = "train.schedule",
       .type = ValueType::choice,
       .words = {"cosine", "linear", "constant", "wsd", "two_stage"},
       .help = "of the learning rate after the warmup",
       BITSWEEP_MEMBER(train.schedule, text_of)},
      {.path = "train.lr_final",
       .type = ValueType::number,
       .least = 0,
       .most = 1,
       .help = "fraction of lr",
       BITSWEEP_MEMBER(train.lr_final, number_of)},
      {.path = "train.decay_fraction",
       .type = ValueType::number,
       .least = 0,
       .most = 1,
       .above_least = true,
       .help = "wsd: the last part of the steps, which decays",
       BITSWEEP_MEMBER(train.decay_fraction, number_of)},
  };
}

std::vector<RunKey> optimizer_keys() {
  return {
      {.path = "train.optimizer",
       .type = ValueType::choice,
       .words = {"adamw"},
       BITSWEEP_MEMBER(train.optimizer, text_of)},
      {.path = "train.betas",
       .type = ValueType::numbers,
       .least = 0,
       .most = 1,
       .below_most = true,
       .count = 2,
       .help = "of AdamW",
       .set =
           [](RunSpec& spec, const json::value& v) {
             spec.train.beta1 = number_of(v.get_array()[0]);
             spec.train.beta2 = number_of(v.get_array()[1]);
           },
       .get =
           [](const RunSpec& spec) {
             return json::value(json::array{spec.train.beta1, spec.train.beta2});
           }},
      {.path = "train.eps",
       .type = ValueType::number,
       .least = 0,
       .most = 1,
       .above_least = true,
       .help = "of AdamW",
       BITSWEEP_MEMBER(train.eps, number_of)},
      {.path = "train.weight_decay",
       .type = ValueType::number,
       .least = 0,
       .most = 100,
       .help = "of matrices",
       BITSWEEP_MEMBER(train.weight_decay, number_of)},
      {.path = "train.weight_decay_until",
       .type = ValueType::number,
       .least = 0,
       .most = 1,
       .above_least = true,
       .help = "fraction of the steps after which weight_decay is 0",
       BITSWEEP_MEMBER(train.weight_decay_until, number_of)},
      {.path = "train.clip",
       .type = ValueType::number,
       .least = 0,
       .most = 1e6,
       .help = "global gradient norm; 0 is off",
       BITSWEEP_MEMBER(train.clip, number_of)},
      {.path = "train.precision",
       .type = ValueType::choice,
       .words = {"f32", "bf16"},
       .help = "of the matmuls",
       BITSWEEP_MEMBER(train.precision, text_of)},
      {.path = "train.gradients",
       .type = ValueType::choice,
       .words = {"f32", "int16", "s6"},
       .help = "what gradients are rounded to where 1-bit layers multiply them; on a CPU, of plugins with an engine",
       BITSWEEP_MEMBER(train.gradients, text_of)},
      {.path = "train.init_from",
       .type = ValueType::text,
       .help = "id of the run whose best checkpoint to start from",
       BITSWEEP_MEMBER(train.init_from, text_of)},
      {.path = "train.freeze",
       .type = ValueType::texts,
       .help = "patterns (* and ?) over parameter names",
       .set = [](RunSpec& spec, const json::value& v) { spec.train.freeze = words_of(v); },
       .get = [](const RunSpec&) { return json::value(json::array()); }},
  };
}

std::vector<RunKey> measuring_keys() {
  return {
      {.path = "eval.every",
       .type = ValueType::integer,
       .least = 1,
       .most = 1e9,
       .help = "steps; the last is always evaluated",
       BITSWEEP_MEMBER(eval.every, integer_of)},
      {.path = "eval.windows",
       .type = ValueType::integer,
       .least = 1,
       .most = 1e7,
       .help = "fixed validation windows, evenly spread over the validation text",
       BITSWEEP_MEMBER(eval.windows, integer_of)},
      {.path = "eval.bytes",
       .type = ValueType::integer,
       .least = 0,
       .most = 1e9,
       .help = "in place of windows: bytes of validation text, the same for every tokenizer and context; 0 is off",
       BITSWEEP_MEMBER(eval.bytes, integer_of)},
      {.path = "eval.stride",
       .type = ValueType::integer,
       .least = 0,
       .most = 1 << 20,
       .help = "with eval.bytes: tokens that a window scores after what the ones before it did; 0: no window overlaps",
       BITSWEEP_MEMBER(eval.stride, integer_of)},
      {.path = "eval.probes",
       .type = ValueType::choice,
       .words = {"last", "every", "off"},
       .help = "at which evaluations the attention is probed",
       BITSWEEP_MEMBER(eval.probes, text_of)},
      {.path = "eval.also",
       .type = ValueType::also,
       .help = "texts that are scored beside the run's own, as NAME.bpc; no part of a run's id",
       .set = [](RunSpec& spec, const json::value& v) { spec.eval.also = also_from(v.get_object()); },
       .get = [](const RunSpec&) { return json::value(json::object()); }},
      {.path = "eval.before",
       .type = ValueType::boolean,
       .help = "whether a fresh run is evaluated, and asked its tasks, before its first step",
       .set = [](RunSpec& spec, const json::value& v) { spec.eval.before = v.as_bool(); },
       .get = [](const RunSpec& spec) { return json::value(spec.eval.before); }},
      {.path = "eval.tasks",
       .type = ValueType::tasks,
       .help = "questions asked at evaluations; no part of a run's id",
       .set = [](RunSpec& spec, const json::value& v) { spec.eval.tasks = task_specs_from(v); },
       .get = [](const RunSpec&) { return json::value(json::array()); }},
      {.path = "checkpoint.every",
       .type = ValueType::integer,
       .least = 1,
       .most = 1e9,
       .help = "steps",
       BITSWEEP_MEMBER(checkpoint.every, integer_of)},
      {.path = "checkpoint.keep",
       .type = ValueType::texts,
       .words = {"last", "best"},
       .help = "checkpoints that stay",
       .set =
           [](RunSpec& spec, const json::value& v) {
             spec.checkpoint.keep_last = holds(v, "last");
             spec.checkpoint.keep_best = holds(v, "best");
           },
       .get =
           [](const RunSpec&) {
             return json::value(json::array{"last", "best"});
           }},
      {.path = "checkpoint.best",
       .type = ValueType::text,
       .help = "the metric that decides which is the best: val_bpc, that of a task or of a text of eval.also, …; no "
               "part of a run's id",
       BITSWEEP_MEMBER(checkpoint.best, text_of)},
      {.path = "seed",
       .type = ValueType::integer,
       .least = 0,
       .most = kExact,
       .help = "of initial weights, data and noise",
       BITSWEEP_MEMBER(seed, integer_of)},
  };
}

#undef BITSWEEP_MEMBER

std::vector<RunKey> make_keys() {
  std::vector<RunKey> keys;
  for (auto part : {model_and_data_keys, budget_keys, schedule_keys, optimizer_keys, measuring_keys}) {
    for (RunKey& key : part()) keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace

std::span<const RunKey> run_keys() {
  static const std::vector<RunKey> keys = make_keys();
  return keys;
}

}  // namespace bitsweep::spec
