// bitsweep-worker: the only program that loads LibTorch and plugins. It meets `bitsweep` through files and exit codes
// alone.
#include <atomic>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "event/order.h"
#include "plugin/build_id.h"
#include "train/device.h"
#include "worker/ask_verb.h"
#include "worker/check_verb.h"
#include "worker/describe_verb.h"
#include "worker/import_verb.h"
#include "worker/loaded_code.h"
#include "worker/probe_verb.h"
#include "worker/profile_verb.h"
#include "worker/train_verb.h"

namespace bitsweep::worker {
namespace {

constexpr const char* kUsage =
    "bitsweep-worker train --spec FILE --out DIR --run ID --attempt K --cache DIR [OPTIONS]   train one run\n"
    "bitsweep-worker describe [--plugin NAME…] [--plugin-dir DIR]                             answer requests on "
    "stdin\n"
    "bitsweep-worker check --plugin NAME [--options JSON] [--only CHECK…] [--plugin-dir DIR]  hold a plugin to its "
    "contract\n"
    "bitsweep-worker probe --spec FILE --checkpoint FILE --run ID --out DIR --cache DIR       see where attention "
    "looks\n"
    "bitsweep-worker ask --spec FILE --checkpoint FILE --run ID --tasks FILE --out DIR        ask it questions\n"
    "bitsweep-worker import --spec FILE --from DIR --run ID --out FILE --cache DIR             take the weights of "
    "another program\n"
    "bitsweep-worker profile --spec FILE --cache DIR [--steps N]                              see where the time of "
    "steps goes\n"
    "bitsweep-worker warm                                                                     wait for a run, as a "
    "shim's child\n"
    "bitsweep-worker --version\n"
    "Each verb takes --help.\n";

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set from a signal handler");

void request_stop(int) { stop_requested.store(true, std::memory_order_relaxed); }

// TERM comes from the launcher and from Slurm (twice when it requeues), INT from a terminal: all mean the same.
void handle_signals() {
  struct sigaction action {};
  action.sa_handler = request_stop;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
}

int train(const std::vector<std::string>& args) {
  const auto arguments = parse_train_arguments(args);
  if (!arguments) return 0;
  handle_signals();
  return train_verb(*arguments, stop_requested);
}

int describe(const std::vector<std::string>& args) {
  const auto arguments = parse_describe_arguments(args);
  return arguments ? describe_verb(*arguments, std::cin, std::cout) : 0;
}

int check(const std::vector<std::string>& args) {
  const auto arguments = parse_check_arguments(args);
  return arguments ? check_verb(*arguments, std::cout) : 0;
}

int probe(const std::vector<std::string>& args) {
  const auto arguments = parse_probe_arguments(args);
  return arguments ? probe_verb(*arguments, std::cout) : 0;
}

int ask(const std::vector<std::string>& args) {
  const auto arguments = parse_ask_arguments(args);
  return arguments ? ask_verb(*arguments, std::cout) : 0;
}

int import_weights(const std::vector<std::string>& args) {
  const auto arguments = parse_import_arguments(args);
  return arguments ? import_verb(*arguments, std::cout) : 0;
}

int profile(const std::vector<std::string>& args) {
  const auto arguments = parse_profile_arguments(args);
  return arguments ? profile_verb(*arguments, std::cout) : 0;
}

int dispatch(const std::vector<std::string>& args);

// Started before there is a run: what takes most of a short run's time is done when it comes.
int warm(const std::vector<std::string>& args) {
  if (!args.empty()) throw Error(ErrorKind::input, "'warm' takes no arguments: it is told its run by its shim");
  train::load_everything();
  loaded_nn_fingerprint();
  const auto command = event::await_order();
  return command && command->size() > 1 ? dispatch({command->begin() + 1, command->end()}) : 0;
}

int dispatch(const std::vector<std::string>& args) {
  const std::string verb = args.empty() ? "" : args.front();
  const std::vector<std::string> rest(args.begin() + (args.empty() ? 0 : 1), args.end());
  if (verb == "train") return train(rest);
  if (verb == "describe") return describe(rest);
  if (verb == "check") return check(rest);
  if (verb == "probe") return probe(rest);
  if (verb == "ask") return ask(rest);
  if (verb == "import") return import_weights(rest);
  if (verb == "profile") return profile(rest);
  if (verb == "warm") return warm(rest);
  if (verb == "--version") {
    fmt::print("bitsweep-worker {} [{}]\n", BITSWEEP_VERSION, BITSWEEP_BUILD_ID);
    return 0;
  }
  if (verb == "--help" || verb == "-h") {
    fmt::print("{}", kUsage);
    return 0;
  }
  throw Error(ErrorKind::input, verb.empty() ? fmt::format("no verb given\n{}", kUsage)
                                             : fmt::format("unknown verb '{}'{}", verb,
                                                           did_you_mean(verb, {"train", "describe", "check", "probe",
                                                                               "ask", "import", "profile"})));
}

}  // namespace
}  // namespace bitsweep::worker

int main(int argc, char** argv) {
  try {
    return bitsweep::worker::dispatch({argv + 1, argv + argc});
  } catch (const bitsweep::Error& error) {
    fmt::print(stderr, "bitsweep-worker: {}\n", error.what());
    return error.exit_code();
  } catch (const std::exception& error) {
    fmt::print(stderr, "bitsweep-worker: {}\n", error.what());
    return 1;
  }
}
