// YAML text to a tree of our own that remembers where everything was written. The only user of yaml-cpp.
//
// Accepted is what people write by hand: one document, scalars, lists, maps with scalar keys, anchors, aliases and
// merge keys (<<). Refused with file, line and column: syntax errors, duplicate keys, several documents, tags other
// than !!str, tabs as indentation, NUL bytes, text that is not UTF-8, and whatever is larger than YamlLimits. Aliases
// share one node, so an alias bomb costs no memory; its expanded size is counted and refused.
//
// Scalars keep their text. What it means is decided where a type is expected (YAML 1.2 core: only true and false are
// booleans; "no" and "1e3k" stay words), so a plugin named `no` or a version 1.10 survives.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace bitsweep {

// Where something was written. line 0: not in a file (a command line option, named by `file`).
struct YamlPlace {
  std::shared_ptr<const std::string> file;
  int line = 0;    // from 1
  int column = 0;  // from 1, bytes

  Diagnostic diagnostic(std::string message) const;
  std::string to_string() const;  // "file:line:column"
};

enum class YamlKind { null, scalar, list, map };
enum class YamlStyle { plain, quoted, block };  // block: | and >, or a scalar behind an anchor or a tag

struct YamlNode;
using Yaml = std::shared_ptr<const YamlNode>;

struct YamlEntry {
  std::string key;
  YamlPlace key_place;
  Yaml value;
};

// Immutable once parsed; shared freely between trees.
struct YamlNode {
  YamlKind kind = YamlKind::null;
  YamlStyle style = YamlStyle::plain;
  bool is_text = false;            // quoted, block or !!str: never a number, a boolean or null
  std::string text;                // of a scalar
  std::vector<Yaml> items;         // of a list
  std::vector<YamlEntry> entries;  // of a map, in the order written
  YamlPlace place;
  size_t expanded_nodes = 1;  // with every alias written out

  const YamlEntry* find(std::string_view key) const;
  // The place of byte `offset` of a scalar's text; the scalar's own when the two cannot be matched up.
  YamlPlace place_in_text(size_t offset) const;
};

struct YamlLimits {
  size_t bytes = 1 << 20;
  size_t nodes = 200'000;  // with aliases written out
  int depth = 64;
};

// Throws Error{input} with file, line and column. An empty document is a null node.
Yaml parse_yaml(std::string_view text, std::string_view name_for_messages, const YamlLimits& limits = {});
// The same from a file; refuses a file beyond limits.bytes before it has read more than that.
Yaml read_yaml(const fs::path& path, const YamlLimits& limits = {});

// New nodes, for what does not come from a file.
Yaml yaml_scalar(std::string text, YamlPlace place, bool is_text = false);
Yaml yaml_map(std::vector<YamlEntry> entries, YamlPlace place);
Yaml yaml_list(std::vector<Yaml> items, YamlPlace place);

// YAML 1.2 core schema, plus underscores between digits. Nothing when the node is not of the type.
std::optional<bool> yaml_bool(const YamlNode& node);        // true, false (True, TRUE)
std::optional<double> yaml_number(const YamlNode& node);    // 3, -1.5e-3, 4_000_000, .inf, .nan
std::optional<double> yaml_size(const YamlNode& node);      // a number, or with k, M, B, T behind it
std::optional<int64_t> yaml_integer(const YamlNode& node);  // a whole number or size within ±2^53
// As JSON, untyped: null, booleans, integers, doubles, text ("5M" stays text), arrays, objects.
json::value yaml_to_json(const YamlNode& node);

// "text 'abc'", "a list", "nothing": for "expected an integer, found …".
std::string yaml_found(const YamlNode& node);

}  // namespace bitsweep
