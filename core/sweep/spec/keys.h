// Every key that a run has: its path, type, range and default, and how it enters a RunSpec. The one place where a key
// is added; model options come from the plugin's manifest.
#pragma once

#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/yaml.h"
#include "plugin/manifest.h"
#include "spec/run_spec.h"

namespace bitsweep::spec {

enum class ValueType {
  integer,
  number,
  choice,
  text,
  path,
  texts,
  numbers,
  corpus,
  tokenizer,
  tasks,
  layout,
  also,
  boolean
};

struct RunKey {
  const char* path;  // "train.lr"
  ValueType type;
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  bool above_least = false;  // `least` itself is refused
  bool below_most = false;
  // Of a choice and of texts: what is allowed; of a path and a corpus: words that are no paths.
  std::vector<std::string> words = {};
  size_t count = 0;  // of numbers
  const char* help = "";
  // Null for the budget and the plugin, which points.cpp handles. The value has passed value_problem().
  void (*set)(RunSpec& spec, const json::value& value) = nullptr;
  json::value (*get)(const RunSpec& spec) = nullptr;  // the default, from RunSpec{}
};

std::span<const RunKey> run_keys();
const RunKey* find_run_key(std::string_view path);  // nullptr: unknown
// model, data, train, eval, checkpoint.
const std::vector<std::string>& run_sections();

// Keys that exclude each other ("train.steps", "train.tokens", "train.epochs"), `path` among them; empty for
// all others.
std::span<const char* const> alternatives_of(std::string_view path);

// Whether a key of an upper layer takes the place of a different key below it: alternatives, a corpus and examples, and
// a model's size against its shape (model.params or model.body against each other, and against d_model, n_layers,
// n_heads, d_ff).
bool replaces(std::string_view upper, std::string_view lower);

// The same of an axis over the rest of its sweep, where depth and heads stay beside the size: a sweep over sizes at
// four layers, or over depths at one size, is meant.
bool axis_replaces(std::string_view upper, std::string_view lower);

// "an integer from 1 to 1,000,000": what a value of this key must be.
std::string expected(const RunKey& key);
// Whether a typed value is in range: "" or what was expected.
std::string value_problem(const RunKey& key, const json::value& value);

// A YAML value as the key's type, in range; tokenizers, tasks, templates and texts by name have readers of their own.
// Relative paths are taken from the folder of the file they stand in. On failure `problem` says "must be …, found …".
json::value typed_value(const RunKey& key, const YamlNode& node, std::string& problem);

// The same for an option of a plugin.
json::value typed_option(const plugin::OptionSpec& option, const YamlNode& node, std::string& problem);
// The target sizes that stand in place of a shape: `params`, every plugin's, and `body`. Null: none of that name.
const plugin::OptionSpec* size_option(std::string_view name);

}  // namespace bitsweep::spec
