// What every plugin owes the trainer, as a list of checks that any plugin can be put through: a loaded plugin and
// options in, verdicts out. Each check tries small models on the CPU; a few seconds for all.
#pragma once

#include <span>
#include <string>

#include "conformance/workbench.h"

namespace bitsweep::conformance {

struct Outcome {
  bool passed = false;
  std::string decided;  // the figures that decided, in a sentence
};

struct Check {
  const char* name;     // "causality"
  const char* promise;  // what holds when it passes, for `--help` and the README
  Outcome (*run)(const Workbench& bench);
};

// In the order in which they are best read: what a plugin says, what it computes, how it trains.
std::span<const Check> conformance_checks();

// Throws Error{input} with the nearest name.
const Check& find_check(std::string_view name);

// Whatever the plugin throws is an outcome that did not pass, with the message.
Outcome run_check(const Check& check, const Workbench& bench);

}  // namespace bitsweep::conformance
