// The layers of a sweep file put on top of each other: what it extends (deepest first), the file, and --set on top.
//
// Maps are merged key by key; anything else replaces what is below it, a list too. A null removes what is below it.
// Keys that exclude each other (train.steps, train.tokens, train.epochs; model.params, model.body and a shape) replace
// each other.
// Below grid, zip, derive and random.axes a nested map is the same as dotted keys, and is merged as such.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/yaml.h"
#include "spec/problems.h"

namespace bitsweep::spec {

struct LayeredFile {
  Yaml root;                      // a map, without `extends`
  std::vector<fs::path> sources;  // the file, then what it extends, nearest first
  std::set<std::string> pinned;   // paths of run keys that --set gave: axes and derive do not touch them
};

// Throws Error{input} when a file cannot be read or parsed, when `extends` goes in a circle or is no path, or when an
// override is not PATH=VALUE.
LayeredFile read_layers(const fs::path& file, const std::vector<std::string>& overrides);

// `over` on top of `base`; both maps, at the dotted path `path` of the sweep file.
Yaml merge_layers(const Yaml& base, const Yaml& over, const std::string& path = "");

}  // namespace bitsweep::spec
