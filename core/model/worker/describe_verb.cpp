#include "worker/describe_verb.h"

#include <algorithm>
#include <istream>
#include <map>
#include <ostream>

#include <fmt/format.h>

#include "base/error.h"
#include "base/json.h"
#include "base/nearest.h"
#include "plugin/build_id.h"
#include "plugin/loader.h"
#include "train/device.h"

namespace bitsweep::worker {
namespace {

class Describer {
 public:
  explicit Describer(const DescribeArguments& arguments) : arguments_(arguments) {}

  json::object answer(const std::string& line) {
    try {
      const json::value request = parse_json(line, "request");
      if (!request.is_object()) throw Error(ErrorKind::input, "request: expected a JSON object");
      json::object description = describe(request.get_object());
      // What a worker that has loaded LibTorch and the plugin holds before it has a model.
      return {{"description", std::move(description)}, {"process_bytes", train::peak_rss_bytes()}};
    } catch (const Error& error) {
      const ErrorKind kind = error.kind();
      const char* word = kind == ErrorKind::input ? "input" : kind == ErrorKind::environment ? "environment" : "failed";
      return {{"error", error.what()}, {"kind", word}};
    } catch (const std::exception& error) {
      return {{"error", error.what()}, {"kind", "failed"}};
    }
  }

 private:
  json::object describe(const json::object& line) {
    const json::value* request = line.if_contains("request");
    if (request == nullptr || !request->is_object()) throw Error(ErrorKind::input, "request: no object \"request\"");
    return to_json(plugin(name_in(line)).describe(plugin::describe_request_from_json(request->get_object())));
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
