// Words of other tools for sweeps and training (W&B, Hydra, Optuna, Ray, Slurm, Hugging Face's trainer, Axolotl), and
// the form that is used here, with the numbers that were given filled in. For messages alone: nothing of it is ever
// run. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/yaml.h"

namespace bitsweep::spec {

// The key here that another tool's word means: "learning_rate" is "train.lr". "" for none.
std::string our_key(std::string_view word);

// "[0.001, 0.0001]": a list of scalars as a person would write it, the middle of a long one left out; "" for other
// nodes.
std::string list_text(const YamlNode& node);

// What the value of an axis that is no list may have been meant as: "; write [0.001, 0.0001]", or for a range
// "; write random: { count: 20, axes: { train.lr: { log_uniform: [1e-5, 1e-1] } } }". "" when that cannot be told.
std::string axis_hint(const std::string& path, const YamlNode& node);

// The value of entry `i` of a map between braces, where YAML cut a call at its commas: "choice(1" and the keys "2" and
// "3)" behind it are "choice(1, 2, 3)". Any other value as it is.
Yaml whole_call(const YamlNode& map, size_t i);

// axis_hint() for an axis of `random`: "; write { log_uniform: [1.0e-7, 1.0e-3] }".
std::string random_hint(const YamlNode& node);
// [-7, -3] where numbers above 0 belong: "; for powers of ten write [1.0e-7, 1.0e-3]". "" for other numbers.
std::string exponents_hint(double from, double to);

// Whether `word` is a key by which another tool describes one axis: values, min, max, distribution …
bool is_axis_word(std::string_view word);

// For a key at the top of a file that belongs to another tool: what to write here. "" for none.
std::string top_key_hint(const YamlEntry& entry);

}  // namespace bitsweep::spec
