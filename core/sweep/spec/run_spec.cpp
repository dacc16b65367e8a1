#include "spec/run_spec.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "spec/also_value.h"
#include "spec/corpus_value.h"
#include "spec/tokenizer_value.h"

namespace bitsweep::spec {
namespace {

// Beside the plugin's options, and so the name of none; a key that came later, and left out at 1.
constexpr const char* kPluginVersion = "plugin_version";

json::object model_json(const ModelSpec& model) {
  json::object object{{"plugin", model.plugin}};
  if (model.version != ModelSpec{}.version) object[kPluginVersion] = model.version;
  for (const auto& option : model.options) object[option.key()] = option.value();
  return object;
}

// Keys that came later are written only when they are not at their default, so that older runs keep their ids.
json::object data_json(const DataSpec& data) {
  json::object object = {{"corpus", corpus_json(data)},
                         {"glob", data.glob},
                         {"field", data.field},
                         {"tokenizer", tokenizer_json(data)},
                         {"context", data.context},
                         {"val_fraction", data.val_fraction},
                         {"val", data.val},
                         {"sha256", data.sha256}};
  if (!data.examples.file.empty())
    object["examples"] = json::object{{"file", data.examples.file},
                                      {"template", to_json(data.examples.layout)},
                                      {"loss", data.examples.loss},
                                      {"pack", data.examples.pack}};
  if (!data.tokenizer_sha256.empty()) object["tokenizer_sha256"] = data.tokenizer_sha256;
  if (data.vocab_rows != DataSpec{}.vocab_rows) object["vocab_rows"] = data.vocab_rows;
  if (!data.documents.empty() && data.documents != "none") object["documents"] = data.documents;
  if (data.split != DataSpec{}.split) object["split"] = data.split;
  if (!data.documents_sha256.empty()) object["documents_sha256"] = data.documents_sha256;
  if (data.vocab > 0) object["vocab"] = data.vocab;
  if (data.bytes_per_token > 0) object["bytes_per_token"] = data.bytes_per_token;
  if (data.tokenizer == no_tokenizer) object["unit"] = "bits per token";
  return object;
}

json::object train_json(const TrainSpec& train) {
  json::object object = {{"steps", train.steps},
                         {"batch", train.batch},
                         {"accumulate", train.accumulate},
                         {"lr", train.lr},
                         {"warmup", train.warmup},
                         {"schedule", train.schedule},
                         {"lr_final", train.lr_final},
                         {"decay_fraction", train.decay_fraction},
                         {"optimizer", train.optimizer},
                         {"betas", json::array{train.beta1, train.beta2}},
                         {"eps", train.eps},
                         {"weight_decay", train.weight_decay},
                         {"clip", train.clip},
                         {"precision", train.precision},
                         {"init_from", train.init_from},
                         {"freeze", strings_json(train.freeze)}};
  if (train.weight_decay_until != TrainSpec{}.weight_decay_until) {
    object["weight_decay_until"] = train.weight_decay_until;
  }
  if (train.rounds_gradients()) object["gradients"] = train.gradients;
  return object;
}

json::object eval_json(const EvalSpec& eval) {
  json::object object = {{"every", eval.every}, {"windows", eval.windows}};
  if (eval.bytes != 0) object["bytes"] = eval.bytes;
  if (eval.stride != 0) object["stride"] = eval.stride;
  if (!eval.also.empty()) object["also"] = to_json(eval.also);
  if (eval.before) object["before"] = true;
  if (eval.probes != EvalSpec{}.probes) object["probes"] = eval.probes;
  if (!eval.tasks.empty()) object["tasks"] = to_json(eval.tasks);
  return object;
}

json::object checkpoint_json(const CheckpointSpec& checkpoint) {
  std::vector<std::string> keep;
  if (checkpoint.keep_last) keep.push_back("last");
  if (checkpoint.keep_best) keep.push_back("best");
  json::object object = {{"every", checkpoint.every}, {"keep", strings_json(keep)}};
  if (checkpoint.best != CheckpointSpec{}.best) object["best"] = checkpoint.best;
  return object;
}

// Reads one object strictly: every member is asked for by name, and what nobody asked for is an error.
class StrictReader {
 public:
  StrictReader(const json::object& object, std::string where) : object_(object), where_(std::move(where)) {}

  void text(const char* key, std::string& out) {
    read(key, "text", [&](const json::value& v) {
      if (!v.is_string()) return false;
      out = std::string(v.get_string());
      return true;
    });
  }
  void integer(const char* key, int64_t& out) {
    read(key, "an integer", [&](const json::value& v) {
      boost::system::error_code code;
      if (!v.is_number()) return false;
      const auto value = v.to_number<int64_t>(code);
      if (!code) out = value;
      return !code.failed();
    });
  }
  void number(const char* key, double& out) {
    read(key, "a number", [&](const json::value& v) {
      if (v.is_number()) out = v.to_number<double>();
      return v.is_number();
    });
  }
  void texts(const char* key, std::vector<std::string>& out) {
    read(key, "a list of texts", [&](const json::value& v) {
      if (!v.is_array()) return false;
      out.clear();
      for (const json::value& item : v.get_array()) {
        if (!item.is_string()) return false;
        out.emplace_back(item.get_string());
      }
      return true;
    });
  }
  void read(const char* key, const char* expected, const std::function<bool(const json::value&)>& take) {
    known_.emplace_back(key);
    const json::value* value = object_.if_contains(key);
    if (value == nullptr) return fail(fmt::format("'{}{}' is missing", where_, key));
    if (!take(*value)) fail(fmt::format("'{}{}' must be {}", where_, key, expected));
  }
  const json::object& object(const char* key) {
    static const json::object empty;
    const json::object* found = &empty;
    read(key, "an object", [&](const json::value& v) {
      if (v.is_object()) found = &v.get_object();
      return v.is_object();
    });
    return *found;
  }
  void finish() {
    for (const auto& member : object_) {
      const std::string key(member.key());
      if (std::find(known_.begin(), known_.end(), key) == known_.end())
        fail(fmt::format("unknown key '{}{}'{}", where_, key, did_you_mean(key, known_)));
    }
  }

 private:
  [[noreturn]] static void fail(std::string message) { throw Error(ErrorKind::input, "run spec: " + message); }

  const json::object& object_;
  std::string where_;
  std::vector<std::string> known_;
};

void read_model(const json::object& object, ModelSpec& model) {
  const json::value* plugin = object.if_contains("plugin");
  if (plugin == nullptr || !plugin->is_string()) throw Error(ErrorKind::input, "run spec: 'model.plugin' must be text");
  model.plugin = std::string(plugin->get_string());
  if (object.contains(kPluginVersion)) {
    model.version = integer_or(object, kPluginVersion, 0);
    if (model.version < 1) throw Error(ErrorKind::input, "run spec: 'model.plugin_version' must be an integer from 1");
  }
  for (const auto& member : object) {
    if (member.key() != "plugin" && member.key() != kPluginVersion)
      model.options[member.key()] = member.value();
  }
}

void read_data(const json::object& object, DataSpec& data) {
  StrictReader reader(object, "data.");
  reader.read("corpus", "a text, a mixture or shards", [&](const json::value& v) { return set_corpus(data, v); });
  reader.text("glob", data.glob);
  reader.text("field", data.field);
  reader.read("tokenizer", "text or a recipe", [&](const json::value& v) {
    if (v.is_string()) data.tokenizer = std::string(v.get_string());
    if (!v.is_object()) return v.is_string();
    if (!v.get_object().contains("train") || !v.at("train").is_object()) return false;
    data.tokenizer.clear();
    data.recipe = tokenizer_recipe(v.get_object());
    return data.recipe.vocab > 0;
  });
  if (object.contains("examples")) {
    StrictReader inner(reader.object("examples"), "data.examples.");
    inner.text("file", data.examples.file);
    inner.text("loss", data.examples.loss);
    inner.read("template", "a template", [&](const json::value& v) {
      data.examples.layout = template_from(v);
      return true;
    });
    inner.read("pack", "true or false", [&](const json::value& v) {
      if (v.is_bool()) data.examples.pack = v.get_bool();
      return v.is_bool();
    });
    inner.finish();
  }
  if (object.contains("tokenizer_sha256")) reader.text("tokenizer_sha256", data.tokenizer_sha256);
  if (object.contains("vocab_rows")) reader.integer("vocab_rows", data.vocab_rows);
  if (object.contains("documents")) reader.text("documents", data.documents);
  if (object.contains("split")) reader.text("split", data.split);
  if (object.contains("documents_sha256")) reader.text("documents_sha256", data.documents_sha256);
  if (object.contains("vocab")) reader.integer("vocab", data.vocab);
  if (object.contains("bytes_per_token")) reader.number("bytes_per_token", data.bytes_per_token);
  std::string unit;  // said for readers of the spec
  if (object.contains("unit")) reader.text("unit", unit);
  reader.integer("context", data.context);
  reader.number("val_fraction", data.val_fraction);
  reader.text("val", data.val);
  reader.text("sha256", data.sha256);
  reader.finish();
  // Of what was planned, none is not said; of what was not, the plan still chooses.
  if (data.documents.empty() && !data.sha256.empty()) data.documents = "none";
}

void read_train(const json::object& object, TrainSpec& train) {
  StrictReader reader(object, "train.");
  reader.integer("steps", train.steps);
  reader.integer("batch", train.batch);
  reader.integer("accumulate", train.accumulate);
  reader.number("lr", train.lr);
  reader.integer("warmup", train.warmup);
  reader.text("schedule", train.schedule);
  reader.number("lr_final", train.lr_final);
  reader.number("decay_fraction", train.decay_fraction);
  reader.text("optimizer", train.optimizer);
  reader.read("betas", "two numbers", [&](const json::value& v) {
    if (!v.is_array() || v.get_array().size() != 2) return false;
    if (!v.get_array()[0].is_number() || !v.get_array()[1].is_number()) return false;
    train.beta1 = v.get_array()[0].to_number<double>();
    train.beta2 = v.get_array()[1].to_number<double>();
    return true;
  });
  reader.number("eps", train.eps);
  reader.number("weight_decay", train.weight_decay);
  if (object.contains("weight_decay_until")) reader.number("weight_decay_until", train.weight_decay_until);
  reader.number("clip", train.clip);
  reader.text("precision", train.precision);
  if (object.contains("gradients")) reader.text("gradients", train.gradients);
  reader.text("init_from", train.init_from);
  reader.texts("freeze", train.freeze);
  reader.finish();
}

void read_eval(const json::object& object, EvalSpec& eval) {
  StrictReader reader(object, "eval.");
  reader.integer("every", eval.every);
  reader.integer("windows", eval.windows);
  if (object.contains("bytes")) reader.integer("bytes", eval.bytes);
  if (object.contains("stride")) reader.integer("stride", eval.stride);
  if (object.contains("also"))
    reader.read("also", "texts by name", [&](const json::value& v) {
      if (v.is_object()) eval.also = also_from(v.get_object());
      return v.is_object();
    });
  if (object.contains("before"))
    reader.read("before", "true or false", [&](const json::value& v) {
      if (v.is_bool()) eval.before = v.get_bool();
      return v.is_bool();
    });
  if (object.contains("probes")) reader.text("probes", eval.probes);
  if (object.contains("tasks"))
    reader.read("tasks", "a list of tasks", [&](const json::value& v) {
      eval.tasks = task_specs_from(v);
      return true;
    });
  reader.finish();
}

void read_checkpoint(const json::object& object, CheckpointSpec& checkpoint) {
  StrictReader reader(object, "checkpoint.");
  std::vector<std::string> keep;
  reader.integer("every", checkpoint.every);
  reader.texts("keep", keep);
  if (object.contains("best")) reader.text("best", checkpoint.best);
  reader.finish();
  checkpoint.keep_last = checkpoint.keep_best = false;
  for (const std::string& word : keep) {
    if (word == "last")
      checkpoint.keep_last = true;
    else if (word == "best")
      checkpoint.keep_best = true;
    else
      throw Error(ErrorKind::input, fmt::format("run spec: 'checkpoint.keep' has the unknown word '{}'", word));
  }
}

}  // namespace

json::object to_json(const RunSpec& spec) {
  json::object object = {{"model", model_json(spec.model)},
                         {"data", data_json(spec.data)},
                         {"train", train_json(spec.train)},
                         {"eval", eval_json(spec.eval)},
                         {"checkpoint", checkpoint_json(spec.checkpoint)},
                         {"seed", spec.seed}};
  if (!spec.imported.sha256.empty())
    object["import"] = json::object{{"folder", spec.imported.folder}, {"sha256", spec.imported.sha256}};
  return object;
}

RunSpec run_spec_from_json(const json::object& object) {
  RunSpec spec;
  StrictReader reader(object, "");
  read_model(reader.object("model"), spec.model);
  read_data(reader.object("data"), spec.data);
  read_train(reader.object("train"), spec.train);
  read_eval(reader.object("eval"), spec.eval);
  read_checkpoint(reader.object("checkpoint"), spec.checkpoint);
  reader.integer("seed", spec.seed);
  if (object.contains("import")) {
    StrictReader inner(reader.object("import"), "import.");
    inner.text("folder", spec.imported.folder);
    inner.text("sha256", spec.imported.sha256);
    inner.finish();
  }
  reader.finish();
  return spec;
}

DataSpec AlsoSpec::data() const {
  DataSpec data;
  data.corpus = corpus;
  data.glob = glob;
  data.field = field;
  data.val = val;
  data.val_fraction = val_fraction;
  return data;
}

MetricKind AlsoSpec::metric_kind() const {
  return {.name = metric(),
          .better = Better::lower,
          .unit = "bits per byte",
          .chance = {},
          .help = "validation loss on " + name};
}

}  // namespace bitsweep::spec
