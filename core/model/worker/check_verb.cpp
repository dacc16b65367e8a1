#include "worker/check_verb.h"

#include <ostream>

#include <ATen/Parallel.h>

#include "conformance/conformance.h"
#include "plugin/build_id.h"

namespace bitsweep::worker {
namespace {

std::vector<const conformance::Check*> chosen_checks(const std::vector<std::string>& only) {
  std::vector<const conformance::Check*> checks;
  for (const std::string& name : only) checks.push_back(&conformance::find_check(name));
  if (!only.empty()) return checks;
  for (const conformance::Check& check : conformance::conformance_checks()) checks.push_back(&check);
  return checks;
}

void say(std::ostream& out, const json::object& line) { out << json::serialize(line) << '\n' << std::flush; }

}  // namespace

int check_verb(const CheckArguments& arguments, std::ostream& out) {
  const std::vector<const conformance::Check*> checks = chosen_checks(arguments.only);
  if (arguments.list) {
    for (const conformance::Check* check : checks) say(out, {{"check", check->name}, {"promise", check->promise}});
    return 0;
  }
  // The models are so small that more threads only wait for each other.
  at::set_num_threads(1);
  const conformance::Workbench bench(plugin::load_plugin(arguments.plugin, arguments.plugin_dir, BITSWEEP_BUILD_ID),
                                     arguments.options);
  bool all_passed = true;
  for (const conformance::Check* check : checks) {
    say(out, {{"check", check->name}});
    const conformance::Outcome outcome = run_check(*check, bench);
    say(out, {{"check", check->name}, {"passed", outcome.passed}, {"decided", outcome.decided}});
    all_passed = all_passed && outcome.passed;
  }
  return all_passed ? 0 : 1;
}

}  // namespace bitsweep::worker
