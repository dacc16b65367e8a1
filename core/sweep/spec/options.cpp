#include "spec/options.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "base/law_names.h"
#include "base/nearest.h"
#include "base/task_metrics.h"
#include "base/units.h"
#include "spec/also_value.h"
#include "spec/other_tools.h"
#include "spec/settings.h"

namespace bitsweep::spec {
namespace {

// What the scheduler of this version knows; a new rule is one line here and one in schedule.
const std::vector<std::string> kStopRules{"none", "asha", "median", "curve"};
const std::vector<std::string> kOrders{"longest", "shortest"};
const std::vector<std::string> kOnOom{"fail", "alone", "smaller_batch"};

const std::vector<std::string> kResourceKeys{"device", "slots", "threads", "memory", "timeout"};
const std::vector<std::string> kStopKeys{"rule",   "metric",      "grace",  "reduction",
                                         "fewest", "probability", "within", "diverged"};
const std::vector<std::string> kReportKeys{"laws", "targets"};
const std::vector<std::string> kTargetKeys{"params", "tokens"};

std::string known_text(const std::vector<std::string>& words) {
  return fmt::format("known: {}", fmt::join(words, ", "));
}

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Slurm's times: MM:SS, HH:MM:SS, D-HH, D-HH:MM, D-HH:MM:SS. Read as text, so that YAML's numbers to base 60 never come
// into it. Nothing when it is none of them; a bare number is not Slurm's minutes but seconds, as everywhere here.
std::optional<double> slurm_time_s(std::string_view text) {
  double days = 0;
  const size_t dash = text.find('-');
  const bool with_days = dash != std::string_view::npos;
  const auto count = [](std::string_view digits) -> std::optional<double> {
    const bool good = !digits.empty() && digits.size() <= 6 &&
                      digits.find_first_not_of("0123456789") == std::string_view::npos;
    return good ? parse_number(digits) : std::nullopt;
  };
  if (with_days) {
    const auto given = count(text.substr(0, dash));
    if (!given) return std::nullopt;
    days = *given;
    text.remove_prefix(dash + 1);
  }
  std::vector<double> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t colon = std::min(text.find(':', begin), text.size());
    const auto part = count(text.substr(begin, colon - begin));
    const bool first = parts.empty();
    if (!part || (!first && *part >= 60) || (first && with_days && *part >= 24)) return std::nullopt;
    parts.push_back(*part);
    begin = colon + 1;
  }
  if (parts.size() > 3 || (!with_days && parts.size() < 2)) return std::nullopt;
  // Without days the last part is seconds, with days the first is hours.
  double seconds = 0;
  for (const double part : parts) seconds = 60 * seconds + part;
  for (size_t i = parts.size(); with_days && i < 3; ++i) seconds *= 60;
  return 86400 * days + seconds;
}

class OptionReader {
 public:
  OptionReader(Sweep& sweep, Problems& problems) : sweep_(sweep), problems_(problems) {}

  void read(const YamlEntry& entry) {
    const YamlNode& node = *entry.value;
    if (entry.key == "name")
      name(node);
    else if (entry.key == "resources")
      section(node, "resources", kResourceKeys, &OptionReader::resource);
    else if (entry.key == "stop")
      section(node, "stop", kStopKeys, &OptionReader::stop);
    else if (entry.key == "report")
      section(node, "report", kReportKeys, &OptionReader::report);
    else if (entry.key == "on_error")
      on_error(node);
    else if (entry.key == "on_oom")
      word(node, "on_oom", kOnOom, sweep_.on_oom);
    else if (entry.key == "after")
      names(node, "after", "the name of a sweep, the id of a run, or a list of them", sweep_.after);
    else if (entry.key == "retries")
      integer(node, "retries", 0, 1000, sweep_.retries);
    else if (entry.key == "order")
      word(node, "order", kOrders, sweep_.order);
    else if (entry.key == "priority")
      integer(node, "priority", -1'000'000, 1'000'000, sweep_.priority);
  }

  // After all keys: what may be asked for depends on `tasks` and `also` of the file's section eval (null: there is
  // none).
  void finish(const YamlNode* eval) {
    if (metric_ == nullptr) return;
    Problems told_elsewhere;
    const YamlEntry* tasks = eval == nullptr ? nullptr : eval->find("tasks");
    const YamlEntry* also = eval == nullptr ? nullptr : eval->find("also");
    stop_metric(*metric_, tasks == nullptr ? std::vector<TaskSpec>() : read_tasks(*tasks->value, told_elsewhere),
                also == nullptr ? std::vector<AlsoSpec>() : read_also(*also->value, told_elsewhere));
  }

 private:
  void wrong(const YamlNode& node, const std::string& path, const std::string& expected) {
    problems_.add(node.place, fmt::format("'{}' must be {}, found {}", path, expected, yaml_found(node)));
  }

  void name(const YamlNode& node) {
    const auto allowed = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
             c == '.';
    };
    const std::string& text = node.text;
    const bool good = node.kind == YamlKind::scalar && !text.empty() && text.size() <= 100 && text[0] != '.' &&
                      text[0] != '-' && std::all_of(text.begin(), text.end(), allowed);
    if (good)
      sweep_.name = text;
    else
      wrong(node, "name", "a folder's name of letters, digits, '-', '_' and '.'");
  }

  void integer(const YamlNode& node, const std::string& path, int64_t least, int64_t most, int64_t& out) {
    const auto value = yaml_integer(node);
    if (value && *value >= least && *value <= most)
      out = *value;
    else
      wrong(node, path, fmt::format("an integer from {} to {}", format_thousands(least), format_thousands(most)));
  }

  void section(const YamlNode& node, const std::string& name, const std::vector<std::string>& known,
               void (OptionReader::*read_key)(const std::string&, const YamlNode&)) {
    if (node.kind == YamlKind::null) return;
    if (node.kind != YamlKind::map) return wrong(node, name, "a map of " + fmt::format("{}", fmt::join(known, ", ")));
    for (const YamlEntry& entry : node.entries) {
      if (contains(known, entry.key))
        (this->*read_key)(entry.key, *entry.value);
      else
        unknown(entry, name, known);
    }
  }

  void unknown(const YamlEntry& entry, const std::string& section, const std::vector<std::string>& known) {
    std::vector<std::string> paths;
    for (const std::string& key : known) paths.push_back(section + "." + key);
    const std::string path = section + "." + entry.key;
    problems_.add(entry.key_place, fmt::format("unknown key '{}'{}", path, did_you_mean(path, paths)));
  }

  void resource(const std::string& key, const YamlNode& node) {
    SweepResources& resources = sweep_.resources;
    if (key == "device") device(node);
    if (key == "slots") integer(node, "resources.slots", 1, 1024, resources.slots);
    if (key == "threads") {
      int64_t threads = 0;
      integer(node, "resources.threads", 1, 4096, threads);
      if (threads > 0) resources.threads = threads;
    }
    if (key == "memory" && !(node.kind == YamlKind::scalar && node.text == "auto")) {
      const auto bytes = yaml_size(node);
      if (bytes && *bytes >= 1 && *bytes <= 1e15)
        resources.memory_bytes = bytes;
      else
        wrong(node, "resources.memory", "auto, or a size in bytes such as 8B or 500M");
    }
    if (key == "timeout") {
      auto seconds = node.kind == YamlKind::scalar ? parse_duration_s(node.text) : std::nullopt;
      if (!seconds && node.kind == YamlKind::scalar) seconds = slurm_time_s(node.text);
      if (seconds && *seconds >= 1 && *seconds <= 3.2e8)
        resources.timeout_s = seconds;
      else
        wrong(node, "resources.timeout",
              "a duration from 1 s to 10 years, such as 30s, 15m or 12h, or 12:00:00 and 2-12:00 as Slurm writes them");
    }
  }

  void device(const YamlNode& node) {
    const std::string& text = node.text;
    const bool named = text.size() > 5 && text.size() < 9 && text.starts_with("cuda:") &&
                       text.find_first_not_of("0123456789", 5) == std::string::npos;
    if (text == "any" || text == "cpu" || text == "cuda" || named)
      sweep_.resources.device = text;
    else
      wrong(node, "resources.device", "any, cpu, cuda or cuda:N");
  }

  void word(const YamlNode& node, const std::string& path, const std::vector<std::string>& known, std::string& out) {
    if (node.kind == YamlKind::scalar && contains(known, node.text))
      out = node.text;
    else
      problems_.add(node.place, fmt::format("unknown {} {}{}; {}", path, yaml_found(node),
                                            did_you_mean(node.text, known), known_text(known)));
  }

  // One name or a list of them.
  void names(const YamlNode& node, const std::string& path, const std::string& expected,
             std::vector<std::string>& out) {
    const auto name = [&](const YamlNode& item) {
      if (item.kind == YamlKind::scalar && !item.text.empty())
        out.push_back(item.text);
      else
        wrong(item, path, expected);
    };
    if (node.kind != YamlKind::list) return name(node);
    for (const Yaml& item : node.items) name(*item);
  }

  void stop(const std::string& key, const YamlNode& node) {
    SweepStop& stop = sweep_.stop;
    if (key == "rule") word(node, "stop rule", kStopRules, stop.rule);
    if (key == "metric") metric_ = &node;
    if (key == "grace") integer(node, "stop.grace", 0, 1'000'000'000'000, stop.grace);
    if (key == "reduction") integer(node, "stop.reduction", 2, 100, stop.reduction);
    if (key == "fewest") integer(node, "stop.fewest", 1, 100'000, stop.fewest);
    if (key == "diverged") diverged(node);
    if (key == "within") names(node, "stop.within", "axes of the sweep, such as [model.params]", stop.within);
    if (key == "probability") {
      const auto value = yaml_number(node);
      if (value && *value >= 0.5 && *value < 1)
        stop.probability = *value;
      else
        wrong(node, "stop.probability", "a number from 0.5 to below 1");
    }
  }

  // A metric that ranks runs, of those that every worker tells, or the sweep's own tasks or texts beside.
  void stop_metric(const YamlNode& node, const std::vector<TaskSpec>& tasks, const std::vector<AlsoSpec>& also) {
    MetricKinds kinds;
    for (const AlsoSpec& text : also) kinds.put(text.metric_kind());
    std::vector<std::string> known;
    const TaskSpec* asked = nullptr;
    for (const TaskSpec& task : tasks)
      for (MetricKind& kind : task_metric_kinds(task.kind, task.name)) {
        if (kind.name == node.text) asked = &task;
        kinds.put(std::move(kind));
      }
    for (const std::string& name : kinds.names())
      if (kinds.find(name)->better != Better::neither) known.push_back(name);
    word(node, "metric to stop by", known, sweep_.stop.metric);
    if (sweep_.stop.metric != node.text) return;
    if (asked != nullptr && asked->when != "every")
      problems_.add(node.place, fmt::format("'{}' is told at the end alone, when there is nothing to stop; give the "
                                            "task '{}' when: every",
                                            node.text, asked->name));
    if (sweep_.stop.rule == "curve" && kinds.find(node.text)->better == Better::higher)
      problems_.add(node.place, fmt::format("the rule curve foretells a loss, which falls; of '{}' more is better: "
                                            "asha and median rank by it",
                                            node.text));
  }

  void diverged(const YamlNode& node) {
    const auto multiple = yaml_number(node);
    if (node.kind == YamlKind::scalar && node.text == "off")
      sweep_.stop.diverged = 0;
    else if (multiple && *multiple >= 1 && *multiple <= 1e6)
      sweep_.stop.diverged = *multiple;
    else
      wrong(node, "stop.diverged", "off, or a number from 1: how many times the uniform model's loss is divergence");
  }

  void on_error(const YamlNode& node) {
    if (node.kind == YamlKind::scalar && node.text == "continue")
      sweep_.stop_after = 0;
    else if (node.kind == YamlKind::scalar && node.text == "stop")
      sweep_.stop_after = 1;
    else if (const YamlEntry* after = node.find("stop_after"); after != nullptr && node.entries.size() == 1)
      integer(*after->value, "on_error.stop_after", 1, kMaxRuns, sweep_.stop_after);
    else if (node.kind != YamlKind::null)
      wrong(node, "on_error", "continue, stop, or { stop_after: N }");
  }

  void report(const std::string& key, const YamlNode& node) {
    if (node.kind == YamlKind::null) return;
    if (node.kind != YamlKind::list) return wrong(node, "report." + key, "a list");
    for (const Yaml& item : node.items) {
      if (key == "targets")
        target(*item);
      else if (contains(known_law_names(), item->text))
        sweep_.report.laws.push_back(item->text);
      else
        problems_.add(item->place, fmt::format("unknown law {}{}; {}", yaml_found(*item),
                                               did_you_mean(item->text, known_law_names()),
                                               known_text(known_law_names())));
    }
  }

  void target(const YamlNode& node) {
    ScalingTarget target;
    if (node.kind != YamlKind::map) return wrong(node, "report.targets", "a list of { params: 300M, tokens: 1B }");
    for (const YamlEntry& entry : node.entries) {
      if (!contains(kTargetKeys, entry.key)) {
        unknown(entry, "report.targets", kTargetKeys);
        continue;
      }
      const auto size = yaml_size(*entry.value);
      if (!size || !(*size >= 1) || *size > 1e18)
        wrong(*entry.value, "report.targets." + entry.key, "a size such as 300M");
      else
        (entry.key == "params" ? target.params : target.tokens) = *size;
    }
    for (const std::string& key : kTargetKeys) {
      if (node.find(key) == nullptr)
        problems_.add(node.place, fmt::format("a target needs '{}', such as {{ params: 300M, tokens: 1B }}", key));
    }
    sweep_.report.targets.push_back(target);
  }

  Sweep& sweep_;
  Problems& problems_;
  const YamlNode* metric_ = nullptr;  // stop.metric
};

void unknown_top_key(const YamlEntry& entry, Problems& problems, const std::vector<std::string>& option_paths) {
  if (problems.full()) return problems.add(entry.key_place, fmt::format("unknown key '{}'", entry.key));
  if (is_settable(entry.key)) {
    const size_t dot = entry.key.find('.');
    return problems.add(entry.key_place, fmt::format("unknown key '{}' at the top; write it as {}: {{ {}: … }}",
                                                     entry.key, entry.key.substr(0, dot), entry.key.substr(dot + 1)));
  }
  const std::string foreign = top_key_hint(entry);
  const std::string hint = foreign.empty() ? did_you_mean(entry.key, top_keys()) : foreign;
  const std::string message =
      hint.empty() ? unknown_key_message(entry.key, option_paths) : fmt::format("unknown key '{}'{}", entry.key, hint);
  problems.add(entry.key_place, message);
}

}  // namespace

const std::vector<std::string>& top_keys() {
  static const std::vector<std::string> keys{"name",       "extends", "model",    "data",   "train",     "eval",
                                             "checkpoint", "seed",    "seeds",    "grid",   "zip",       "cases",
                                             "random",     "where",   "exclude",  "derive", "resources", "retries",
                                             "priority",   "order",   "stop",     "on_error", "on_oom",
                                             "after",      "report"};
  return keys;
}

void read_options(const YamlNode& root, Sweep& sweep, Problems& problems,
                  const std::vector<std::string>& option_paths) {
  OptionReader reader(sweep, problems);
  for (const YamlEntry& entry : root.entries) {
    if (contains(top_keys(), entry.key))
      reader.read(entry);
    else
      unknown_top_key(entry, problems, option_paths);
  }
  const YamlEntry* eval = root.find("eval");
  reader.finish(eval == nullptr ? nullptr : eval->value.get());
  if (root.find("name") == nullptr) problems.add(root.place, "'name' is missing: the sweep's name, a folder's name");
}

std::vector<std::string> option_help() {
  return {
      "name  the sweep's name, a folder's name; required",
      "extends  the file below this one; relative to it",
      "seed, seeds  an integer from 0, or a list of them",
      "grid  { PATH: [values] }: every combination",
      "zip  { PATH: [values] }: lists of one length, side by side",
      "cases  [{ PATH: value }]: one by one; a list in a case is a small grid of its own",
      "random  { count, seed, axes: { PATH: { log_uniform | uniform | int_uniform: [from, to] | choice: [values] } } }",
      "where, exclude  an expression or a list of them",
      "derive  { PATH: expression }",
      "resources.device  any, cpu, cuda or cuda:N",
      "resources.slots  an integer from 1 to 1,024",
      "resources.threads  an integer from 1 to 4,096",
      "resources.memory  auto, or a size in bytes",
      "resources.timeout  a duration such as 30s, 15m or 12h; 12:00:00 and 2-12:00 as Slurm writes them",
      "retries  an integer from 0 to 1,000",
      "priority  an integer; higher first",
      fmt::format("order  one of {}: the runs that begin first", fmt::join(kOrders, ", ")),
      fmt::format("stop.rule  one of {}", fmt::join(kStopRules, ", ")),
      "stop.metric  val_bpc, train_bpc, or another metric of which more or less is better, of tasks too (squad.f1)",
      "stop.grace  an integer from 0: steps before which nothing is stopped",
      "stop.reduction  an integer from 2 to 100; of asha",
      "stop.fewest  an integer from 1 to 100,000: peers; of median",
      "stop.probability  a number from 0.5 to below 1; of curve",
      "stop.within  a list of axes that competing runs agree in",
      "stop.diverged  off, or a number from 1: times the uniform model's loss, above which a run is ended (2)",
      "on_error  continue, stop, or { stop_after: N }",
      fmt::format("on_oom  one of {}", fmt::join(kOnOom, ", ")),
      "after  sweeps or runs that must have ended first",
      fmt::format("report.laws  a list of {}", fmt::join(known_law_names(), ", ")),
      "report.targets  [{ params: 300M, tokens: 1B }]"};
}

}  // namespace bitsweep::spec
