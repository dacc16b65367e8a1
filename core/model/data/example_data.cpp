#include "data/example_data.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/error.h"
#include "base/sha256.h"
#include "base/units.h"
#include "data/question_text.h"
#include "data/token_plan.h"
#include "examples/read_examples.h"

namespace bitsweep::data {
namespace {

struct File {
  std::string sha256;
  uint64_t bytes = 0;
  examples::ExampleSet set;
};

File read(const std::string& path, const spec::ExampleSpec& spec) {
  const std::string text = question_text(path);
  return {sha256_hex(text), text.size(),
          examples::read_examples(text, {spec.layout.preset, spec.layout.prompt, spec.layout.answer}, path)};
}

// Every so many an example is held out, evenly spread, at least one and never all.
examples::ExampleSet hold_out(examples::ExampleSet& set, double fraction) {
  examples::ExampleSet held{.form = set.form, .examples = {}, .notes = {}};
  std::vector<examples::Example> kept;
  const auto whole = [&](size_t i) { return std::floor(static_cast<double>(i) * fraction); };
  for (size_t i = 0; i < set.examples.size(); ++i)
    (whole(i + 1) > whole(i) ? held.examples : kept).push_back(std::move(set.examples[i]));
  if (held.examples.empty() && kept.size() > 1) {
    held.examples.push_back(std::move(kept.back()));
    kept.pop_back();
  }
  set.examples = std::move(kept);
  return held;
}

std::string hash_of(const examples::ExampleSet& set) {
  Sha256 hash;
  for (const examples::Example& example : set.examples)
    for (const examples::Example::Part& part : example.parts)
      hash.update(fmt::format("{}{}:{}", part.said ? '+' : '-', part.text.size(), part.text));
  return hash.hex();
}

std::shared_ptr<const tokenize::Tokenizer> tokenizer_for(const spec::DataSpec& spec) {
  auto tokenizer = open_file_tokenizer(spec);
  if (tokenizer == nullptr)
    throw Error(
        ErrorKind::input,
        "data.tokenizer: one is trained on a corpus, and data.examples is none; name the tokenizer's file (those "
        "that were trained lie in ROOT/data/tokenizers)");
  return tokenizer;
}

}  // namespace

ExampleData open_examples(const spec::DataSpec& spec) {
  ExampleData data;
  data.tokenizer = tokenizer_for(spec);
  File train = read(spec.examples.file, spec.examples);
  data.info.name = fs::path(spec.examples.file).filename().string();
  data.info.sha256 = train.sha256;
  data.info.bytes = train.bytes;
  examples::ExampleSet val;
  if (spec.val.empty()) {
    val = hold_out(train.set, spec.val_fraction);
  } else {
    File separate = read(spec.val, spec.examples);
    if (spec.sha256.empty() && separate.sha256 == train.sha256)
      throw Error(ErrorKind::input,
                  fmt::format("'{}' holds the same examples as '{}', both to train on and to validate on (data.val)",
                              spec.val, spec.examples.file));
    data.info.sha256 = sha256_hex(train.sha256 + separate.sha256);
    data.info.bytes += separate.bytes;
    val = std::move(separate.set);
  }
  if (!spec.sha256.empty() && spec.sha256 != data.info.sha256)
    throw Error(ErrorKind::input,
                fmt::format("'{}' has changed since the run was planned; plan and submit it anew", spec.examples.file));
  if (train.set.examples.empty() || val.examples.empty())
    throw Error(ErrorKind::input, fmt::format("'{}': {} examples are too few to {}", spec.examples.file,
                                              train.set.examples.size() + val.examples.size(),
                                              val.examples.empty() ? "hold one out" : "train on"));
  data.info.val_sha256 = hash_of(val);
  const examples::RowOptions options{
      .context = spec.context, .everything = spec.examples.loss == "all", .pack = spec.examples.pack};
  data.train = std::make_shared<examples::Rows>(*data.tokenizer, train.set, options);
  // What is scored is always the answers, each in a row of its own.
  data.val = std::make_shared<examples::Rows>(*data.tokenizer, val, examples::RowOptions{.context = spec.context});
  data.info.train_windows = data.train->count();
  data.info.val_windows = data.val->count();
  data.info.train_tokens = data.train->count() * spec.context;
  data.info.val_tokens = data.val->count() * spec.context;
  data.info.vocab = model_vocab(spec, data.tokenizer->vocab());
  if (!spec.is_bytes()) data.info.tokenizer_sha256 = data.tokenizer->facts().sha256;
  data.info.bytes_per_token = static_cast<double>(data.train->total_bytes()) /
                              static_cast<double>(std::max<int64_t>(1, data.train->total_targets()));
  data.info.notes = train.set.notes;
  for (const std::string& note : data.train->notes()) data.info.notes.push_back(note);
  for (const std::string& note : data.val->notes()) data.info.notes.push_back("held out: " + note);
  return data;
}

}  // namespace bitsweep::data
