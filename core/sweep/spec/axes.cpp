#include "spec/axes.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/nearest.h"
#include "spec/random_axes.h"

namespace bitsweep {
namespace {

class DesignReader {
 public:
  DesignReader(const std::set<std::string>& pinned, Problems& problems, const std::vector<std::string>& option_paths,
               std::vector<std::string>& notes)
      : pinned_(pinned), problems_(problems), option_paths_(option_paths), notes_(notes) {}

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
      problems_.add(place, unknown_key_message(path, option_paths_));
      return false;
    }
    if (pinned_.contains(path)) {
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
    return *make_setting(path, place, node, problems_, option_paths_);
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
                    fmt::format("the axis '{}' must be a list of values, found {}", name, yaml_found(node)));
    return false;
  }

  void grid(const YamlEntry& grid) {
    if (!is_map(*grid.value, "grid", "{ train.batch: [64, 256] }")) return;
    for (const YamlEntry& axis : grid.value->entries) {
      if (axis.value->kind == YamlKind::null || !take_axis(axis.key, axis.key_place, "grid")) continue;
      if (!is_axis_list("grid." + axis.key, *axis.value)) continue;
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
    for (const YamlEntry& axis : map.entries) {
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
      DesignBlock::Row row{one->place, {}};
      case_settings(*one, "", row, taken);
      check_alternatives(row);
      block.rows.push_back(std::move(row));
    }
    for (const auto& [path, ours] : taken) {
      if (ours) block.paths.push_back(path);
    }
    if (!block.rows.empty()) blocks_.push_back(std::move(block));
  }

  void case_settings(const YamlNode& map, const std::string& prefix, DesignBlock::Row& row,
                     std::map<std::string, bool>& taken) {
    for (const YamlEntry& entry : map.entries) {
      const std::string path = prefix.empty() ? entry.key : prefix + "." + entry.key;
      if (entry.value->kind == YamlKind::map) {
        case_settings(*entry.value, path, row, taken);
        continue;
      }
      const auto known = taken.find(path);
      const bool ours = known != taken.end() ? known->second : take_case_axis(path, entry.key_place, taken);
      const auto same = [&](const Setting& s) { return s.path == path; };
      if (std::any_of(row.settings.begin(), row.settings.end(), same))
        problems_.add(entry.key_place, fmt::format("'{}' twice in one case", path));
      else if (ours)
        row.settings.push_back(setting(path, entry.key_place, entry.value));
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
      const bool whole = key != nullptr ? key->type == ValueType::integer : axis.path == "model.params";
      for (size_t i = 0; i < block.rows.size(); ++i)
        block.rows[i].settings.push_back(setting(axis.path, axis.place, random_value(axis, plan->seed, i, whole)));
    }
    if (!block.paths.empty()) blocks_.push_back(std::move(block));
  }

  const std::set<std::string>& pinned_;
  Problems& problems_;
  const std::vector<std::string>& option_paths_;
  std::vector<std::string>& notes_;
  std::map<std::string, std::string> owner_;  // path -> the block's kind
  std::vector<DesignBlock> blocks_;
};

}  // namespace

std::vector<DesignBlock> read_design(const YamlNode& root, const std::set<std::string>& pinned, Problems& problems,
                                     const std::vector<std::string>& option_paths, std::vector<std::string>& notes) {
  return DesignReader(pinned, problems, option_paths, notes).run(root);
}

}  // namespace bitsweep
