#include "prepare/builds_at_hand.h"

#include "plugin/fingerprint.h"
#include "prepare/programs.h"

namespace bitsweep::prepare {

BuildsAtHand::BuildsAtHand() : BuildsAtHand(program_folder(), plugin_folder()) {}

BuildsAtHand::BuildsAtHand(fs::path programs, fs::path plugins)
    : plugins_(std::move(plugins)), nn_(plugin::code_fingerprint(plugin::nn_library(programs))) {}

const CodeBuild& BuildsAtHand::of(const std::string& plugin) {
  const auto known = known_.find(plugin);
  if (known != known_.end()) return known->second;
  const bool path = plugin.find('/') != std::string::npos;
  const fs::path library = path ? fs::path(plugin) : plugins_ / plugin / (plugin + ".so");
  return known_.emplace(plugin, CodeBuild{plugin::code_fingerprint(library), nn_}).first->second;
}

}  // namespace bitsweep::prepare
