#include "spec/keys.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "base/units.h"

namespace bitsweep {
namespace {

constexpr double kExact = 9007199254740992.0;  // 2^53

int64_t integer_of(const json::value& value) { return value.to_number<int64_t>(); }
double number_of(const json::value& value) { return value.to_number<double>(); }
std::string text_of(const json::value& value) { return std::string(value.get_string()); }

// A key that is one member of a section of RunSpec.
#define BITSWEEP_MEMBER(MEMBER, CONVERT)                                              \
  .set = [](RunSpec& spec, const json::value& value) { spec.MEMBER = CONVERT(value); }, \
  .get = [](const RunSpec& spec) { return json::value(spec.MEMBER); }

std::vector<std::string> words_of(const json::value& value) {
  std::vector<std::string> words;
  for (const json::value& item : value.get_array()) words.emplace_back(item.get_string());
  return words;
}

bool holds(const json::value& words, std::string_view word) {
  const auto found = words_of(words);
  return std::find(found.begin(), found.end(), word) != found.end();
}

std::vector<RunKey> model_and_data_keys() {
  return {
      {.path = "model.plugin", .type = ValueType::text, .help = "a variant's name, or the path of a .so"},
      {.path = "data.corpus", .type = ValueType::path, .words = {"headers", "stories"},
       .help = "headers, stories, or the path of a text or a folder", BITSWEEP_MEMBER(data.corpus, text_of)},
      {.path = "data.glob", .type = ValueType::text, .help = "files taken from a folder", BITSWEEP_MEMBER(data.glob, text_of)},
      {.path = "data.field", .type = ValueType::text, .help = "the text's key in JSONL", BITSWEEP_MEMBER(data.field, text_of)},
      {.path = "data.tokenizer", .type = ValueType::choice, .words = {"ascii128", "bytes256"},
       .help = "the vocabulary", BITSWEEP_MEMBER(data.tokenizer, text_of)},
      {.path = "data.context", .type = ValueType::integer, .least = 1, .most = 1 << 20, .help = "tokens of a sequence",
       BITSWEEP_MEMBER(data.context, integer_of)},
      {.path = "data.val_fraction", .type = ValueType::number, .least = 0, .most = 1, .above_least = true,
       .below_most = true, .help = "of the corpus, in contiguous blocks", BITSWEEP_MEMBER(data.val_fraction, number_of)},
      {.path = "data.val", .type = ValueType::path, .help = "a validation text of its own", BITSWEEP_MEMBER(data.val, text_of)},
  };
}

std::vector<RunKey> budget_keys() {
  return {
      {.path = "train.steps", .type = ValueType::integer, .least = 1, .most = 1e9, .help = "or train.tokens, or train.epochs"},
      {.path = "train.tokens", .type = ValueType::number, .least = 1, .most = 1e15, .help = "tokens seen; rounded up to whole steps"},
      {.path = "train.epochs", .type = ValueType::number, .least = 0, .most = 1e6, .above_least = true,
       .help = "times the training split is seen; rounded down to whole steps"},
  };
}

std::vector<RunKey> schedule_keys() {
  return {
      {.path = "train.batch", .type = ValueType::integer, .least = 1, .most = 1e6, .help = "sequences a step",
       BITSWEEP_MEMBER(train.batch, integer_of)},
      {.path = "train.accumulate", .type = ValueType::integer, .least = 1, .most = 1e6, .help = "micro-batches a step",
       BITSWEEP_MEMBER(train.accumulate, integer_of)},
      {.path = "train.lr", .type = ValueType::number, .least = 0, .most = 100, .above_least = true, .help = "peak learning rate",
       BITSWEEP_MEMBER(train.lr, number_of)},
      {.path = "train.warmup", .type = ValueType::integer, .least = 0, .most = 1e9, .help = "steps",
       BITSWEEP_MEMBER(train.warmup, integer_of)},
      {.path = "train.schedule", .type = ValueType::choice, .words = {"cosine", "linear", "constant", "wsd"},
       .help = "of the learning rate after the warmup", BITSWEEP_MEMBER(train.schedule, text_of)},
      {.path = "train.lr_final", .type = ValueType::number, .least = 0, .most = 1, .help = "fraction of lr",
       BITSWEEP_MEMBER(train.lr_final, number_of)},
      {.path = "train.decay_fraction", .type = ValueType::number, .least = 0, .most = 1, .above_least = true,
       .help = "wsd: the last part of the steps, which decays", BITSWEEP_MEMBER(train.decay_fraction, number_of)},
  };
}

std::vector<RunKey> optimizer_keys() {
  return {
      {.path = "train.optimizer", .type = ValueType::choice, .words = {"adamw"}, BITSWEEP_MEMBER(train.optimizer, text_of)},
      {.path = "train.betas", .type = ValueType::numbers, .least = 0, .most = 1, .below_most = true, .count = 2,
       .help = "of AdamW",
       .set = [](RunSpec& spec, const json::value& v) {
         spec.train.beta1 = number_of(v.get_array()[0]);
         spec.train.beta2 = number_of(v.get_array()[1]);
       },
       .get = [](const RunSpec& spec) { return json::value(json::array{spec.train.beta1, spec.train.beta2}); }},
      {.path = "train.eps", .type = ValueType::number, .least = 0, .most = 1, .above_least = true, .help = "of AdamW",
       BITSWEEP_MEMBER(train.eps, number_of)},
      {.path = "train.weight_decay", .type = ValueType::number, .least = 0, .most = 100, .help = "of matrices",
       BITSWEEP_MEMBER(train.weight_decay, number_of)},
      {.path = "train.clip", .type = ValueType::number, .least = 0, .most = 1e6, .help = "global gradient norm; 0 is off",
       BITSWEEP_MEMBER(train.clip, number_of)},
      {.path = "train.precision", .type = ValueType::choice, .words = {"f32", "bf16"}, .help = "of the matmuls",
       BITSWEEP_MEMBER(train.precision, text_of)},
      {.path = "train.init_from", .type = ValueType::text, .help = "id of the run whose best checkpoint to start from",
       BITSWEEP_MEMBER(train.init_from, text_of)},
      {.path = "train.freeze", .type = ValueType::texts, .help = "patterns (* and ?) over parameter names",
       .set = [](RunSpec& spec, const json::value& v) { spec.train.freeze = words_of(v); },
       .get = [](const RunSpec&) { return json::value(json::array()); }},
  };
}

std::vector<RunKey> measuring_keys() {
  return {
      {.path = "eval.every", .type = ValueType::integer, .least = 1, .most = 1e9, .help = "steps; the last is always evaluated",
       BITSWEEP_MEMBER(eval.every, integer_of)},
      {.path = "eval.windows", .type = ValueType::integer, .least = 1, .most = 1e7, .help = "fixed validation windows",
       BITSWEEP_MEMBER(eval.windows, integer_of)},
      {.path = "checkpoint.every", .type = ValueType::integer, .least = 1, .most = 1e9, .help = "steps",
       BITSWEEP_MEMBER(checkpoint.every, integer_of)},
      {.path = "checkpoint.keep", .type = ValueType::texts, .words = {"last", "best"}, .help = "checkpoints that stay",
       .set = [](RunSpec& spec, const json::value& v) {
         spec.checkpoint.keep_last = holds(v, "last");
         spec.checkpoint.keep_best = holds(v, "best");
       },
       .get = [](const RunSpec&) { return json::value(json::array{"last", "best"}); }},
      {.path = "seed", .type = ValueType::integer, .least = 0, .most = kExact, .help = "of initial weights, data and noise",
       BITSWEEP_MEMBER(seed, integer_of)},
  };
}

#undef BITSWEEP_MEMBER

std::vector<RunKey> make_keys() {
  std::vector<RunKey> keys;
  for (auto part : {model_and_data_keys, budget_keys, schedule_keys, optimizer_keys, measuring_keys}) {
    for (RunKey& key : part()) keys.push_back(std::move(key));
  }
  return keys;
}

std::string number_text(double value) {
  if (value == std::floor(value) && std::abs(value) < kExact) return format_thousands(static_cast<int64_t>(value));
  return fmt::format("{}", value);
}

std::string range_text(const RunKey& key) {
  const bool low = std::isfinite(key.least), high = std::isfinite(key.most);
  if (!low && !high) return "";
  if (key.above_least || key.below_most) {
    return fmt::format(" {} {} and {} {}", key.above_least ? "above" : "from", number_text(key.least),
                       key.below_most ? "below" : "up to", number_text(key.most));
  }
  return fmt::format(" from {} to {}", number_text(key.least), number_text(key.most));
}

bool in_range(const RunKey& key, double value) {
  if (!std::isfinite(value)) return false;
  if (key.above_least ? value <= key.least : value < key.least) return false;
  return key.below_most ? value < key.most : value <= key.most;
}

bool contains(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool fits(const RunKey& key, const json::value& value) {
  switch (key.type) {
    case ValueType::integer: {
      if (!value.is_number()) return false;
      const double number = value.to_number<double>();
      return in_range(key, number) && number == std::floor(number);
    }
    case ValueType::number: return value.is_number() && in_range(key, value.to_number<double>());
    case ValueType::choice: return value.is_string() && contains(key.words, value.get_string());
    case ValueType::text:
    case ValueType::path: return value.is_string() && !value.get_string().empty();
    case ValueType::texts:
      return value.is_array() && std::all_of(value.get_array().begin(), value.get_array().end(), [&](const auto& item) {
               return item.is_string() && (key.words.empty() || contains(key.words, item.get_string()));
             });
    case ValueType::numbers:
      return value.is_array() && value.get_array().size() == key.count &&
             std::all_of(value.get_array().begin(), value.get_array().end(), [&](const auto& item) {
               return item.is_number() && in_range(key, item.template to_number<double>());
             });
  }
  return false;
}

json::value path_value(const RunKey& key, const YamlNode& node) {
  if (contains(key.words, node.text)) return json::value(node.text);
  fs::path path = node.text;
  // Written in a file: relative to it. Given on the command line: relative to the current folder.
  if (path.is_relative() && node.place.line > 0) path = fs::path(*node.place.file).parent_path() / path;
  return json::value(fs::absolute(path).lexically_normal().string());
}

json::value scalar_of(ValueType type, const YamlNode& node) {
  if (type == ValueType::integer || type == ValueType::number) {
    const auto number = yaml_size(node);
    if (!number) return nullptr;
    if (const auto integer = yaml_integer(node)) return *integer;
    return *number;
  }
  return node.kind == YamlKind::scalar ? json::value(node.text) : json::value(nullptr);
}

json::value list_of(ValueType item_type, const YamlNode& node) {
  if (node.kind != YamlKind::list) return nullptr;
  json::array items;
  for (const Yaml& item : node.items) items.push_back(scalar_of(item_type, *item));
  return items;
}

}  // namespace

std::span<const RunKey> run_keys() {
  static const std::vector<RunKey> keys = make_keys();
  return keys;
}

const RunKey* find_run_key(std::string_view path) {
  const auto keys = run_keys();
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const RunKey& key) { return path == key.path; });
  return found == keys.end() ? nullptr : &*found;
}

const std::vector<std::string>& run_sections() {
  static const std::vector<std::string> sections{"model", "data", "train", "eval", "checkpoint"};
  return sections;
}

std::span<const char* const> alternatives_of(std::string_view path) {
  static constexpr std::array<const char*, 3> budget{"train.steps", "train.tokens", "train.epochs"};
  if (std::find(budget.begin(), budget.end(), path) != budget.end()) return budget;
  return {};
}

bool replaces(std::string_view upper, std::string_view lower) {
  if (upper == lower) return false;
  const auto group = alternatives_of(lower);
  if (std::find(group.begin(), group.end(), upper) != group.end()) return true;
  static const std::vector<std::string> shape{"model.d_model", "model.n_layers", "model.n_heads", "model.d_ff"};
  return (upper == "model.params" && contains(shape, lower)) || (lower == "model.params" && contains(shape, upper));
}

std::string expected(const RunKey& key) {
  switch (key.type) {
    case ValueType::integer: return "an integer" + range_text(key);
    case ValueType::number: return "a number" + range_text(key);
    case ValueType::choice: return fmt::format("one of {}", fmt::join(key.words, ", "));
    case ValueType::text: return "text";
    case ValueType::path: return key.words.empty() ? "a path" : fmt::format("{}, or a path", fmt::join(key.words, ", "));
    case ValueType::texts:
      return key.words.empty() ? "a list of texts" : fmt::format("a list of {}", fmt::join(key.words, ", "));
    case ValueType::numbers: return fmt::format("a list of {} numbers, each{}", key.count, range_text(key));
  }
  return "";
}

std::string value_problem(const RunKey& key, const json::value& value) { return fits(key, value) ? "" : expected(key); }

json::value typed_value(const RunKey& key, const YamlNode& node, std::string& problem) {
  json::value value;
  if (key.type == ValueType::path && node.kind == YamlKind::scalar && !node.text.empty()) value = path_value(key, node);
  else if (key.type == ValueType::texts) value = list_of(ValueType::text, node);
  else if (key.type == ValueType::numbers) value = list_of(ValueType::number, node);
  else value = scalar_of(key.type, node);
  problem = value_problem(key, value);
  if (!problem.empty()) problem = fmt::format("must be {}, found {}", problem, yaml_found(node));
  return value;
}

const OptionSpec& params_option() {
  static const OptionSpec option{.name = "params", .type = "int", .min = 1, .max = 1e13, .choices = {}, .default_value = {},
                                 .help = "target size in place of a shape, e.g. 5.5M"};
  return option;
}

json::value typed_option(const OptionSpec& option, const YamlNode& node, std::string& problem) {
  json::value value;
  if (option.type == "int" || option.type == "float") value = scalar_of(ValueType::number, node);
  else if (option.type == "int_list") value = list_of(ValueType::integer, node);
  else if (option.type == "bool") value = yaml_bool(node) ? json::value(*yaml_bool(node)) : json::value(nullptr);
  else value = scalar_of(ValueType::text, node);
  problem = option_problem(option, value);
  if (!problem.empty()) problem = fmt::format("must be {}, found {}", problem, yaml_found(node));
  return value;
}

}  // namespace bitsweep
