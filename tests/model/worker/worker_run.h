// A run's folder and the worker's command line over it.
#pragma once

#include <string>
#include <vector>

#include "process.h"
#include "train/tiny_run.h"

namespace bitsweep::worker {

inline const fs::path kTestPlugins = fs::path(BITSWEEP_BUILD_DIR) / "tests" / "plugins";

// The smallest shape of the real plugins that still has two layers and two heads.
inline spec::RunSpec small_spec(const fs::path& folder, const std::string& plugin) {
  spec::RunSpec spec = train::tiny_spec(folder);
  spec.model.plugin = plugin;
  spec.model.options = {{"d_model", 32}, {"n_layers", 2}, {"n_heads", 2}, {"d_ff", 32}};
  spec.data.tokenizer = "ascii128";
  spec.train.steps = 30;
  return spec;
}

// `plugin` is one of tests/model/worker/plugins.
inline spec::RunSpec odd_spec(const fs::path& folder, json::object options = {}) {
  spec::RunSpec spec = train::tiny_spec(folder);
  spec.model.plugin = (kTestPlugins / "odd" / "odd.so").string();
  spec.model.options = std::move(options);
  return spec;
}

class WorkerRun {
 public:
  WorkerRun(fs::path folder, const spec::RunSpec& spec) : folder_(std::move(folder)), run_(run_id(spec)) {
    fs::create_directories(folder_);
    write_file_atomic(folder_ / "spec.json", pretty_json(to_json(spec)));
  }

  fs::path attempt(int k) const { return folder_ / ("attempt-" + std::to_string(k)); }
  fs::path last(int k) const { return attempt(k) / "checkpoints" / "last.safetensors"; }
  fs::path best(int k) const { return attempt(k) / "checkpoints" / "best.safetensors"; }
  fs::path spec_file() const { return folder_ / "spec.json"; }

  std::vector<std::string> command(int k, std::vector<std::string> more = {}) const {
    std::vector<std::string> words{BITSWEEP_WORKER, "train",
                                   "--spec",        spec_file().string(),
                                   "--out",         attempt(k).string(),
                                   "--run",         run_,
                                   "--attempt",     std::to_string(k),
                                   "--cache",       (folder_ / "data").string(),
                                   "--plugin-dir",  BITSWEEP_PLUGIN_DIR};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  Process start(int k, std::vector<std::string> more = {}) const {
    return Process(command(k, std::move(more)), attempt(k));
  }
  Ended run(int k, std::vector<std::string> more = {}) const { return start(k, std::move(more)).wait(); }
  Ended resume(int k, int from) const {
    return run(k, {"--resume", last(from).string(), "--resume", best(from).string()});
  }

  // The last event, which must be `end`.
  event::Event end(int k) const {
    const std::vector<event::Event> events = train::all_events(attempt(k));
    EXPECT_FALSE(events.empty());
    if (events.empty()) return {};
    EXPECT_EQ(events.back().kind, "end");
    return events.back();
  }
  std::string status(int k) const { return string_or(end(k).fields, "status", ""); }
  std::string message(int k) const { return string_or(end(k).fields, "message", ""); }

 private:
  fs::path folder_;
  std::string run_;
};

}  // namespace bitsweep::worker
