#include "cli/options.h"

#include <cstdio>
#include <cstdlib>
#include <sstream>

#include <unistd.h>

#include <fmt/format.h>
#include <boost/program_options.hpp>

#include "base/error.h"
#include "base/nearest.h"
#include "base/units.h"
#include "cli/invocation.h"

namespace bitsweep::cli {

namespace po = boost::program_options;

struct CommandLine::State {
  explicit State(const Verb& v) : verb(v), declared("Options", 100, 60) {}
  const Verb& verb;
  po::options_description declared;
  std::vector<std::string> names;
  po::variables_map values;
  std::vector<std::string> positional;
  std::string forms;

  void remember(const char* name) {
    const std::string text = name;
    names.push_back("--" + text.substr(0, text.find(',')));
  }
};

namespace {

[[noreturn]] void usage_error(const Verb& verb, const std::string& message) {
  throw Error(ErrorKind::input, fmt::format("bitsweep {0}: {1} (see 'bitsweep {0} --help')", verb.name, message));
}

// Boost quotes and phrases differently from version to version; ours are fixed.
[[noreturn]] void rethrow(const Verb& verb, const po::error& error, const std::vector<std::string>& names) {
  if (const auto* unknown = dynamic_cast<const po::unknown_option*>(&error)) {
    const std::string name = unknown->get_option_name();
    const std::string word = name.substr(0, name.find('='));
    if (is_common_option(word)) usage_error(verb, fmt::format("this verb has no option '{}'", word));
    usage_error(verb, fmt::format("unknown option '{}'{}", name, did_you_mean(name, names)));
  }
  if (const auto* style = dynamic_cast<const po::invalid_command_line_syntax*>(&error)) {
    const bool missing = style->kind() == po::invalid_syntax::missing_parameter;
    usage_error(verb,
                fmt::format("option '{}' {}", style->get_option_name(), missing ? "needs a value" : "takes no value"));
  }
  usage_error(verb, error.what());
}

}  // namespace

CommandLine::CommandLine(const Verb& verb) : state_(std::make_unique<State>(verb)) { flag("help,h", "this text"); }
CommandLine::~CommandLine() = default;

CommandLine& CommandLine::flag(const char* name, const char* help) {
  state_->remember(name);
  state_->declared.add_options()(name, help);
  return *this;
}

CommandLine& CommandLine::value(const char* name, const char* help) {
  state_->remember(name);
  state_->declared.add_options()(name, po::value<std::string>()->value_name("VALUE"), help);
  return *this;
}

CommandLine& CommandLine::values(const char* name, const char* help) {
  state_->remember(name);
  state_->declared.add_options()(name, po::value<std::vector<std::string>>()->composing()->value_name("VALUE"), help);
  return *this;
}

CommandLine& CommandLine::root_option() {
  return value("root", "folder of the database and the runs (default: BITSWEEP_ROOT, else ./results)");
}

CommandLine& CommandLine::quiet_option() { return flag("quiet,q", "say only what went wrong"); }

CommandLine& CommandLine::output_options() {
  return flag("json", "one JSON document")
      .flag("jsonl", "one JSON object a line")
      .flag("csv", "comma-separated values");
}

CommandLine& CommandLine::forms(const std::vector<std::string>& lines) {
  state_->forms = "\nForms that are read:\n";
  for (const std::string& line : lines) state_->forms += "  " + line + "\n";
  return *this;
}

bool CommandLine::parse(const std::vector<std::string>& args, size_t least, size_t most) {
  const Verb& verb = state_->verb;
  try {
    po::options_description everything;
    everything.add(state_->declared).add_options()("positional", po::value<std::vector<std::string>>());
    po::positional_options_description rest;
    rest.add("positional", -1);
    namespace style = po::command_line_style;
    const auto parsed = po::command_line_parser(args)
                            .options(everything)
                            .positional(rest)
                            .style(style::unix_style & ~style::allow_guessing)
                            .run();
    po::store(parsed, state_->values);
  } catch (const po::error& error) {
    rethrow(verb, error, state_->names);
  }
  if (has("help")) {
    std::ostringstream options;
    options << state_->declared;
    print(fmt::format("example: {}\n\nusage: bitsweep {} {}\n\n{}.\n\n{}{}", verb.example, verb.name, verb.usage,
                      verb.summary, options.str(), state_->forms));
    return false;
  }
  state_->positional = all("positional");
  const size_t given = state_->positional.size();
  if (given < least) usage_error(verb, fmt::format("expected {}", verb.usage));
  if (given > most) usage_error(verb, fmt::format("unexpected argument '{}'", state_->positional[most]));
  return true;
}

bool CommandLine::has(const std::string& name) const { return state_->values.count(name) > 0; }

std::optional<std::string> CommandLine::get(const std::string& name) const {
  if (!has(name)) return std::nullopt;
  return state_->values[name].as<std::string>();
}

std::vector<std::string> CommandLine::all(const std::string& name) const {
  if (!has(name)) return {};
  return state_->values[name].as<std::vector<std::string>>();
}

std::optional<double> CommandLine::number(const std::string& name, double least, double most) const {
  const auto text = get(name);
  if (!text) return std::nullopt;
  const auto value = parse_size(*text);
  if (!value || !(*value >= least) || !(*value <= most))
    usage_error(state_->verb, fmt::format("--{} '{}': expected a number from {} to {}", name, *text, least, most));
  return value;
}

const std::vector<std::string>& CommandLine::positional() const { return state_->positional; }

fs::path CommandLine::root() const {
  if (const auto given = get("root")) return fs::absolute(*given).lexically_normal();
  const char* variable = std::getenv("BITSWEEP_ROOT");
  if (variable != nullptr && *variable != '\0') return fs::absolute(variable).lexically_normal();
  return fs::absolute("results");
}

OutputFormat output_format(const CommandLine& line) {
  const int asked = line.has("json") + line.has("jsonl") + line.has("csv");
  if (asked > 1) throw Error(ErrorKind::input, "only one of --json, --jsonl and --csv can be given");
  if (line.has("json")) return OutputFormat::json;
  if (line.has("jsonl")) return OutputFormat::jsonl;
  return line.has("csv") ? OutputFormat::csv : OutputFormat::table;
}

bool stderr_is_terminal() { return ::isatty(STDERR_FILENO) == 1; }
bool stdout_is_terminal() { return ::isatty(STDOUT_FILENO) == 1; }

bool colour_allowed() {
  const char* no_color = std::getenv("NO_COLOR");
  return stderr_is_terminal() && (no_color == nullptr || *no_color == '\0');
}

void print(std::string_view text) {
  const size_t written = std::fwrite(text.data(), 1, text.size(), stdout);
  if (written == text.size() && std::fflush(stdout) == 0) return;
  if (errno == EPIPE) return;  // the reader has seen enough
  throw Error(ErrorKind::environment, "cannot write to standard output: disk full?");
}

void print_error(std::string_view text) { fmt::print(stderr, "{}\n", text); }

void PrintedNotes::add(Kind kind, std::string text) {
  if (quiet_ && kind != Kind::warning) return;
  print_error((kind == Kind::progress ? "" : kind == Kind::note ? "note: " : "warning: ") + text);
}

bool utf8_terminal() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    const std::string_view text = value;
    return text.find("UTF-8") != std::string_view::npos || text.find("utf8") != std::string_view::npos ||
           text.find("utf-8") != std::string_view::npos;
  }
  return false;
}

}  // namespace bitsweep::cli
