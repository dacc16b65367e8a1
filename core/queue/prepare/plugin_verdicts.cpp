#include "prepare/plugin_verdicts.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "prepare/ask_worker.h"
#include "execute/capture.h"

namespace bitsweep::prepare {
namespace {

constexpr double kCheckTimeout_s = 1800;

// What a worker said before it ended.
struct Said {
  std::vector<PluginVerdict> verdicts;
  std::optional<std::string> begun;  // a check without a verdict
};

Said said_in(const std::string& out) {
  Said said;
  for (size_t begin = 0, end; (end = out.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const auto line = try_parse_json(std::string_view(out).substr(begin, end - begin));
    // A plugin may print lines of its own.
    if (!line || !line->is_object() || !line->get_object().contains("check")) continue;
    const json::object& object = line->get_object();
    said.begun = string_or(object, "check", "");
    if (!object.contains("passed")) continue;
    said.verdicts.push_back({*said.begun, bool_or(object, "passed", false), string_or(object, "decided", "")});
    said.begun.reset();
  }
  return said;
}

std::string died(const execute::Captured& ended) {
  const std::string last = complaint_of(ended.err);
  return fmt::format("the plugin's process {}{}{}", ended.ending(), last.empty() ? "" : ": ", last);
}

}  // namespace

const std::vector<std::string>& PluginChecker::suite() {
  if (!suite_.empty()) return suite_;
  const execute::Captured ended = execute::capture({worker_.string(), "check", "--list"}, "", kCheckTimeout_s);
  for (size_t begin = 0, end; (end = ended.out.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const auto line = try_parse_json(std::string_view(ended.out).substr(begin, end - begin));
    if (line && line->is_object()) suite_.push_back(string_or(line->get_object(), "check", ""));
  }
  if (!ended.ok() || suite_.empty())
    throw Error(ErrorKind::environment,
                fmt::format("'{}' {}: {}", worker_.string(), ended.ending(), complaint_of(ended.err)));
  return suite_;
}

std::vector<PluginVerdict> PluginChecker::check(const CheckRequest& request) {
  std::vector<std::string> left;
  for (const std::string& name : suite()) {
    const bool chosen =
        request.only.empty() || std::find(request.only.begin(), request.only.end(), name) != request.only.end();
    if (chosen) left.push_back(name);
  }
  for (const std::string& name : request.only) {
    if (std::find(suite().begin(), suite().end(), name) == suite().end())
      throw Error(ErrorKind::input, fmt::format("no check '{}'{}", name, did_you_mean(name, suite())));
  }
  std::vector<PluginVerdict> verdicts;
  while (!left.empty()) {
    std::vector<std::string> command{worker_.string(), "check",           "--plugin",  request.plugin,
                                     "--plugin-dir",   plugins_.string(), "--options", compact_json(request.options),
                                     "--only"};
    command.insert(command.end(), left.begin(), left.end());
    const execute::Captured ended = execute::capture(command, "", kCheckTimeout_s);
    Said said = said_in(ended.out);
    if (ended.exit_code == static_cast<int>(ErrorKind::environment))
      throw Error(ErrorKind::environment, complaint_of(ended.err));
    if (said.verdicts.empty() && !said.begun) {
      const bool crashed = ended.exit_code > 128 || ended.timed_out;
      verdicts.push_back({"load", false, crashed ? died(ended) : complaint_of(ended.err)});
      break;
    }
    if (said.begun) said.verdicts.push_back({*said.begun, false, died(ended)});
    const size_t judged = said.verdicts.size();
    for (PluginVerdict& verdict : said.verdicts) verdicts.push_back(std::move(verdict));
    left.erase(left.begin(), left.begin() + static_cast<ptrdiff_t>(std::min(judged, left.size())));
  }
  return verdicts;
}

}  // namespace bitsweep::prepare
