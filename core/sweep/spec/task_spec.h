// A task that runs are asked: questions from a file, how they are put, how the answers are scored. An entry of
// `eval.tasks` in a sweep file, and of the file that `bitsweep ask` reads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "base/yaml.h"
#include "spec/problems.h"

namespace bitsweep::spec {

// How the sides of a question are put (tasks/layout.h).
struct TemplateSpec {
  std::string preset = "plain";  // plain | alpaca | chatml: what of the template is not given
  std::string prompt, answer;    // templates; "": the preset's
  bool operator==(const TemplateSpec&) const = default;
};
// A preset's name, a template of the prompt, or { prompt: …, answer: … }. What is wrong is added to the problems, each
// at its place, and then nothing is returned.
std::optional<TemplateSpec> read_template(const YamlNode& node, Problems& problems);
// {"preset", "prompt", "answer"}, and back; throws Error{input} on anything else.
json::object to_json(const TemplateSpec& layout);
TemplateSpec template_from(const json::value& value);

struct TaskSpec {
  std::string name;  // its metrics are NAME.acc …
  std::string file;  // absolute, or a built-in one
  std::string kind;  // choice | continue | generate
  int64_t shots = 0;
  std::string shots_from = {};           // a file of examples; "": other items of `file`
  std::string preset = "plain";          // plain | alpaca | chatml: what of the template is not given
  std::string prompt = {}, answer = {};  // templates; "": the preset's
  std::string delimiter = "\n\n";        // between examples
  std::vector<std::string> stop = {};    // a reply ends before any of these; none: the template's
  int64_t max_tokens = 64;               // of a reply
  int64_t limit = 0;                     // the first so many items; 0: all
  std::string when = "last";             // last | every: at which evaluations
};

// Names of question files that come with the program, in place of a path.
const std::vector<std::string>& builtin_task_files();
// plain | alpaca | chatml.
const std::vector<std::string>& template_presets();

json::object to_json(const TaskSpec& task);
json::array to_json(const std::vector<TaskSpec>& tasks);
// Throws Error{input} on anything that to_json did not write.
std::vector<TaskSpec> task_specs_from(const json::value& list);

// The value of eval.tasks. Paths are taken from the folder of the file they stand in. What is wrong is added to the
// problems, each at its place; such a task is left out.
std::vector<TaskSpec> read_tasks(const YamlNode& node, Problems& problems);

// A file that is such a list, or a map with it as `tasks`. Throws Error{input} with every mistake.
std::vector<TaskSpec> read_task_file(const fs::path& file);

// "name  text; required" …: the keys of a task, for help.
std::vector<std::string> task_key_help();

}  // namespace bitsweep::spec
