#include "worker/describe_verb.h"

#include <algorithm>
#include <istream>
#include <map>
#include <ostream>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/json.h"
#include "base/nearest.h"
#include "nn/model.h"
#include "plugin/build_id.h"
#include "plugin/loader.h"
#include "train/device.h"
#include "train/freeze.h"

namespace bitsweep::worker {
namespace {

// Parameters of a model that is built to ask it their names: 400 MB, a second.
constexpr int64_t kMostBuilt = 100'000'000;

class Describer {
 public:
  explicit Describer(const DescribeArguments& arguments) : arguments_(arguments) {}

  json::object answer(const std::string& line) {
    try {
      const json::value request = parse_json(line, "request");
      if (!request.is_object()) throw Error(ErrorKind::input, "request: expected a JSON object");
      plugin::DescribeRequest asked = request_in(request.get_object());
      const plugin::Plugin& plugin = this->plugin(name_in(request.get_object()));
      const plugin::Description description = plugin.describe(asked);
      json::object answer{{"description", to_json(description)}, {"process_bytes", process_bytes()}};
      const std::vector<std::string> freeze = freeze_in(request.get_object());
      if (freeze.empty() || description.params + description.params_extra > kMostBuilt) return answer;
      asked.options = description.options;
      if (std::string wrong = freeze_problem(plugin, asked, freeze); !wrong.empty())
        answer["freeze"] = std::move(wrong);
      return answer;
    } catch (const Error& error) {
      const ErrorKind kind = error.kind();
      const char* word = kind == ErrorKind::input ? "input" : kind == ErrorKind::environment ? "environment" : "failed";
      return {{"error", error.what()}, {"kind", word}};
    } catch (const std::exception& error) {
      return {{"error", error.what()}, {"kind", "failed"}};
    }
  }

 private:
  static plugin::DescribeRequest request_in(const json::object& line) {
    const json::value* request = line.if_contains("request");
    if (request == nullptr || !request->is_object()) throw Error(ErrorKind::input, "request: no object \"request\"");
    return plugin::describe_request_from_json(request->get_object());
  }

  static std::vector<std::string> freeze_in(const json::object& line) {
    std::vector<std::string> patterns;
    if (const json::value* freeze = line.if_contains("freeze"); freeze != nullptr && freeze->is_array())
      for (const json::value& pattern : freeze->get_array())
        if (pattern.is_string()) patterns.emplace_back(pattern.get_string());
    return patterns;
  }

  // What a worker that has loaded LibTorch and the plugin holds before it has a model.
  int64_t process_bytes() {
    if (!built_) process_bytes_ = train::peak_rss_bytes();
    return process_bytes_;
  }

  // "" or what is wrong: only the model itself knows the names of its parameters.
  std::string freeze_problem(const plugin::Plugin& plugin, const plugin::DescribeRequest& request,
                             const std::vector<std::string>& patterns) {
    built_ = true;
    try {
      const plugin::OwnedModel model = plugin.create(request);
      train::freeze_parameters(*model, patterns);
      const std::vector<nn::Parameter> parameters = model->parameters();
      const bool any = std::any_of(parameters.begin(), parameters.end(),
                                   [](const nn::Parameter& one) { return one.tensor.requires_grad(); });
      return any ? "" : "train.freeze: every parameter is frozen: nothing is left to train";
    } catch (const Error& error) {
      return error.kind() == ErrorKind::input ? error.what() : "";
    } catch (const std::exception&) {
      return "";  // the run will tell
    }
  }

  std::string name_in(const json::object& line) const {
    const std::vector<std::string>& allowed = arguments_.plugins;
    std::string name = string_or(line, "plugin", "");
    if (name.empty() && allowed.size() == 1) name = allowed.front();
    if (name.empty()) throw Error(ErrorKind::input, "request: no text \"plugin\"");
    if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), name) == allowed.end())
      throw Error(ErrorKind::input,
                  fmt::format("request: plugin '{}' is none of --plugin{}", name, did_you_mean(name, allowed)));
    return name;
  }

  const plugin::Plugin& plugin(const std::string& name) {
    auto it = loaded_.find(name);
    if (it == loaded_.end())
      it = loaded_.emplace(name, plugin::load_plugin(name, arguments_.plugin_dir, BITSWEEP_BUILD_ID)).first;
    return it->second;
  }

  const DescribeArguments& arguments_;
  std::map<std::string, plugin::Plugin> loaded_;
  bool built_ = false;  // a model, which the peak of memory holds from then on
  int64_t process_bytes_ = 0;
};

}  // namespace

int describe_verb(const DescribeArguments& arguments, std::istream& in, std::ostream& out) {
  Describer describer(arguments);
  for (std::string line; std::getline(in, line);) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    out << json::serialize(describer.answer(line)) << '\n' << std::flush;
  }
  return 0;
}

}  // namespace bitsweep::worker
