#include "analysis/run_settings.h"

#include <algorithm>
#include <set>

#include "query/comparable.h"
#include "query/run_columns.h"
#include "spec/corpus_value.h"
#include "spec/run_spec.h"

namespace bitsweep::analysis {
namespace {

constexpr const char* kWeights = "data.corpus.weight";

void flatten(const json::value& value, const std::string& path, Settings& out) {
  if (value.is_object() && !value.get_object().empty()) {
    for (const auto& member : value.get_object())
      flatten(member.value(), path.empty() ? std::string(member.key()) : path + "." + std::string(member.key()), out);
  } else {
    out.emplace_back(path, query::cell_text(value, "null"));
  }
}

// What came later is left out of a spec at its default, which is a setting like any other beside runs that have
// another. `warmup` and the like stand in points of files too; a spec of ours alone has every key, `freeze` among them.
void add_left_out(Settings& all) {
  if (find_setting(all, "train.freeze") == nullptr) return;
  const spec::TrainSpec usual;
  const auto add = [&](const char* path, const json::value& value) {
    if (find_setting(all, path) == nullptr) all.emplace_back(path, query::cell_text(value));
  };
  add("train.gradients", json::value(usual.gradients));
  add("train.weight_decay_until", usual.weight_decay_until);
}

const json::value* corpus_of(const json::object& spec) {
  const json::value* data = spec.if_contains("data");
  return data != nullptr && data->is_object() ? data->get_object().if_contains("corpus") : nullptr;
}

// Of data: how the text is cut into what is learned, beside which text it is and how it is encoded.
bool is_of_learning(std::string_view path) {
  static const std::set<std::string_view> kOfLearning = {"data.corpus.weight", "data.documents",
                                                         "data.split",         "data.vocab_rows",
                                                         "data.examples.loss", "data.examples.pack"};
  return kOfLearning.contains(path) || path.starts_with("data.examples.template");
}

}  // namespace

Settings run_settings(const query::RunRow& run) {
  Settings all;
  flatten(run.spec, "", all);
  add_left_out(all);
  // A tokenizer is one setting, under the name that people know it by.
  std::erase_if(all, [](const auto& setting) { return setting.first.starts_with(kTokenizerSetting); });
  if (const std::string tokenizer = query::tokenizer_of(run.spec); !tokenizer.empty())
    all.emplace_back(kTokenizerSetting, tokenizer);
  if (const json::value* corpus = corpus_of(run.spec))
    if (std::string weights = spec::weights_text(*corpus); !weights.empty())
      all.emplace_back(kWeights, std::move(weights));
  std::sort(all.begin(), all.end());
  return all;
}

const std::string* find_setting(const Settings& settings, std::string_view path) {
  for (const auto& [name, value] : settings)
    if (name == path) return &value;
  return nullptr;
}

bool is_shape_option(std::string_view option) {
  static const std::set<std::string_view> kShape = {"params", "d_model", "n_layers",  "n_heads",
                                                    "d_ff",   "d_head",  "n_kv_heads"};
  return kShape.contains(option);
}

bool is_model_option(std::string_view path) { return path.starts_with("model.") && path != "model.plugin"; }

bool is_shape_setting(std::string_view path) { return is_model_option(path) && is_shape_option(path.substr(6)); }

bool starts_from_weights(std::string_view init_from) { return !init_from.empty(); }

bool is_imported_log(std::string_view path) { return path.starts_with("import."); }

bool tells_cells_apart(const Settings& settings, std::string_view path) {
  if (path == "seed" || path == "eval.every") return false;
  if (is_imported_log(path)) return true;
  if (spec::names_no_run(path)) return false;
  if (path != "data.corpus" && path != "data.val" && path != "data.examples.file") return true;
  const std::string* content = find_setting(settings, "data.sha256");
  return content == nullptr || content->empty();
}

bool is_told_elsewhere(std::string_view path) {
  return is_imported_log(path) || path == "seed" || path == "model.plugin" || path == "train.steps" ||
         path.starts_with("checkpoint.") || path.starts_with("eval.") ||
         (path.starts_with("data.") && !is_of_learning(path)) || is_shape_setting(path);
}

}  // namespace bitsweep::analysis
