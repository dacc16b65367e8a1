#include "spec/other_tools.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "spec/settings.h"

namespace bitsweep::spec {
namespace {

constexpr size_t kMostShown = 12;  // values of a list; of more, the ends
constexpr int64_t kMostInRange = 1'000'000;
constexpr const char* kDraws = "20";  // of an example

// Another tool's words for one key here.
struct Alias {
  const char* ours;
  std::vector<std::string_view> words;
};

const std::vector<Alias>& aliases() {
  static const std::vector<Alias> all{
      {"train.lr", {"learning_rate", "lr", "max_lr", "peak_lr", "base_lr"}},
      {"train.batch",
       {"per_device_train_batch_size", "train_batch_size", "micro_batch_size", "batch_size", "global_batch_size",
        "total_batch_size", "bs"}},
      {"train.accumulate", {"gradient_accumulation_steps", "grad_accum_steps", "accumulate_grad_batches"}},
      {"train.steps", {"max_steps", "num_steps", "total_steps", "num_iterations", "max_iters", "iterations"}},
      {"train.epochs", {"num_train_epochs", "num_epochs", "max_epochs", "n_epochs"}},
      {"train.tokens", {"max_tokens", "num_tokens", "train_tokens"}},
      {"train.schedule", {"lr_scheduler_type", "lr_scheduler", "scheduler", "lr_schedule", "decay"}},
      {"train.warmup", {"warmup_steps", "warmup_iters", "warmup_ratio", "num_warmup_steps"}},
      {"train.lr_final", {"min_lr", "lr_end", "cosine_min_lr_ratio", "final_lr_fraction"}},
      {"train.optimizer", {"optim", "optimizer_type"}},
      {"train.betas", {"adam_beta1", "adam_beta2", "beta1", "beta2"}},
      {"train.eps", {"adam_epsilon", "adam_eps", "epsilon"}},
      {"train.weight_decay", {"wd", "weight_decay_rate", "l2"}},
      {"train.clip", {"max_grad_norm", "gradient_clipping", "grad_clip", "gradient_clip_val", "clip_grad"}},
      {"train.precision", {"bf16", "fp16", "mixed_precision", "dtype", "torch_dtype"}},
      {"train.init_from", {"resume_from_checkpoint", "init_checkpoint", "base_model", "model_name_or_path"}},
      {"data.context",
       {"sequence_len", "seq_len", "sequence_length", "max_seq_length", "max_seq_len", "block_size", "context_length",
        "max_length", "n_ctx"}},
      {"data.corpus", {"dataset", "datasets", "dataset_name", "train_file", "data_path", "dataset_path"}},
      {"data.field", {"text_column", "text_field", "dataset_text_field"}},
      {"data.val", {"validation_file", "eval_file", "val_data"}},
      {"data.val_fraction", {"val_set_size", "validation_split", "test_size"}},
      {"eval.every", {"eval_steps", "eval_interval", "evals_per_epoch", "val_check_interval"}},
      {"checkpoint.every", {"save_steps", "save_interval", "checkpoint_interval"}},
      {"seed", {"random_seed", "random_state"}},
      {"seeds", {"num_seeds", "n_seeds"}},
      {"model.plugin", {"model_type", "architecture", "arch"}},
      {"model.params", {"model_size", "n_params", "num_params"}},
      {"model.d_model", {"hidden_size", "n_embd", "dim", "embed_dim", "hidden_dim"}},
      {"model.n_layers", {"num_hidden_layers", "n_layer", "num_layers", "depth"}},
      {"model.n_heads", {"num_attention_heads", "n_head", "num_heads"}},
      {"model.d_ff", {"intermediate_size", "ffn_dim", "d_ffn", "ff_dim"}},
  };
  return all;
}

std::string scalar_text(const YamlNode& node) { return node.kind == YamlKind::scalar ? node.text : ""; }

// "[a, b, c]", of many the first ones and the last.
std::string bracketed(const std::vector<std::string>& items) {
  if (items.size() <= kMostShown) return fmt::format("[{}]", fmt::join(items, ", "));
  return fmt::format("[{}, {}, {}, …, {}]", items[0], items[1], items[2], items.back());
}

// What an axis was meant as: its values, or the law that draws them. Both empty: that cannot be told.
struct Meant {
  std::string list;  // "[1, 2]"
  std::string law;   // "{ uniform: [0, 1] }"
};

Meant drawn(const char* law, const std::string& from, const std::string& to) {
  return {"", fmt::format("{{ {}: [{}, {}] }}", law, from, to)};
}

std::string power_text(double base, double exponent) {
  if (base == 10 && exponent == std::floor(exponent)) return fmt::format("1.0e{}", static_cast<int64_t>(exponent));
  return fmt::format("{:.3g}", std::pow(base, exponent));
}

// --- maps: { values: … }, { min: …, max: …, distribution: … } ---

const YamlNode* first_of(const YamlNode& map, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names)
    if (const YamlEntry* entry = map.find(name)) return entry->value.get();
  return nullptr;
}

bool is_whole(const YamlNode& node) {
  return yaml_integer(node).has_value() && scalar_text(node).find('.') == std::string::npos;
}

Meant range_meant(const YamlNode& map, const YamlNode& from, const YamlNode& to) {
  const YamlNode* named = first_of(map, {"distribution", "dist", "type", "sampling", "prior"});
  const std::string law = named == nullptr ? "" : scalar_text(*named);
  const YamlNode* log = first_of(map, {"log", "log_scale"});
  const bool by_log = law.find("log") != std::string::npos || (log != nullptr && yaml_bool(*log).value_or(false));
  const auto least = yaml_number(from), most = yaml_number(to);
  // Without "_values" the bounds are exponents of e there.
  const bool exponents = law.find("log_uniform") != std::string::npos && law.find("values") == std::string::npos;
  if (by_log && exponents && least && most && *least <= 0)
    return drawn("log_uniform", power_text(std::exp(1.0), *least), power_text(std::exp(1.0), *most));
  if (by_log) return drawn("log_uniform", scalar_text(from), scalar_text(to));
  const bool whole = is_whole(from) && is_whole(to) && law != "uniform" && law != "float" && law != "double";
  return drawn(whole ? "int_uniform" : "uniform", scalar_text(from), scalar_text(to));
}

Meant map_meant(const YamlNode& map) {
  if (const YamlNode* values = first_of(map, {"values", "choices", "categories", "choice", "options", "grid_search"}))
    return {list_text(*values), ""};
  if (const YamlNode* value = first_of(map, {"value", "constant"}))
    return {fmt::format("[{}]", scalar_text(*value)), ""};
  const YamlNode* from = first_of(map, {"min", "low", "lower", "start"});
  const YamlNode* to = first_of(map, {"max", "high", "upper", "stop"});
  if (from == nullptr || to == nullptr) return {};
  if (scalar_text(*from).empty() || scalar_text(*to).empty()) return {};
  return range_meant(map, *from, *to);
}

// --- texts: choice(1, 2), range(0, 8, 2), interval(0, 1), 1,2,3, 0-15%4 ---

std::string stripped(std::string_view text) {
  constexpr std::string_view kAround = " \t'\"[]";
  const size_t begin = text.find_first_not_of(kAround);
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(kAround) + 1 - begin));
}

// At commas outside of inner parentheses.
std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  int depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : ',';
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (c != ',' || (depth > 0 && i < text.size())) continue;
    if (std::string part = stripped(text.substr(begin, i - begin)); !part.empty()) parts.push_back(std::move(part));
    begin = i + 1;
  }
  return parts;
}

std::optional<int64_t> whole_of(const std::string& text) { return yaml_integer(*yaml_scalar(text, {})); }
bool is_number(const std::string& text) { return yaml_number(*yaml_scalar(text, {})).has_value(); }

// Whole numbers from `from`, not beyond `last`; "" where there are none, or far too many.
std::string counted(int64_t from, int64_t last, int64_t step) {
  if (step <= 0 || last < from || last - from > kMostInRange) return "";
  std::vector<std::string> items;
  for (int64_t i = from; i <= last; i += step) items.push_back(std::to_string(i));
  return bracketed(items);
}

std::string range_list(const std::vector<std::string>& arguments) {
  std::vector<int64_t> numbers;
  for (const std::string& argument : arguments)
    if (const auto number = whole_of(argument); number && std::abs(*number) <= kMostInRange)
      numbers.push_back(*number);
    else
      return "";
  if (numbers.empty() || numbers.size() > 3) return "";
  const int64_t from = numbers.size() == 1 ? 0 : numbers[0];
  const int64_t end = numbers.size() == 1 ? numbers[0] : numbers[1];
  return counted(from, end - 1, numbers.size() == 3 ? numbers[2] : 1);
}

Meant call_meant(std::string_view text);

// `name(arguments)`; a call within a call, as in tag(log, interval(…)), is looked into.
Meant named_call(std::string_view name, std::vector<std::string> arguments) {
  const auto has = [&](std::string_view part) { return name.find(part) != std::string_view::npos; };
  bool log = has("log");
  for (size_t i = 0; i < arguments.size();) {
    const std::string& argument = arguments[i];
    if (argument.find('(') != std::string::npos) {
      Meant inner = call_meant(argument);
      const size_t law = inner.law.find("{ uniform");
      if (law != std::string::npos && arguments[0] == "log") inner.law.replace(law, 9, "{ log_uniform");
      return inner;
    }
    const bool keyword = argument.find('=') != std::string::npos;
    log = log || argument == "log=True" || argument == "log=true";
    // Optuna's first argument is the parameter's name.
    if (keyword || (i == 0 && name.starts_with("suggest") && !is_number(argument)))
      arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(i));
    else
      ++i;
  }
  if (has("choice") || has("categorical") || has("grid") || has("sample_from")) return {bracketed(arguments), ""};
  if (name == "range" || name == "arange") return {range_list(arguments), ""};
  if (arguments.size() < 2 || !is_number(arguments[0]) || !is_number(arguments[1])) return {};
  const bool whole = has("int") && name != "interval";
  if (log) return drawn("log_uniform", arguments[0], arguments[1]);
  if (whole) return drawn("int_uniform", arguments[0], arguments[1]);
  if (has("uniform") || has("float") || name == "interval") return drawn("uniform", arguments[0], arguments[1]);
  return {};
}

Meant call_meant(std::string_view text) {
  const size_t open = text.find('(');
  if (open == std::string_view::npos || !text.ends_with(')') || open == 0) return {};
  std::string_view name = text.substr(0, open);
  name.remove_prefix(name.rfind('.') == std::string_view::npos ? 0 : name.rfind('.') + 1);
  return named_call(name, split(text.substr(open + 1, text.size() - open - 2)));
}

// Slurm's --array: 0-15, 0-15:4, 0-15%4.
std::string array_list(std::string text) {
  text = text.substr(0, text.find('%'));
  const size_t dash = text.find('-'), colon = text.find(':');
  if (dash == std::string::npos || dash == 0) return "";
  const auto from = whole_of(text.substr(0, dash)), last = whole_of(text.substr(dash + 1, colon - dash - 1));
  const auto step = colon == std::string::npos ? std::optional<int64_t>(1) : whole_of(text.substr(colon + 1));
  return from && last && step ? counted(*from, *last, *step) : "";
}

Meant text_meant(const std::string& text) {
  if (text.find('(') != std::string::npos) return call_meant(text);
  if (std::string list = array_list(text); !list.empty()) return {std::move(list), ""};
  const std::vector<std::string> parts = split(text);
  return parts.empty() ? Meant{} : Meant{bracketed(parts), ""};
}

Meant meant_by(const YamlNode& node) {
  if (node.kind == YamlKind::map) return map_meant(node);
  return node.kind == YamlKind::scalar ? text_meant(node.text) : Meant{};
}

// --- a whole file of another tool ---

// Under the key that is meant here, or under its own name where nothing is known of it.
std::string path_of(const std::string& word) {
  const std::string ours = our_key(word);
  return ours.empty() ? word : ours;
}

// { lr: { values: […] }, … } as grid, random and fixed values.
std::string parameters_hint(const YamlNode& parameters) {
  std::vector<std::string> grid, random;
  for (const YamlEntry& entry : parameters.entries) {
    const bool is_list = entry.value->kind == YamlKind::list;
    const Meant meant = is_list ? Meant{list_text(*entry.value), ""} : meant_by(*entry.value);
    if (!meant.list.empty()) grid.push_back(fmt::format("{}: {}", path_of(entry.key), meant.list));
    if (!meant.law.empty()) random.push_back(fmt::format("{}: {}", path_of(entry.key), meant.law));
  }
  std::string text;
  if (!grid.empty()) text += fmt::format("grid: {{ {} }}", fmt::join(grid, ", "));
  if (!random.empty())
    text += fmt::format("{}random: {{ count: {}, axes: {{ {} }} }}", text.empty() ? "" : " and ", kDraws,
                        fmt::join(random, ", "));
  return text.empty() ? "grid: { train.lr: [1.0e-3, 1.0e-4] }" : text;
}

struct ForeignKey {
  std::vector<std::string_view> words;
  const char* instead;
};

const std::vector<ForeignKey>& foreign_keys() {
  static const std::vector<ForeignKey> all{
      {{"method", "sampler", "strategy"},
       "grid: runs every combination, random: draws; 'bitsweep suggest' says which runs would tell most"},
      {{"metric", "objective", "direction"}, "every run is measured by val_bpc; stop: { rule: asha, metric: val_bpc }"},
      {{"early_terminate", "pruner"}, "stop: { rule: asha, grace: 2000 }"},
      {{"run_cap", "n_trials", "num_samples", "max_trials"}, "random: { count: 20, axes: { … } }"},
      {{"program", "command", "project", "entity", "wandb_project"},
       "a sweep names what is trained by model: { plugin: NAME }"},
      {{"defaults", "hydra", "sweeper"}, "extends: FILE.yaml lies beneath, grid: { PATH: [values] } sweeps"},
      {{"array"}, "grid: and seeds: make the runs, one each"},
      {{"time", "time_limit", "walltime"}, "resources: { timeout: 12h }"},
      {{"gres", "gpus", "partition", "cpus_per_task", "cpus-per-task", "mem", "nodes", "ntasks"},
       "resources: { device: cuda, threads: 4, memory: 8B }"},
  };
  return all;
}

}  // namespace

std::string our_key(std::string_view word) {
  for (const Alias& alias : aliases())
    if (std::find(alias.words.begin(), alias.words.end(), word) != alias.words.end()) return alias.ours;
  return "";
}

std::string list_text(const YamlNode& node) {
  if (node.kind != YamlKind::list || node.items.empty()) return "";
  std::vector<std::string> items;
  for (const Yaml& item : node.items) {
    std::string text = item->kind == YamlKind::list ? list_text(*item) : scalar_text(*item);
    if (text.empty()) return "";
    items.push_back(std::move(text));
  }
  return bracketed(items);
}

std::string axis_hint(const std::string& path, const YamlNode& node) {
  const Meant meant = meant_by(node);
  if (!meant.list.empty()) return "; write " + meant.list;
  if (meant.law.empty()) return "";
  return fmt::format("; a range is drawn at random: write random: {{ count: {}, axes: {{ {}: {} }} }}, or list the "
                     "values",
                     kDraws, path, meant.law);
}

Yaml whole_call(const YamlNode& map, size_t i) {
  const Yaml& value = map.entries[i].value;
  const auto is_cut = [](std::string_view text) {
    return text.find('(') != std::string_view::npos && text.find(')') == std::string_view::npos;
  };
  if (value->kind != YamlKind::scalar || !is_cut(value->text)) return value;
  std::string text = value->text;
  for (++i; i < map.entries.size() && map.entries[i].value->kind == YamlKind::null; ++i) {
    text += ", " + map.entries[i].key;
    if (!is_cut(text)) break;
  }
  return yaml_scalar(text, value->place);
}

std::string random_hint(const YamlNode& node) {
  const Meant meant = meant_by(node);
  if (!meant.law.empty()) return "; write " + meant.law;
  return meant.list.empty() ? "" : fmt::format("; write {{ choice: {} }}", meant.list);
}

std::string exponents_hint(double from, double to) {
  if (from >= 0 || to > 10 || from < -300 || from > to) return "";
  return fmt::format("; for powers of ten write [{}, {}]", power_text(10, from), power_text(10, to));
}

bool is_axis_word(std::string_view word) {
  static const std::vector<std::string_view> words{
      "values", "value", "min",   "max", "distribution", "low",  "high", "choices",     "mu",
      "sigma",  "q",     "log",   "lower", "upper",      "type", "dist", "grid_search", "probabilities"};
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string top_key_hint(const YamlEntry& entry) {
  static const std::vector<std::string_view> kSpaces{"parameters", "search_space", "space", "hyperparameters",
                                                     "params",     "hparams",      "param_space"};
  if (std::find(kSpaces.begin(), kSpaces.end(), entry.key) != kSpaces.end() && entry.value->kind == YamlKind::map)
    return "; here it is " + parameters_hint(*entry.value);
  for (const ForeignKey& key : foreign_keys())
    if (std::find(key.words.begin(), key.words.end(), entry.key) != key.words.end())
      return fmt::format("; here: {}", key.instead);
  const std::string ours = our_key(entry.key);
  const size_t dot = ours.find('.');
  if (dot == std::string::npos) return ours.empty() ? "" : fmt::format("; here it is '{}'", ours);
  const std::string value = scalar_text(*entry.value);
  return fmt::format("; here it is {}: {{ {}: {} }}", ours.substr(0, dot), ours.substr(dot + 1),
                     value.empty() ? "…" : value);
}

}  // namespace bitsweep::spec
