// A root with a small sweep in every state, made through the store as the coordinator makes it.
#pragma once

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/error.h"
#include "query/query.h"
#include "store/store.h"

namespace bitsweep::query {

inline fs::path new_root() {
  const auto* info = testing::UnitTest::GetInstance()->current_test_info();
  const fs::path root = fs::path(testing::TempDir()) / "bitsweep_query" / info->test_suite_name() / info->name();
  fs::remove_all(root);
  return root;
}

inline store::NewRun planned(const std::string& id, const std::string& plugin, int64_t params, double lr,
                             int64_t seed = 0) {
  store::NewRun run;
  run.id = id;
  run.plugin = plugin;
  run.seed = seed;
  run.params = params;
  run.params_nonembedding = params / 2;
  run.tokens = 64000;
  run.steps = 100;
  run.flops = 6.0 * static_cast<double>(params) * 64000;
  run.epochs = 0.5;
  run.dataset = "d1";
  run.axes = {{"model.plugin", plugin}, {"train.lr", lr}};
  run.spec = {{"model", json::object{{"plugin", plugin}, {"d_model", 64}}},
              {"data", json::object{{"corpus", "headers"}, {"tokenizer", "ascii128"}, {"context", 64}}},
              {"train", json::object{{"lr", lr}, {"batch", 10}}},
              {"eval", json::object{{"windows", 16}}},
              {"seed", seed}};
  return run;
}

// The message of the Error that `call` throws, with its kind in front; "" when none is thrown.
template <class Call>
std::string thrown(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return std::to_string(error.exit_code()) + ": " + error.what();
  }
  return "";
}

class QueryTest : public testing::Test {
 protected:
  QueryTest() : root(new_root()), store(root, store::StoreMode::create, clock) {
    store.put_dataset({.id = "d1",
                       .name = "headers",
                       .tokenizer = "ascii128",
                       .sha256 = "aa",
                       .bytes = 1000,
                       .train_tokens = 900,
                       .val_tokens = 100,
                       .val_sha256 = "bb",
                       .unknown_bytes = 3,
                       .ngram_bpb = {4.5, 3.5, 2.9, 2.6},
                       .entropy_bpb = {}});
    store::NewSweep sweep;
    sweep.name = "first";
    sweep.file = "sweeps/first.yaml";
    sweep.source = "x";
    sweep.settings = {{"report", json::object{{"laws", json::array{"chinchilla"}}}}};
    sweep.runs = {planned("aaaa00000001", "v57", 1000, 1e-3), planned("aaaa00000002", "v57", 2000, 2e-3),
                  planned("bbbb00000003", "llama", 1000, 1e-3), planned("cccc00000004", "llama", 2000, 2e-3)};
    store.submit(sweep);
    finish("aaaa00000001", {5.0, 4.0, 4.2}, RunState::done, ExitCause::none);
    finish("aaaa00000002", {5.0}, RunState::failed, ExitCause::diverged);
    start("bbbb00000003", {4.5, 3.9});
  }

  int64_t start(const std::string& id, const std::vector<double>& losses) {
    const int64_t attempt = store.claim(id, "cpu", 1, 1).value();
    store.mark_running(id, attempt, 1);
    std::vector<event::Event> events;
    const auto add = [&](const char* kind, int64_t step, json::object fields) {
      events.push_back({kind, id, attempt, static_cast<int64_t>(events.size()) + 1, step, 1000, std::move(fields)});
    };
    add("start", 0, {{"device", "cpu"}, {"build_id", "g++12"}, {"metrics", json::array()}});
    for (size_t i = 0; i < losses.size(); ++i)
      add("eval", static_cast<int64_t>(i + 1) * 10,
          {{"val_bpc", losses[i]},
           {"tokens", static_cast<int64_t>(i + 1) * 6400},
           {"tokens_per_s", 800.0},
           {"elapsed_s", 8.0 * static_cast<double>(i + 1)}});
    const store::Store::Batch batch{id, attempt, events, 100, 1};
    store.ingest({&batch, 1});
    return attempt;
  }

  void finish(const std::string& id, const std::vector<double>& losses, RunState state, ExitCause cause) {
    const int64_t attempt = start(id, losses);
    store::AttemptEnd end;
    end.state = state;
    end.cause = cause;
    end.message = cause == ExitCause::none ? "" : "loss is not finite";
    end.ended = 2000;
    store.finish(id, attempt, end);
  }

  static std::vector<std::string> ids(const std::vector<RunRow>& rows) {
    std::vector<std::string> out;
    for (const RunRow& row : rows) out.push_back(row.id);
    return out;
  }

  fs::path root;
  FakeClock clock;
  store::Store store;
};

}  // namespace bitsweep::query
