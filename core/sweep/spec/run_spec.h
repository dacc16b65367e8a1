// What one training run is, fully resolved: the vocabulary shared by the planner, the queue and the worker.
//
// A run's id is the first 12 hex digits of SHA-256 over canonical_json(identity()): everything that changes what is
// learned or measured, and nothing else. The same spec is the same run in every sweep.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/metric_kind.h"
#include "spec/task_spec.h"
#include "spec/tokenizers.h"

namespace bitsweep::spec {

struct ModelSpec {
  std::string plugin;    // name of a known plugin, or the absolute path of a .so
  json::object options;  // before describe: as given (may hold "params"); after: every option of the plugin
  int64_t version = 1;   // of the plugin, as its manifest has it: other code by its author's word
};

// What a run is fine-tuned on in place of a corpus (core/model/examples).
struct ExampleSpec {
  std::string file;  // absolute; "": there are none
  TemplateSpec layout;
  std::string loss = "answer";  // answer | all: which tokens are learned
  bool pack = false;            // rows hold as many examples as fit
};

// One of several texts that are mixed: in every spec::mixture_block sequences as many as its weight's share.
struct CorpusPart {
  std::string corpus, glob, field;  // as in DataSpec
  double weight = 1;                // above 0
};

// Files of tokens (data/shard_file.h) in place of texts: paths or globs, absolute; both or none.
struct ShardFiles {
  std::string train, val;
};

struct DataSpec {
  std::string corpus;                  // a built-in one (headers, stories, repeat, copy, needle) or an absolute path
  std::vector<CorpusPart> mixture;     // in its place: several
  ShardFiles shards;                   // in its place: their tokens
  ExampleSpec examples;                // in place of a corpus
  std::string glob;                    // files taken from a folder; "" is all regular files
  std::string field;                   // the text's key in JSON lines, column in Parquet; "" is plain text
  std::string tokenizer =
      "bytes256";  // ascii128 | bytes256 | absolute path of a .model or tokenizer.json | "" (a recipe) | none (shards)
  TokenizerRecipe recipe;  // of one that is trained on the corpus
  // What decides its ids, of a file's or a trained one: filled when the plan opens the data. "" of alphabets.
  std::string tokenizer_sha256;
  // Of the model's embedding, where a checkpoint to start from has more than the tokenizer has tokens; 0: as many.
  int64_t vocab_rows = 0;
  // What stands between documents: none | bos | eos; "" until the plan has chosen (bos where the corpus has documents
  // and the tokenizer the token, else eos, else none).
  std::string documents;
  int64_t context = 256;               // tokens
  double val_fraction = 0.05;
  std::string val;     // absolute path of a validation text; "" splits the corpus
  std::string sha256;  // content of the corpus (and of val); filled when the plan opens the data
  std::string split = "bytes";   // bytes | documents: where validation blocks may begin and end
  std::string documents_sha256;  // where the corpus's documents end, if that matters; filled likewise
  // Of a tokenizer that is no alphabet, as the plan found them; no part of a run's id. 0: not known.
  int64_t vocab = 0;
  double bytes_per_token = 0;

  bool has_corpus() const { return !corpus.empty() || !mixture.empty() || is_shards(); }
  bool is_shards() const { return !shards.train.empty(); }
  // Whether a token is a byte of the text, so that nothing need be encoded ahead.
  bool is_bytes() const { return recipe.vocab == 0 && vocabulary_of(tokenizer).has_value(); }
};

struct TrainSpec {
  int64_t steps = 0;       // always resolved: from steps, tokens or epochs
  int64_t batch = 64;      // sequences a step
  int64_t accumulate = 1;  // micro-batches a step; batch is their sum
  double lr = 6e-4;
  int64_t warmup = 500;             // steps
  std::string schedule = "cosine";  // cosine | linear | constant | wsd | two_stage
  double lr_final = 0.0;            // fraction of lr
  double decay_fraction = 0.2;      // wsd: the last part of the steps that decays
  std::string optimizer = "adamw";
  double beta1 = 0.9, beta2 = 0.95, eps = 1e-8;
  double weight_decay = 0.01;
  double weight_decay_until = 1.0;  // fraction of the steps; 0 decay from there on
  double clip = 1.0;                // global gradient norm; 0 is off
  std::string precision = "f32";    // f32 | bf16
  std::string gradients = "f32";    // f32 | int16 | s6: what those of 1-bit products are rounded to
  bool rounds_gradients() const { return gradients != "f32"; }
  std::string init_from;            // id of the run whose best checkpoint this one starts from
  std::vector<std::string> freeze;  // patterns (* and ?) over parameter names
};

// A text beside the run's own that it is scored on, with its tokenizer and context.
struct AlsoSpec {
  std::string name;    // its metric is NAME.bpc
  std::string corpus;  // as in DataSpec, and so are the others
  std::string glob, field, val;
  double val_fraction = DataSpec{}.val_fraction;

  DataSpec data() const;  // without tokenizer and context
  std::string metric() const { return name + ".bpc"; }
  MetricKind metric_kind() const;
};

struct EvalSpec {
  int64_t every = 200;    // steps; the last step is always evaluated
  int64_t windows = 256;  // validation windows, the same ones always
  int64_t bytes = 0;      // in their place: so many bytes of validation text, the same for every tokenizer and context
  int64_t stride = 0;     // with bytes: windows overlap, and each but a text's first scores its last `stride` targets
  // When the attention is probed (train/probe.h): last | every | off. Names no run: it changes nothing that is learned.
  std::string probes = "last";
  std::vector<AlsoSpec> also = {};   // scored at every evaluation; they name no run either
  bool before = false;               // whether a fresh run is evaluated before its first step; likewise
  std::vector<TaskSpec> tasks = {};  // asked at evaluations; they name no run either
};

struct CheckpointSpec {
  int64_t every = 500;  // steps
  bool keep_last = true;
  bool keep_best = true;
  std::string best = "val_bpc";  // the metric that decides which is the best (spec/best_metric.h)
};

// Where the weights of a run come from that was trained by another program, and not here.
struct ImportSpec {
  std::string folder;  // absolute; names no run
  std::string sha256;  // over its weights; "": the run is one of ours
};

struct RunSpec {
  ModelSpec model;
  DataSpec data;
  TrainSpec train;
  EvalSpec eval;
  CheckpointSpec checkpoint;
  int64_t seed = 0;
  ImportSpec imported;

  // Tokens of one step: batch * context; train.steps times that are seen in all.
  int64_t tokens_per_step() const { return train.batch * data.context; }
  int64_t tokens() const { return tokens_per_step() * train.steps; }
};

// The whole spec as JSON, keys as in a sweep file ("model", "data", "train", "eval", "checkpoint", "seed"): the
// worker's spec.json; "import" where there is one. from_json throws Error{input} on anything that to_json did not
// write.
json::object to_json(const RunSpec& spec);
RunSpec run_spec_from_json(const json::object& object);

// The part of to_json() that names the run: without what names none, and with the corpus named by its content hash
// instead of its path.
json::object identity(const RunSpec& spec);
// Whether a setting, by its dotted path in to_json(RunSpec) ("eval.tasks"), is no part of identity(), and so may change
// from one submission of a run to the next.
bool names_no_run(std::string_view path);
std::string run_id(const RunSpec& spec);  // 12 hex digits

// Names a corpus under one tokenizer and split: 64 hex digits. REQUIRES data.sha256.
std::string dataset_id(const DataSpec& data);

}  // namespace bitsweep::spec
