// A run of a second's fraction: a text, a spec over it, and what its events say.
#pragma once

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <unistd.h>

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/json.h"
#include "base/rng.h"
#include "event/event.h"
#include "spec/run_spec.h"

namespace bitsweep::train {

// A folder of its own for one test, empty.
inline fs::path fresh_folder() {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  std::string name = std::string(test->test_suite_name()) + "." + test->name();
  for (char& c : name)
    if (c == '/') c = '_';
  const fs::path folder = fs::path(testing::TempDir()) / ("bitsweep-" + std::to_string(::getpid())) / name;
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

// Words drawn from a few: text with structure to learn.
inline std::string sample_text(size_t bytes) {
  static const char* const kWords[] = {"the ", "run ", "of ", "bits ", "and ", "signs, ", "a ", "model.\n"};
  std::string text;
  for (uint64_t i = 0; text.size() < bytes; ++i) text += kWords[random_below(1, 2, i, 8)];
  return text;
}

inline spec::RunSpec tiny_spec(const fs::path& folder) {
  const fs::path text = folder / "text.txt";
  std::ofstream(text) << sample_text(40000);
  spec::RunSpec spec;
  spec.model.plugin = "tiny";
  spec.data.corpus = text.string();
  spec.data.context = 16;
  spec.data.val_fraction = 0.2;
  spec.train.steps = 20;
  spec.train.batch = 4;
  spec.train.warmup = 5;
  spec.train.lr = 1e-2;
  spec.eval.every = 5;
  spec.eval.windows = 8;
  spec.checkpoint.every = 7;
  return spec;
}

inline std::vector<event::Event> all_events(const fs::path& attempt) {
  return event::read_events(attempt / "events.jsonl", 0).events;
}

inline std::vector<event::Event> events_of(const fs::path& attempt, const std::string& kind) {
  std::vector<event::Event> some;
  for (event::Event& event : all_events(attempt))
    if (event.kind == kind) some.push_back(std::move(event));
  return some;
}

// What an evaluation says that does not depend on the machine's speed, by step, later attempts over earlier ones.
inline std::map<int64_t, std::string> measured(const std::vector<fs::path>& attempts) {
  std::map<int64_t, std::string> lines;
  for (const fs::path& attempt : attempts) {
    for (event::Event& event : events_of(attempt, "eval")) {
      for (const char* key : {"tokens_per_s", "peak_rss_bytes", "elapsed_s"}) event.fields.erase(key);
      lines[event.step] = canonical_json(event.fields);
    }
  }
  return lines;
}

}  // namespace bitsweep::train
