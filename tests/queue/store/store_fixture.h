// A store in a folder of its own, and small sweeps for it.
#pragma once

#include <unistd.h>

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/error.h"
#include "store/store.h"

namespace bitsweep::store {

// An empty folder of this test; everything of this program is gone when it ends.
inline fs::path fresh_folder(const std::string& name) {
  static const struct Base {
    fs::path path = fs::path(testing::TempDir()) / ("bitsweep_store" + std::to_string(::getpid()));
    ~Base() {
      std::error_code code;
      fs::remove_all(path, code);
    }
  } base;
  const auto* info = testing::UnitTest::GetInstance()->current_test_info();
  const fs::path folder = base.path / info->test_suite_name() / info->name() / name;
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

inline NewRun new_run(const std::string& id, double lr = 1e-3, int64_t seed = 0) {
  NewRun run;
  run.id = id;
  run.spec = {{"model", json::object{{"plugin", "llama"}}}, {"seed", seed}, {"lr", lr}};
  run.axes = {{"train.lr", lr}};
  run.plugin = "llama";
  run.seed = seed;
  run.params = 1000;
  run.tokens = 64000;
  run.steps = 100;
  run.flops = 3.84e8;
  run.epochs = 0.5;
  return run;
}

inline NewSweep new_sweep(const std::string& name, std::vector<NewRun> runs) {
  std::string source;
  for (const NewRun& run : runs) source += run.id + " ";
  return {.name = name,
          .file = name + ".yaml",
          .source = source,
          .settings = {{"stop_after", nullptr}},
          .runs = std::move(runs)};
}

inline event::Event event_of(const std::string& run, int64_t attempt, int64_t seq, const std::string& kind,
                             int64_t step, json::object fields = {}) {
  return {.kind = kind,
          .run = run,
          .attempt = attempt,
          .seq = seq,
          .step = step,
          .time = 1000.0 + static_cast<double>(seq),
          .fields = std::move(fields)};
}

inline event::Event eval_of(const std::string& run, int64_t attempt, int64_t seq, int64_t step, double loss) {
  return event_of(run, attempt, seq, "eval", step,
                  {{"val_bpc", loss},
                   {"train_bpc", loss - 0.1},
                   {"tokens", step * 640},
                   {"lr", 1e-3},
                   {"grad_norm", 1.5},
                   {"tokens_per_s", 5000.0},
                   {"elapsed_s", static_cast<double>(step)},
                   {"peak_rss_bytes", 1 << 20},
                   {"best", true}});
}

class StoreTest : public testing::Test {
 protected:
  StoreTest() : root(fresh_folder("root")), store(root, StoreMode::create, clock) {
    store.database().execute("PRAGMA synchronous = OFF");  // what these tests ask is not whether a disk keeps it
  }

  // A run that is queued, then claimed as its first attempt.
  int64_t claimed(const std::string& id) {
    store.submit(new_sweep("s-" + id, {new_run(id)}));
    return store.claim(id, "cpu", 1, 1).value();
  }
  AttemptEnd end(RunState state, ExitCause cause = ExitCause::none) {
    return {.state = state,
            .cause = cause,
            .message = "why",
            .exit_code = 1,
            .signal = {},
            .peak_rss_bytes = 77,
            .ended = clock.unix};
  }
  Store::Ingested ingest(const std::string& run, int64_t attempt, const std::vector<event::Event>& events,
                         uint64_t offset) {
    const Store::Batch batch{run, attempt, events, offset, 1};
    return store.ingest({&batch, 1});
  }
  int64_t count(const std::string& sql) { return store.database().integer("SELECT count(*) FROM " + sql); }

  fs::path root;
  FakeClock clock;
  Store store;
};

// The Error that `call` throws; fails the test when it throws none.
template <class Call>
Error error_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return Error(ErrorKind::failed, "none");
}

}  // namespace bitsweep::store
