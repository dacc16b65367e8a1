#include "spec/layers.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "spec/keys.h"

namespace bitsweep::spec {
namespace {

constexpr size_t kLongestChain = 32;

[[noreturn]] void fail(const YamlPlace& place, std::string message) {
  throw Error(ErrorKind::input, {place.diagnostic(std::move(message))});
}

// Whether `over`, put on top of the section, takes the place of its key `key`.
bool replaces_sibling(const YamlNode& over, const std::string& section, const std::string& key) {
  if (section != "model" && section != "data" && section != "train") return false;
  return std::any_of(over.entries.begin(), over.entries.end(),
                     [&](const YamlEntry& entry) { return replaces(section + "." + entry.key, section + "." + key); });
}

// Random axes are maps themselves ({ log_uniform: [a, b] }): a map without maps in it is a value, not a level.
bool is_distribution(const YamlNode& node) {
  return std::none_of(node.entries.begin(), node.entries.end(),
                      [](const YamlEntry& entry) { return entry.value->kind == YamlKind::map; });
}

using Lines = std::unordered_map<std::string, int>;  // path -> the line that gave it

void flatten(const YamlNode& map, const std::string& prefix, std::vector<YamlEntry>& out, Lines& lines,
             bool distributions) {
  for (const YamlEntry& entry : map.entries) {
    const std::string path = prefix.empty() ? entry.key : prefix + "." + entry.key;
    const bool level = entry.value->kind == YamlKind::map && !(distributions && is_distribution(*entry.value));
    if (level) {
      flatten(*entry.value, path, out, lines, distributions);
      continue;
    }
    const auto [known, fresh] = lines.emplace(path, entry.key_place.line);
    if (!fresh) fail(entry.key_place, fmt::format("duplicate key '{}'; first given in line {}", path, known->second));
    out.push_back({path, entry.key_place, entry.value});
  }
}

Yaml flattened(const Yaml& map, bool distributions) {
  if (map->kind != YamlKind::map) return map;
  std::vector<YamlEntry> entries;
  Lines lines;
  flatten(*map, "", entries, lines, distributions);
  return yaml_map(std::move(entries), map->place);
}

// The parts of a layer whose keys are dotted paths, with all of them written so.
Yaml normalised(const Yaml& root) {
  std::vector<YamlEntry> entries = root->entries;
  for (YamlEntry& entry : entries) {
    if (entry.key == "grid" || entry.key == "zip" || entry.key == "derive") entry.value = flattened(entry.value, false);
    if (entry.key != "random" || entry.value->kind != YamlKind::map) continue;
    std::vector<YamlEntry> inner = entry.value->entries;
    for (YamlEntry& one : inner) {
      if (one.key == "axes") one.value = flattened(one.value, true);
    }
    entry.value = yaml_map(std::move(inner), entry.value->place);
  }
  return yaml_map(std::move(entries), root->place);
}

// Reads a file and what it extends. `chain` holds the files that are being read, to see a circle.
class Reader {
 public:
  Yaml read(const fs::path& file, std::vector<fs::path>& chain, std::vector<fs::path>& sources) {
    std::error_code code;
    chain.push_back(fs::weakly_canonical(file, code));
    sources.push_back(file);
    const Yaml root = read_yaml(file);
    if (root->kind != YamlKind::map) fail(root->place, "a sweep file is a map of keys, found " + yaml_found(*root));
    const YamlEntry* extends = root->find("extends");
    Yaml own = normalised(without_extends(root));
    if (extends == nullptr || extends->value->kind == YamlKind::null) {
      chain.pop_back();
      return own;
    }
    const fs::path base = base_file(*extends->value, file, chain);
    Yaml below = read(base, chain, sources);
    chain.pop_back();
    return merge_layers(below, own);
  }

 private:
  static Yaml without_extends(const Yaml& root) {
    std::vector<YamlEntry> entries;
    for (const YamlEntry& entry : root->entries) {
      if (entry.key != "extends") entries.push_back(entry);
    }
    return yaml_map(std::move(entries), root->place);
  }

  static fs::path base_file(const YamlNode& node, const fs::path& file, const std::vector<fs::path>& chain) {
    if (node.kind != YamlKind::scalar)
      fail(node.place, "'extends' must be the path of one file, found " + yaml_found(node));
    const fs::path base = (file.parent_path() / node.text).lexically_normal();
    std::error_code code;
    const fs::path canonical = fs::weakly_canonical(base, code);
    if (std::find(chain.begin(), chain.end(), canonical) != chain.end())
      fail(node.place, fmt::format("'{}' extends itself, by way of {}", base.string(), names(chain)));
    if (chain.size() >= kLongestChain)
      fail(node.place, fmt::format("more than {} files extend each other", kLongestChain));
    if (!fs::is_regular_file(base, code)) {
      const char* why = fs::is_symlink(base, code)     ? "a symbolic link that leads nowhere"
                        : fs::is_directory(base, code) ? "it is a folder"
                                                       : "no such file";
      fail(node.place, fmt::format("cannot extend '{}': {}", base.string(), why));
    }
    return base;
  }

  static std::string names(const std::vector<fs::path>& chain) {
    std::vector<std::string> names;
    for (const fs::path& file : chain) names.push_back(file.filename().string());
    return fmt::format("{}", fmt::join(names, " -> "));
  }
};

// --- --set PATH=VALUE ---

// Where the dotted part of a path begins that stays one key: "grid.train.batch" is the key "train.batch" of grid.
std::vector<std::string> path_keys(const std::string& path) {
  for (const char* section : {"grid.", "zip.", "derive.", "random.axes."}) {
    const std::string_view prefix = section;
    if (!path.starts_with(prefix)) continue;
    std::vector<std::string> keys = path_keys(std::string(prefix.substr(0, prefix.size() - 1)));
    keys.push_back(path.substr(prefix.size()));
    return keys;
  }
  std::vector<std::string> keys;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t dot = std::min(path.find('.', begin), path.size());
    keys.push_back(path.substr(begin, dot - begin));
    begin = dot + 1;
  }
  return keys;
}

Yaml override_value(const std::string& path, const std::string& text, const YamlPlace& place) {
  const RunKey* key = find_run_key(path);
  // A path or a text is taken as it is: it may hold '#', ': ' and quotes.
  const auto is = [&](ValueType type) { return key != nullptr && key->type == type; };
  const bool several = is(ValueType::corpus) && (text.starts_with('[') || text.starts_with('{'));
  const bool raw = is(ValueType::text) || is(ValueType::path) || (is(ValueType::corpus) && !several) || path == "name";
  if (raw && text != "null" && text != "~") return yaml_scalar(text, place, true);
  const Yaml parsed = parse_yaml(text, *place.file);
  // The places inside such a value mean nothing to a person: all are the option itself.
  struct Placed {
    const YamlPlace& place;
    Yaml operator()(const Yaml& node) const {
      auto copy = std::make_shared<YamlNode>(*node);
      copy->place = place;
      for (Yaml& item : copy->items) item = (*this)(item);
      for (YamlEntry& entry : copy->entries) entry = {entry.key, place, (*this)(entry.value)};
      return copy;
    }
  };
  return Placed{place}(parsed);
}

Yaml override_layer(const std::string& text, std::set<std::string>& pinned) {
  const YamlPlace place{std::make_shared<const std::string>("--set " + text), 0, 0};
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) fail(place, "write it as PATH=VALUE, e.g. --set train.steps=2000");
  const std::string path = text.substr(0, equals);
  if (path == "extends") fail(place, "'extends' is fixed by the file");
  Yaml node = override_value(path, text.substr(equals + 1), place);
  std::vector<std::string> keys = path_keys(path);
  if (std::any_of(keys.begin(), keys.end(), [](const std::string& key) { return key.empty(); }))
    fail(place, fmt::format("'{}' is not a path of keys such as train.steps", path));
  const auto& sections = run_sections();
  if (path == "seed" || (keys.size() > 1 && std::find(sections.begin(), sections.end(), keys[0]) != sections.end())) {
    pinned.insert(path);
    for (const char* other : alternatives_of(path)) pinned.insert(other);
  }
  for (; !keys.empty(); keys.pop_back()) node = yaml_map({{keys.back(), place, node}}, place);
  return normalised(node);
}

}  // namespace

Yaml merge_layers(const Yaml& base, const Yaml& over, const std::string& path) {
  // Indexed, because a hostile file may have a hundred thousand keys.
  std::unordered_map<std::string_view, const YamlEntry*> upper_entries;
  for (const YamlEntry& entry : over->entries) upper_entries.emplace(entry.key, &entry);
  std::unordered_set<std::string_view> below_keys;
  std::vector<YamlEntry> entries;
  for (const YamlEntry& entry : base->entries) {
    below_keys.insert(entry.key);
    const auto found = upper_entries.find(entry.key);
    const YamlEntry* upper = found == upper_entries.end() ? nullptr : found->second;
    if (upper == nullptr) {
      if (!replaces_sibling(*over, path, entry.key)) entries.push_back(entry);
      continue;
    }
    if (upper->value->kind == YamlKind::null) continue;
    const bool both_maps = entry.value->kind == YamlKind::map && upper->value->kind == YamlKind::map;
    const std::string below = path.empty() ? entry.key : path + "." + entry.key;
    // One axis of `random` is a value: log_uniform on top of choice replaces it.
    const bool deeper = both_maps && path != "random.axes";
    entries.push_back(
        {entry.key, upper->key_place, deeper ? merge_layers(entry.value, upper->value, below) : upper->value});
  }
  for (const YamlEntry& entry : over->entries) {
    if (!below_keys.contains(entry.key)) entries.push_back(entry);
  }
  return yaml_map(std::move(entries), over->place);
}

LayeredFile read_layers(const fs::path& file, const std::vector<std::string>& overrides) {
  LayeredFile result;
  std::vector<fs::path> chain;
  result.root = Reader().read(file, chain, result.sources);
  Problems problems;
  for (const std::string& text : overrides) {
    try {
      result.root = merge_layers(result.root, override_layer(text, result.pinned));
    } catch (const Error& error) {
      for (const Diagnostic& d : error.diagnostics())
        problems.add({std::make_shared<const std::string>(d.file), 0, 0}, d.message);
    }
  }
  problems.throw_if_any();
  return result;
}

}  // namespace bitsweep::spec
