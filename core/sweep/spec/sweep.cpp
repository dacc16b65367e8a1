#include "spec/sweep.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/units.h"
#include "spec/axes.h"
#include "spec/formulas.h"
#include "spec/layers.h"
#include "spec/options.h"
#include "spec/other_tools.h"
#include "spec/points.h"
#include "spec/settings.h"
#include "spec/tokenizer_value.h"

namespace bitsweep::spec {
namespace {

void add_items(const YamlNode& axes, std::vector<Yaml>& out) {
  const YamlEntry* axis = axes.find("model.plugin");
  if (axis != nullptr) out.insert(out.end(), axis->value->items.begin(), axis->value->items.end());
}

// Every value that model.plugin takes, so that all their options are known before anything is checked against them.
std::vector<Yaml> plugin_values(const YamlNode& root) {
  std::vector<Yaml> values;
  const auto in_model = [&](const YamlNode& map) {
    const YamlEntry* dotted = map.find("model.plugin");
    if (dotted != nullptr) values.push_back(dotted->value);
    const YamlEntry* model = map.find("model");
    const YamlEntry* plugin = model == nullptr ? nullptr : model->value->find("plugin");
    if (plugin != nullptr) values.push_back(plugin->value);
  };
  in_model(root);
  if (const YamlEntry* grid = root.find("grid")) add_items(*grid->value, values);
  if (const YamlEntry* zip = root.find("zip")) {
    add_items(*zip->value, values);
    for (const Yaml& one : zip->value->items) add_items(*one, values);
  }
  if (const YamlEntry* cases = root.find("cases")) {
    for (const Yaml& one : cases->value->items) in_model(*one);
    std::vector<Yaml> each;  // a list in a case is several
    for (const Yaml& value : values)
      if (value->kind == YamlKind::list)
        each.insert(each.end(), value->items.begin(), value->items.end());
      else
        each.push_back(value);
    values = std::move(each);
  }
  const YamlEntry* random = root.find("random");
  const YamlEntry* axes = random == nullptr ? nullptr : random->value->find("axes");
  const YamlEntry* axis = axes == nullptr ? nullptr : axes->value->find("model.plugin");
  const YamlEntry* choice = axis == nullptr ? nullptr : axis->value->find("choice");
  if (choice != nullptr) values.insert(values.end(), choice->value->items.begin(), choice->value->items.end());
  return values;
}

// A number is meant as how many.
std::string seeds_hint(const YamlNode& node) {
  const auto count = yaml_integer(node);
  return axis_hint("seed", count && *count > 0 ? *yaml_scalar(fmt::format("range({})", *count), node.place) : node);
}

// seeds: [0, 1, 2] as the block that varies fastest.
void add_seeds(const YamlNode& root, bool pinned, Problems& problems, std::vector<std::string>& notes, Design& design) {
  const YamlEntry* entry = root.find("seeds");
  if (entry == nullptr || entry->value->kind == YamlKind::null) return;
  const YamlNode& list = *entry->value;
  if (list.kind != YamlKind::list || list.items.empty()) {
    const std::string found = list.kind == YamlKind::list ? "an empty list" : yaml_found(list) + seeds_hint(list);
    return problems.add(list.place, "'seeds' must be a list of integers such as [0, 1, 2], found " + found);
  }
  if (pinned) return notes.push_back("seeds: --set takes the place of 'seed'");
  for (const DesignBlock& block : design.blocks) {
    if (std::find(block.paths.begin(), block.paths.end(), "seed") != block.paths.end())
      return problems.add(entry->key_place,
                          fmt::format("'seeds' and the axis 'seed' of '{}' exclude each other", block.kind));
  }
  DesignBlock block{"seeds", entry->key_place, {"seed"}, {}};
  for (const Yaml& item : list.items)
    block.rows.push_back({item->place, {*make_setting("seed", entry->key_place, item, problems, {})}});
  design.blocks.push_back(std::move(block));
}

std::string range_and_default(const RunKey& key) {
  std::string text = fmt::format("{}  {}", key.path, expected(key));
  if (*key.help != '\0') text += fmt::format("; {}", key.help);
  if (key.get == nullptr) return text;
  const json::value value = key.get(RunSpec{});
  const bool empty = value.is_string() && value.get_string().empty();
  return empty ? text : fmt::format("{}; default {}", text, axis_text(key.path, value));
}

// A key that other points set and this one leaves out: "" is no value that a person gave.
bool is_given(const json::value& value) { return !value.is_string() || !value.get_string().empty(); }

}  // namespace

Sweep load_sweep(const SweepInput& input, std::vector<Diagnostic>* missing) {
  const LayeredFile file = read_layers(input.file, input.overrides);
  const YamlNode& root = *file.root;
  Problems problems;
  PluginShelf plugins(input.plugins);
  for (const Yaml& value : plugin_values(root)) plugins.find(*value, problems);
  const auto option_paths = plugins.option_paths();

  Sweep sweep;
  sweep.file = input.file;
  sweep.sources = file.sources;
  sweep.text = canonical_json(yaml_to_json(root));
  read_options(root, sweep, problems, option_paths);
  Design design;
  const YamlEntry* name = root.find("name");
  design.place = name == nullptr ? root.place : name->key_place;
  design.base = base_settings(root, problems, option_paths);
  design.blocks = read_design(root, {file.pinned, option_paths, plugins.list_option_paths()}, problems, sweep.notes);
  add_seeds(root, file.pinned.contains("seed"), problems, sweep.notes, design);
  design.derived = read_derived(root, file.pinned, problems, option_paths, sweep.notes);
  design.conditions = read_conditions(root, problems, option_paths);
  sweep.runs = expand(std::move(design), plugins, problems, sweep.notes);
  if (missing != nullptr && problems.empty()) *missing = problems.take_missing();
  problems.throw_if_any();
  return sweep;
}

std::string point_text(const json::object& axes, int64_t seed) {
  std::string text;
  for (const auto& axis : axes)
    if (is_given(axis.value()))
      text += fmt::format("{} {}, ", std::string(axis.key()), axis_text(axis.key(), axis.value()));
  return text + fmt::format("seed {}", seed);
}

std::string short_point_text(const json::object& axes, int64_t seed) {
  const auto last_word = [](std::string_view path) { return path.substr(path.rfind('.') + 1); };
  std::string text;
  for (const auto& axis : axes) {
    const std::string_view path = axis.key();
    if (path == "model.plugin" || !is_given(axis.value())) continue;
    const auto namesakes = std::count_if(axes.begin(), axes.end(),
                                         [&](const auto& other) { return last_word(other.key()) == last_word(path); });
    text += fmt::format("{} {}, ", namesakes > 1 ? path : last_word(path), axis_text(path, axis.value()));
  }
  return text + fmt::format("seed {}", seed);
}

std::string axis_text(std::string_view path, const json::value& value) {
  if (path == "data.tokenizer") return tokenizer_text(value);
  if (value.is_string()) return std::string(value.get_string());
  const bool size = path == "model.params" || path == "model.body" || path == "train.tokens";
  return size && value.is_number() ? format_count(value.to_number<double>()) : canonical_json(value);
}

std::vector<std::string> sweep_keys() {
  std::vector<std::string> lines = option_help();
  for (const RunKey& key : run_keys()) {
    lines.push_back(range_and_default(key));
    if (key.type != ValueType::tasks) continue;
    for (const std::string& help : task_key_help()) lines.push_back("eval.tasks." + help);
  }
  return lines;
}

}  // namespace bitsweep::spec
