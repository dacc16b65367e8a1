// The program `bitsweep`: finds the verb, runs it, and turns an Error into messages and an exit code.
#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "cli/invocation.h"
#include "cli/options.h"
#include "cli/verb.h"

namespace bitsweep::cli {
namespace {

void print_usage() {
  std::string text = "usage: bitsweep VERB [ARGS]   (bitsweep VERB --help for one verb)\n\n";
  for (const Verb* verb : all_verbs())
    if (!verb->hidden) text += fmt::format("  {:<12}{}\n", verb->name, verb->summary);
  text += "\n--root DIR, --json and --quiet, of the verbs that have them, may stand before the verb too.\n";
  text += "\nStart with: bitsweep run sweeps/quickstart.yaml\n";
  print(text);
}

int dispatch(const std::vector<std::string>& words) {
  const Invocation asked = parse_invocation(words);
  if (asked.verb.empty() || asked.verb == "--help" || asked.verb == "help") {
    print_usage();
    return asked.verb.empty() ? static_cast<int>(ErrorKind::input) : 0;
  }
  if (asked.verb == "--version") {
    print(fmt::format("bitsweep {}\n", BITSWEEP_VERSION));
    return 0;
  }
  std::vector<std::string> names;
  for (const Verb* verb : all_verbs()) {
    if (asked.verb == verb->name) return verb->run(*verb, asked.args);
    if (!verb->hidden) names.emplace_back(verb->name);
  }
  throw Error(ErrorKind::input, fmt::format("bitsweep: unknown verb '{}'{} (see 'bitsweep --help')", asked.verb,
                                            did_you_mean(asked.verb, names)));
}

}  // namespace
}  // namespace bitsweep::cli

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return bitsweep::cli::dispatch({argv + 1, argv + argc});
  } catch (const bitsweep::Error& error) {
    bitsweep::cli::print_error(error.what());
    return error.exit_code();
  } catch (const std::bad_alloc&) {
    bitsweep::cli::print_error("bitsweep: out of memory");
    return static_cast<int>(bitsweep::ErrorKind::environment);
  } catch (const std::filesystem::filesystem_error& error) {
    bitsweep::cli::print_error(fmt::format("cannot use '{}': {}", error.path1().string(), error.code().message()));
    return static_cast<int>(bitsweep::ErrorKind::environment);
  } catch (const std::exception& error) {
    bitsweep::cli::print_error(fmt::format("bitsweep: {}", error.what()));
    return static_cast<int>(bitsweep::ErrorKind::failed);
  }
}
