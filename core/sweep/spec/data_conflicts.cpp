#include "spec/data_conflicts.h"

#include <algorithm>

#include <fmt/format.h>

namespace bitsweep::spec {
namespace {

using Given = std::function<bool(const char*)>;

// Examples are one file, each begins and ends with itself: what is of a corpus would make other runs of the same
// losses.
std::optional<Conflict> of_one_file(const DataSpec& data) {
  const auto no_effect = [](const char* path, const char* why) {
    return Conflict{path, fmt::format("'{}' is of a corpus and has no effect on examples: {}", path, why)};
  };
  if (!data.glob.empty()) return no_effect("data.glob", "'data.examples' is one file");
  if (!data.field.empty())
    return no_effect("data.field", "their keys are known by their form, or named by 'data.template'");
  if (data.split != DataSpec{}.split)
    return no_effect("data.split", "whole ones are held out always (data.val_fraction, data.val)");
  if (!data.documents.empty() && data.documents != "none")
    return no_effect("data.documents", "each has the tokenizer's bos in front and its eos behind the answer");
  return std::nullopt;
}

std::optional<Conflict> of_examples(const RunSpec& run, const Given& given) {
  const DataSpec& data = run.data;
  if (!data.examples.file.empty()) {
    if (data.has_corpus()) return Conflict{"data.examples", "give either 'data.corpus' or 'data.examples', not both"};
    if (run.eval.bytes > 0)
      return Conflict{"eval.bytes", "'eval.bytes' is of a text; held-out examples are scored whole (eval.windows)"};
    return of_one_file(data);
  }
  for (const char* path : {"data.template", "data.loss", "data.pack"})
    if (given(path)) return Conflict{path, fmt::format("'{}' needs 'data.examples'", path)};
  return std::nullopt;
}

std::optional<Conflict> of_mixture(const RunSpec& run, const Given& given) {
  if (run.data.mixture.empty()) return std::nullopt;
  for (const char* path : {"data.glob", "data.field"})
    if (given(path))
      return Conflict{path, fmt::format("'{}' is of one corpus: in a mixture each part of 'data.corpus' has its own {}",
                                        path, std::string(path).substr(5))};
  return std::nullopt;
}

std::optional<Conflict> of_shards(const RunSpec& run, const Given& given) {
  const DataSpec& data = run.data;
  const bool no_vocabulary = data.tokenizer == no_tokenizer;
  if (!data.is_shards())
    return no_vocabulary ? std::optional(Conflict{"data.tokenizer",
                                                  "'data.tokenizer' none is for shards of tokens "
                                                  "(data.corpus: { train: GLOB, val: GLOB })"})
                         : std::nullopt;
  for (const char* path : {"data.glob", "data.field", "data.val", "data.val_fraction", "data.split", "data.documents"})
    if (given(path))
      return Conflict{path, fmt::format("'{}' is of texts; shards of tokens are taken as they are, with their own "
                                        "validation ('data.corpus.val')",
                                        path)};
  if (data.recipe.vocab > 0 || vocabulary_of(data.tokenizer))
    return Conflict{"data.tokenizer",
                    "shards of tokens need the file of the tokenizer that made them in "
                    "'data.tokenizer', or none"};
  if (no_vocabulary && data.vocab_rows == 0)
    return Conflict{"data.tokenizer", "'data.tokenizer' none needs 'data.vocab_rows': the tokens' ids lie below it"};
  if (no_vocabulary && run.eval.bytes > 0)
    return Conflict{"eval.bytes", "'eval.bytes' needs to know what tokens stand for, and 'data.tokenizer' is none"};
  if (no_vocabulary && !run.eval.tasks.empty())
    return Conflict{"eval.tasks", "questions cannot be put where 'data.tokenizer' is none"};
  if (no_vocabulary && !run.eval.also.empty())
    return Conflict{"eval.also", "texts cannot be scored where 'data.tokenizer' is none"};
  return std::nullopt;
}

// By name; the same bytes in two files are found when both are read.
std::optional<Conflict> of_validation(const RunSpec& run, const Given&) {
  const DataSpec& data = run.data;
  if (data.val.empty()) return std::nullopt;
  const auto is_part = [&](const CorpusPart& part) { return part.corpus == data.val; };
  if (data.val != data.corpus && data.val != data.examples.file &&
      std::none_of(data.mixture.begin(), data.mixture.end(), is_part))
    return std::nullopt;
  return Conflict{"data.val", fmt::format("'{}' is both to train on and to validate on; without 'data.val' a part of "
                                          "it is held out (data.val_fraction)",
                                          data.val)};
}

}  // namespace

std::optional<Conflict> data_conflict(const RunSpec& run, const Given& given) {
  for (const auto& rules : {of_examples, of_mixture, of_shards, of_validation})
    if (auto conflict = rules(run, given)) return conflict;
  return std::nullopt;
}

std::vector<std::string> idle_keys(const RunSpec& run, const Given& own) {
  std::vector<std::string> notes;
  if (run.eval.bytes > 0 && own("eval.windows"))
    notes.emplace_back(
        "'eval.windows' has no effect where 'eval.bytes' is given, though it is part of a run's id: leave it out");
  if (!run.data.val.empty() && run.data.val_fraction != DataSpec{}.val_fraction)
    notes.emplace_back("'data.val_fraction' has no effect where 'data.val' is given: all of that is validated on");
  return notes;
}

}  // namespace bitsweep::spec
