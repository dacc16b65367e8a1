#include "spec/sweep_sections.h"

#include "spec/corpus_value.h"
#include "spec/tokenizer_value.h"

namespace bitsweep::spec {
namespace {

bool is_empty(const json::value& value) {
  return (value.is_string() && value.get_string().empty()) || (value.is_array() && value.get_array().empty()) ||
         (value.is_object() && value.get_object().empty());
}

// A text that is not given is no text in a sweep file.
json::value without_empty(const json::value& value) {
  if (const json::object* object = value.if_object()) {
    json::object kept;
    for (const auto& member : *object)
      if (json::value inner = without_empty(member.value()); !is_empty(inner)) kept[member.key()] = std::move(inner);
    return kept;
  }
  if (!value.is_array()) return value;
  json::array items;
  for (const json::value& item : value.get_array()) items.push_back(without_empty(item));
  return items;
}

// As read_template() takes it: a preset, or the parts.
json::value template_value(const TemplateSpec& layout) {
  if (layout.prompt.empty() && layout.answer.empty()) return json::value(layout.preset);
  return without_empty(json::object{{"prompt", layout.prompt}, {"answer", layout.answer}});
}

json::object data_section(const DataSpec& data) {
  json::object section;
  if (data.examples.file.empty()) {
    section["corpus"] = without_empty(corpus_json(data));
  } else {
    section["examples"] = data.examples.file;
    section["template"] = template_value(data.examples.layout);
    section["loss"] = data.examples.loss;
    section["pack"] = data.examples.pack;
  }
  section["glob"] = data.glob;
  section["field"] = data.field;
  section["tokenizer"] = tokenizer_json(data);
  if (data.vocab_rows != DataSpec{}.vocab_rows) section["vocab_rows"] = data.vocab_rows;
  // None is said as well, or the plan would choose what the tokenizer has.
  if (!data.is_shards() && data.examples.file.empty() && !data.is_bytes())
    section["documents"] = data.documents.empty() ? "none" : data.documents;
  section["context"] = data.context;
  if (data.val.empty() && !data.is_shards()) section["val_fraction"] = data.val_fraction;
  section["val"] = data.val;
  if (data.split != DataSpec{}.split) section["split"] = data.split;
  return without_empty(section).get_object();
}

json::value task_value(const TaskSpec& task) {
  json::object object = to_json(task);
  for (const char* key : {"preset", "prompt", "answer"}) object.erase(key);
  object["template"] = template_value({task.preset, task.prompt, task.answer});
  if (task.limit == 0) object.erase("limit");
  // A file is refused that names what has no effect.
  if (task.kind != "generate") object.erase("stop"), object.erase("max_tokens");
  if (task.shots == 0) object.erase("shots_from"), object.erase("delimiter");
  return without_empty(object);
}

json::object eval_section(const RunSpec& run, json::object section) {
  if (section.contains("also")) section["also"] = without_empty(section["also"]);
  if (run.eval.tasks.empty()) return section;
  json::array tasks;
  for (const TaskSpec& task : run.eval.tasks) tasks.push_back(task_value(task));
  section["tasks"] = std::move(tasks);
  return section;
}

}  // namespace

json::object sweep_sections(const RunSpec& run) {
  const json::object whole = to_json(run);
  json::object train = without_empty(whole.at("train")).get_object();
  train.erase("steps");
  return {{"data", data_section(run.data)},
          {"train", std::move(train)},
          {"eval", eval_section(run, whole.at("eval").get_object())},
          {"checkpoint", whole.at("checkpoint")}};
}

}  // namespace bitsweep::spec
