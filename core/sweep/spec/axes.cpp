#include "spec/axes.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/nearest.h"
#include "spec/other_tools.h"
#include "spec/random_axes.h"
#include "spec/sweep.h"

namespace bitsweep::spec {
namespace {

class DesignReader {
 public:
  DesignReader(const DesignKeys& keys, Problems& problems, std::vector<std::string>& notes)
      : keys_(keys), problems_(problems), notes_(notes) {}

  std::vector<DesignBlock> run(const YamlNode& root) {
    for (const YamlEntry& entry : root.entries) {
      if (entry.key == "grid") grid(entry);
      if (entry.key == "zip") zips(entry);
      if (entry.key == "cases") cases(entry);
      if (entry.key == "random") random(entry);
    }
    return std::move(blocks_);
  }

 private:
  // Whether the axis belongs to the design: known, not pinned by --set, and not in two blocks.
  bool take_axis(const std::string& path, const YamlPlace& place, const std::string& kind) {
    if (!is_settable(path)) {
      problems_.add(place, unknown_key_message(path, keys_.option_paths));
      return false;
    }
    if (keys_.pinned.contains(path)) {
      notes_.push_back(fmt::format("{}: --set takes the place of the axis '{}'", kind, path));
      return false;
    }
    for (const char* other : alternatives_of(path)) {
      if (path != other && owner_.contains(other)) {
        problems_.add(place, fmt::format("'{}' and '{}' exclude each other; give one of them", path, other));
        return false;
      }
    }
    const auto [known, fresh] = owner_.emplace(path, kind);
    if (!fresh) problems_.add(place, fmt::format("the axis '{}' is already in '{}'", path, known->second));
    return fresh;
  }

  Setting setting(const std::string& path, const YamlPlace& place, const Yaml& node) {
    return *make_setting(path, place, node, problems_, keys_.option_paths);
  }

  bool is_map(const YamlNode& node, const char* name, const char* example) {
    if (node.kind == YamlKind::map && !node.entries.empty()) return true;
    if (node.kind == YamlKind::null) return false;
    const std::string found = node.kind == YamlKind::map ? "an empty map" : yaml_found(node);
    problems_.add(node.place, fmt::format("'{}' must be a map such as {}, found {}", name, example, found));
    return false;
  }

  bool is_axis_list(const std::string& name, const YamlNode& node) {
    if (node.kind == YamlKind::list && !node.items.empty()) return true;
    if (node.kind == YamlKind::list)
      problems_.add(node.place, fmt::format("the axis '{}' has no values", name));
    else
      problems_.add(node.place,
                    fmt::format("the axis '{}' must be a list of values, found {}{}", name, yaml_found(node),
                                axis_hint(name.substr(name.find('.') + 1), node)));
    return false;
  }

  // { values: … } and { min: …, max: … } of other tools, which the layers have made "train.lr.values" and so on: told
  // once an axis. Their entries, by the path of the axis.
  std::map<std::string, std::vector<YamlEntry>> foreign_axes(const YamlNode& map) {
    std::map<std::string, std::vector<YamlEntry>> axes;
    for (const YamlEntry& entry : map.entries) {
      const size_t dot = entry.key.rfind('.');
      if (dot == std::string::npos || is_settable(entry.key)) continue;
      const std::string path = entry.key.substr(0, dot), word = entry.key.substr(dot + 1);
      if (is_axis_word(word) && is_settable(path)) axes[path].push_back({word, entry.key_place, entry.value});
    }
    for (const auto& [path, entries] : axes) {
      std::vector<std::string> words;
      for (const YamlEntry& entry : entries) words.push_back("'" + entry.key + "'");
      const Yaml node = yaml_map(entries, entries[0].key_place);
      problems_.add(entries[0].key_place,
                    fmt::format("the axis '{}' must be a list of values, found a map with {}{}", path,
                                fmt::join(words, ", "), axis_hint(path, *node)));
    }
    return axes;
  }

  static bool is_foreign(const std::map<std::string, std::vector<YamlEntry>>& axes, const std::string& path) {
    return axes.contains(path.substr(0, path.rfind('.')));
  }

  void grid(const YamlEntry& grid) {
    if (!is_map(*grid.value, "grid", "{ train.batch: [64, 256] }")) return;
    const auto foreign = foreign_axes(*grid.value);
    for (size_t i = 0; i < grid.value->entries.size(); ++i) {
      const YamlEntry& axis = grid.value->entries[i];
      if (is_foreign(foreign, axis.key)) continue;
      if (axis.value->kind == YamlKind::null || !take_axis(axis.key, axis.key_place, "grid")) continue;
      if (!is_axis_list("grid." + axis.key, *whole_call(*grid.value, i))) continue;
      DesignBlock block{"grid", axis.key_place, {axis.key}, {}};
      for (const Yaml& item : axis.value->items)
        block.rows.push_back({item->place, {setting(axis.key, axis.key_place, item)}});
      blocks_.push_back(std::move(block));
    }
  }

  void zips(const YamlEntry& entry) {
    if (entry.value->kind != YamlKind::list) return zip(*entry.value);
    for (const Yaml& one : entry.value->items) zip(*one);
  }

  void zip(const YamlNode& map) {
    if (!is_map(map, "zip", "{ train.batch: [64, 256], train.lr: [3e-4, 6e-4] }")) return;
    DesignBlock block{"zip", map.place, {}, {}};
    const YamlEntry* first = nullptr;
    const auto foreign = foreign_axes(map);
    for (const YamlEntry& axis : map.entries) {
      if (is_foreign(foreign, axis.key)) continue;
      if (axis.value->kind == YamlKind::null || !take_axis(axis.key, axis.key_place, "zip")) continue;
      if (!is_axis_list("zip." + axis.key, *axis.value)) continue;
      const auto& items = axis.value->items;
      if (first == nullptr) {
        first = &axis;
        block.rows.resize(items.size());
      }
      if (items.size() != block.rows.size()) {
        problems_.add(axis.value->place,
                      fmt::format("'{}' has {} values and '{}' has {}; zip takes lists of one length", axis.key,
                                  items.size(), first->key, block.rows.size()));
        continue;
      }
      block.paths.push_back(axis.key);
      for (size_t i = 0; i < items.size(); ++i) {
        if (block.rows[i].settings.empty()) block.rows[i].place = items[i]->place;
        block.rows[i].settings.push_back(setting(axis.key, axis.key_place, items[i]));
      }
    }
    if (!block.paths.empty()) blocks_.push_back(std::move(block));
  }

  void cases(const YamlEntry& entry) {
    const YamlNode& list = *entry.value;
    if (list.kind == YamlKind::null) return;
    if (list.kind != YamlKind::list || list.items.empty()) {
      const std::string found = list.kind == YamlKind::list ? "an empty list" : yaml_found(list);
      return problems_.add(list.place,
                           "'cases' must be a list of maps such as [{ model.plugin: v57 }], found " + found);
    }
    DesignBlock block{"cases", entry.key_place, {}, {}};
    std::map<std::string, bool> taken;  // asked once for all cases
    for (const Yaml& one : list.items) {
      if (one->kind != YamlKind::map || one->entries.empty()) {
        problems_.add(one->place, "a case is a map such as { model.plugin: v57 }, found " + yaml_found(*one));
        continue;
      }
      Alternatives alternatives;
      case_settings(*one, "", alternatives, taken);
      add_case(one->place, alternatives, block);
    }
    for (const auto& [path, ours] : taken) {
      if (ours) block.paths.push_back(path);
    }
    if (!block.rows.empty()) blocks_.push_back(std::move(block));
  }

  // Of each key of a case its values: one, or those of a list.
  using Alternatives = std::vector<std::vector<Setting>>;

  // A row for every combination, the first list varying slowest.
  void add_case(const YamlPlace& place, const Alternatives& alternatives, DesignBlock& block) {
    size_t count = 1;
    for (const auto& values : alternatives) {
      count *= values.size();
      if (count > kMaxRuns)
        return problems_.add(place, fmt::format("the lists of this case make more than {} points", kMaxRuns));
    }
    for (size_t i = 0; i < count; ++i) {
      DesignBlock::Row row{place, {}};
      size_t left = count, rest = i;
      for (const auto& values : alternatives) {
        left /= values.size();
        row.settings.push_back(values[rest / left]);
        rest %= left;
      }
      if (i == 0) check_alternatives(row);
      block.rows.push_back(std::move(row));
    }
  }

  // Whether a list of a case is several values; else it is the value of a key that takes a list.
  bool is_several(const std::string& path, const YamlNode& node) const {
    if (node.kind != YamlKind::list) return false;
    const RunKey* key = find_run_key(path);
    const auto all_are = [&](YamlKind kind) {
      return std::all_of(node.items.begin(), node.items.end(), [&](const Yaml& item) { return item->kind == kind; });
    };
    if (key != nullptr && key->type == ValueType::corpus) return !all_are(YamlKind::map);  // parts of a mixture
    const bool takes_list = key != nullptr ? key->type == ValueType::texts || key->type == ValueType::numbers
                                           : keys_.list_options.contains(path);
    return !takes_list || (!node.items.empty() && all_are(YamlKind::list));
  }

  std::vector<Setting> case_values(const std::string& path, const YamlEntry& entry) {
    if (!is_several(path, *entry.value)) return {setting(path, entry.key_place, entry.value)};
    if (!is_axis_list("cases." + path, *entry.value)) return {};
    std::vector<Setting> values;
    for (const Yaml& item : entry.value->items) values.push_back(setting(path, entry.key_place, item));
    return values;
  }

  void case_settings(const YamlNode& map, const std::string& prefix, Alternatives& row,
                     std::map<std::string, bool>& taken) {
    for (const YamlEntry& entry : map.entries) {
      const std::string path = prefix.empty() ? entry.key : prefix + "." + entry.key;
      // Sections are maps of keys; of some keys the value is a map.
      if (entry.value->kind == YamlKind::map && find_run_key(path) == nullptr) {
        case_settings(*entry.value, path, row, taken);
        continue;
      }
      const auto known = taken.find(path);
      const bool ours = known != taken.end() ? known->second : take_case_axis(path, entry.key_place, taken);
      const auto same = [&](const std::vector<Setting>& values) { return values[0].path == path; };
      if (std::any_of(row.begin(), row.end(), same)) {
        problems_.add(entry.key_place, fmt::format("'{}' twice in one case", path));
      } else if (ours) {
        if (std::vector<Setting> values = case_values(path, entry); !values.empty()) row.push_back(std::move(values));
      }
    }
  }

  // Alternatives may differ from case to case; only other blocks must not hold them.
  bool take_case_axis(const std::string& path, const YamlPlace& place, std::map<std::string, bool>& taken) {
    for (const char* other : alternatives_of(path)) {
      const auto known = owner_.find(other);
      if (path != other && known != owner_.end() && known->second == "cases") {
        owner_.emplace(path, "cases");
        return taken[path] = true;
      }
    }
    return taken[path] = take_axis(path, place, "cases");
  }

  void check_alternatives(const DesignBlock::Row& row) {
    for (const Setting& a : row.settings) {
      for (const Setting& b : row.settings) {
        const auto group = alternatives_of(a.path);
        const bool both =
            a.path < b.path && std::any_of(group.begin(), group.end(), [&](auto* p) { return b.path == p; });
        if (both)
          problems_.add(b.key_place, fmt::format("'{}' and '{}' exclude each other; give one of them", a.path, b.path));
      }
    }
  }

  void random(const YamlEntry& entry) {
    if (!is_map(*entry.value, "random", "{ count: 20, axes: { train.lr: { log_uniform: [1e-4, 1e-2] } } }")) return;
    const auto plan = read_random(*entry.value, problems_);
    if (!plan) return;
    DesignBlock block{"random", entry.key_place, {}, {}};
    block.rows.resize(static_cast<size_t>(plan->count), {entry.key_place, {}});
    for (const RandomAxis& axis : plan->axes) {
      if (!take_axis(axis.path, axis.place, "random")) continue;
      block.paths.push_back(axis.path);
      const RunKey* key = find_run_key(axis.path);
      const bool whole = key != nullptr
                             ? key->type == ValueType::integer
                             : axis.path.starts_with("model.") && size_option(axis.path.substr(6)) != nullptr;
      for (size_t i = 0; i < block.rows.size(); ++i)
        block.rows[i].settings.push_back(setting(axis.path, axis.place, random_value(axis, plan->seed, i, whole)));
    }
    if (!block.paths.empty()) blocks_.push_back(std::move(block));
  }

  const DesignKeys& keys_;
  Problems& problems_;
  std::vector<std::string>& notes_;
  std::map<std::string, std::string> owner_;  // path -> the block's kind
  std::vector<DesignBlock> blocks_;
};

}  // namespace

std::vector<DesignBlock> read_design(const YamlNode& root, const DesignKeys& keys, Problems& problems,
                                     std::vector<std::string>& notes) {
  return DesignReader(keys, problems, notes).run(root);
}

}  // namespace bitsweep::spec
