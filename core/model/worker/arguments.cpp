#include "worker/arguments.h"

#include <cstdio>
#include <sstream>

#include <fmt/format.h>
#include <boost/program_options.hpp>

#include "base/error.h"
#include "base/nearest.h"

namespace bitsweep::worker {
namespace {

namespace po = boost::program_options;

std::vector<std::string> names_of(const po::options_description& options) {
  std::vector<std::string> names;
  for (const auto& option : options.options()) names.push_back(option->long_name());
  return names;
}

// False when --help was printed.
bool parse(const char* verb, po::options_description& options, const std::vector<std::string>& args) {
  options.add_options()("help", "print this");
  po::variables_map values;
  try {
    const int style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(args).options(options).positional({}).style(style).run(), values);
    if (values.contains("help")) {
      std::ostringstream text;
      text << "bitsweep-worker " << verb << " [OPTIONS]\n" << options;
      fmt::print("{}", text.str());
      return false;
    }
    po::notify(values);
    return true;
  } catch (const po::unknown_option& error) {
    std::string name = error.get_option_name();
    name.erase(0, name.find_first_not_of('-'));
    throw Error(ErrorKind::input,
                fmt::format("{}: unknown option '--{}'{}", verb, name, did_you_mean(name, names_of(options))));
  } catch (const po::error& error) {
    throw Error(ErrorKind::input, fmt::format("{}: {}", verb, error.what()));
  }
}

void check_range(const char* verb, const char* option, int64_t value, int64_t least, int64_t most) {
  if (value < least || value > most)
    throw Error(ErrorKind::input, fmt::format("{}: --{} {}: expected {} to {}", verb, option, value, least, most));
}

fs::path plugin_folder(const std::string& given) {
  return given.empty() ? program_folder().parent_path() / "plugins" : fs::path(given);
}

void add_plugin_dir(po::options_description& options, std::string* into) {
  options.add_options()("plugin-dir", po::value(into)->value_name("DIR"), "where plugins are looked for by name");
}

// The options of RunArguments. Paths are read as text: program_options would take a space in one for its end.
struct RunOptions {
  std::string spec, cache, plugin_dir;

  void add_to(po::options_description& options, RunArguments& out) {
    auto add = options.add_options();
    add("spec", po::value(&spec)->required()->value_name("FILE"), "the resolved run, as JSON");
    add("device", po::value(&out.device)->default_value("cpu")->value_name("NAME"), "cpu or cuda:N");
    add("threads", po::value(&out.threads)->default_value(1)->value_name("N"), "threads to use");
    add("cache", po::value(&cache)->required()->value_name("DIR"), "where corpora are kept");
    add_plugin_dir(options, &plugin_dir);
  }
  void take(const char* verb, RunArguments& out) const {
    check_range(verb, "threads", out.threads, 1, 4096);
    out.spec = spec;
    out.cache = cache;
    out.plugin_dir = plugin_folder(plugin_dir);
  }
};

}  // namespace

std::optional<TrainArguments> parse_train_arguments(const std::vector<std::string>& args) {
  TrainArguments out;
  std::string folder, init;
  std::vector<std::string> resume;
  po::options_description options("Options");
  RunOptions run;
  run.add_to(options, out);
  auto add = options.add_options();
  add("out", po::value(&folder)->required()->value_name("DIR"), "the attempt's folder: events.jsonl, checkpoints/");
  add("run", po::value(&out.run)->required()->value_name("ID"), "the run's id");
  add("attempt", po::value(&out.attempt)->required()->value_name("K"), "the attempt's number, from 1");
  add("resume", po::value(&resume)->value_name("FILE"), "a checkpoint of this run; repeat, newest first");
  add("init", po::value(&init)->value_name("FILE"), "a checkpoint to take the parameters from");
  if (!parse("train", options, args)) return std::nullopt;
  check_range("train", "attempt", out.attempt, 1, INT32_MAX);
  run.take("train", out);
  out.out = folder;
  out.init = init;
  out.resume.assign(resume.begin(), resume.end());
  return out;
}

std::optional<DescribeArguments> parse_describe_arguments(const std::vector<std::string>& args) {
  DescribeArguments out;
  std::string plugin_dir;
  po::options_description options("Options");
  auto add = options.add_options();
  add("plugin", po::value(&out.plugins)->multitoken()->value_name("NAME"),
      "a plugin that requests may name, or a .so's path");
  add_plugin_dir(options, &plugin_dir);
  if (!parse("describe", options, args)) return std::nullopt;
  out.plugin_dir = plugin_folder(plugin_dir);
  return out;
}

std::optional<ProbeArguments> parse_probe_arguments(const std::vector<std::string>& args) {
  ProbeArguments out;
  std::string checkpoint, folder;
  po::options_description options("Options");
  RunOptions run;
  run.add_to(options, out);
  auto add = options.add_options();
  add("checkpoint", po::value(&checkpoint)->required()->value_name("FILE"), "a checkpoint of this run");
  add("run", po::value(&out.run)->required()->value_name("ID"), "the run's id");
  add("out", po::value(&folder)->required()->value_name("DIR"), "where the matrices go, as JSON");
  add("windows", po::value(&out.windows)->default_value(out.windows)->value_name("N"), "of each kind of text");
  add("text", po::value(&out.text)->value_name("CORPUS"), "in place of the run's own: a built-in text or a path");
  add("field", po::value(&out.field)->value_name("KEY"), "the text's key in JSON lines");
  if (!parse("probe", options, args)) return std::nullopt;
  check_range("probe", "windows", out.windows, 2, 4096);
  if (out.text.empty() && !out.field.empty()) throw Error(ErrorKind::input, "probe: --field is of --text");
  run.take("probe", out);
  out.checkpoint = checkpoint;
  out.out = folder;
  return out;
}

std::optional<AskArguments> parse_ask_arguments(const std::vector<std::string>& args) {
  AskArguments out;
  std::string checkpoint, folder, tasks;
  po::options_description options("Options");
  RunOptions run;
  run.add_to(options, out);
  auto add = options.add_options();
  add("checkpoint", po::value(&checkpoint)->required()->value_name("FILE"), "a checkpoint of this run");
  add("run", po::value(&out.run)->required()->value_name("ID"), "the run's id");
  add("out", po::value(&folder)->required()->value_name("DIR"), "where the answers go");
  add("tasks", po::value(&tasks)->required()->value_name("FILE"), "the tasks, as JSON");
  if (!parse("ask", options, args)) return std::nullopt;
  run.take("ask", out);
  out.checkpoint = checkpoint;
  out.out = folder;
  out.tasks = tasks;
  return out;
}

std::optional<ImportArguments> parse_import_arguments(const std::vector<std::string>& args) {
  ImportArguments out;
  std::string folder, file;
  po::options_description options("Options");
  RunOptions run;
  run.add_to(options, out);
  auto add = options.add_options();
  add("from", po::value(&folder)->required()->value_name("DIR"), "config.json and weights that another program saved");
  add("run", po::value(&out.run)->required()->value_name("ID"), "the run's id");
  add("out", po::value(&file)->required()->value_name("FILE"), "the checkpoint to write");
  if (!parse("import", options, args)) return std::nullopt;
  run.take("import", out);
  out.from = folder;
  out.out = file;
  return out;
}

std::optional<ProfileArguments> parse_profile_arguments(const std::vector<std::string>& args) {
  ProfileArguments out;
  po::options_description options("Options");
  RunOptions run;
  run.add_to(options, out);
  auto add = options.add_options();
  add("steps", po::value(&out.steps)->default_value(out.steps)->value_name("N"), "steps to time");
  add("warmup", po::value(&out.warmup)->default_value(out.warmup)->value_name("N"), "steps before them");
  add("reference", po::bool_switch(&out.reference), "blocks as plain compositions of LibTorch's operations");
  if (!parse("profile", options, args)) return std::nullopt;
  check_range("profile", "steps", out.steps, 1, 100000);
  check_range("profile", "warmup", out.warmup, 0, 100000);
  run.take("profile", out);
  return out;
}

std::optional<CheckArguments> parse_check_arguments(const std::vector<std::string>& args) {
  CheckArguments out;
  std::string plugin_dir, given;
  po::options_description options("Options");
  auto add = options.add_options();
  add("plugin", po::value(&out.plugin)->value_name("NAME"), "the plugin, or a .so's path");
  add_plugin_dir(options, &plugin_dir);
  add("options", po::value(&given)->default_value("{}")->value_name("JSON"), "options of every model that is tried");
  add("only", po::value(&out.only)->multitoken()->value_name("CHECK"), "these checks and no others");
  add("list", po::bool_switch(&out.list), "names and promises of the checks; no plugin is needed");
  if (!parse("check", options, args)) return std::nullopt;
  if (out.plugin.empty() && !out.list) throw Error(ErrorKind::input, "check: --plugin is required");
  out.plugin_dir = plugin_folder(plugin_dir);
  json::value value = parse_json(given, "--options");
  if (!value.is_object()) throw Error(ErrorKind::input, fmt::format("check: --options {}: expected an object", given));
  out.options = std::move(value.get_object());
  return out;
}

}  // namespace bitsweep::worker
