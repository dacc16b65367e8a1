// Made-up measurements for reports: runs that follow a known law, with curves, on one data set.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/analysis.h"
#include "base/rng.h"

namespace bitsweep::analysis {

inline double law(const std::string& variant, double params, double tokens) {
  const double worth = variant == "llama" ? 1.0 : variant == "v75" ? 0.3 : 0.15;
  return 1.4 + 30 / std::pow(params * worth, 0.3) + 250 / std::pow(tokens, 0.4);
}

struct Made {
  std::string variant = "v57";
  double params = 1e6, tokens = 4e6;
  double lr = 1e-3;
  int64_t seed = 0, batch = 32;
  double noise = 0;  // added to the loss
};

inline MeasuredRun made_run(const Made& m) {
  MeasuredRun run;
  query::RunRow& row = run.row;
  const auto bits = random_bits(static_cast<uint64_t>(m.seed), 1,
                                static_cast<uint64_t>(m.params + 7 * m.tokens + 1e9 * m.lr) + m.variant[1]);
  row.id = fmt::format("{:012x}", bits & 0xffffffffffff);
  row.sweep = "made";
  row.state = RunState::done;
  row.plugin = m.variant;
  row.seed = m.seed;
  row.params = static_cast<int64_t>(m.params);
  row.params_nonembedding = row.params * 9 / 10;
  row.tokens = static_cast<int64_t>(m.tokens);
  row.steps = row.step = row.tokens / (m.batch * 64);
  row.attempts = 1;
  row.epochs = m.tokens / 3.6e7;
  row.flops = 6.6 * m.params * m.tokens;
  row.last_val_bpc = law(m.variant, m.params, m.tokens) + m.noise;
  row.best_val_bpc = *row.last_val_bpc - 0.002;
  row.tokens_per_s = 3e10 / m.params;
  row.wall_s = m.tokens / *row.tokens_per_s;
  row.ended = 1.7e9;
  row.dataset = "d1";
  row.axes = {{"model.plugin", m.variant}};
  row.spec = {
      {"model",
       json::object{{"plugin", m.variant}, {"d_model", row.params / 1000}, {"n_layers", 4}, {"tau_start", 2.0}}},
      {"data", json::object{{"corpus", "headers"}, {"tokenizer", "ascii128"}, {"context", 64}}},
      {"train",
       json::object{{"steps", row.steps}, {"batch", m.batch}, {"lr", m.lr}, {"warmup", 50}, {"init_from", ""}}},
      {"eval", json::object{{"every", 50}, {"windows", 64}}},
      {"seed", m.seed}};
  run.start = {{"device", "cpu"}, {"build_id", "g++-12 torch-2.11.0"}};
  for (int k = 1; k <= 20; ++k) {
    query::EvalRow e;
    e.step = row.steps * k / 20;
    e.tokens = row.tokens * k / 20;
    e.val_bpc = *row.last_val_bpc + 1.8 * std::pow(1 - k / 20.0, 3) + (k == 20 ? 0 : 0.01);
    run.curve.push_back(e);
  }
  return run;
}

inline query::DatasetRow made_dataset() {
  query::DatasetRow d;
  d.id = "d1";
  d.name = "headers";
  d.tokenizer = "ascii128";
  d.sha256 = std::string(64, 'a');
  d.val_sha256 = std::string(64, 'b');
  d.bytes = 38'700'000;
  d.train_tokens = 36'000'000;
  d.val_tokens = 2'000'000;
  d.unknown_bytes = 626;
  d.ngram_bpb = {4.9, 3.6, 2.8, 2.3};
  return d;
}

inline ReportInput made_input(const std::vector<Made>& runs, std::string name = "made") {
  ReportInput input;
  input.name = std::move(name);
  input.sweeps = {input.name};
  for (const Made& m : runs) input.runs.push_back(made_run(m));
  input.datasets = {made_dataset()};
  input.source = "bitsweep report made";
  input.version = "0.1.0";
  return input;
}

// 3 variants × 3 sizes × 2 budgets, one seed.
inline std::vector<Made> quickstart_runs() {
  std::vector<Made> runs;
  for (const char* variant : {"v57", "v75", "llama"})
    for (const double params : {1e5, 3.1e5, 1.02e6})
      for (const double tokens : {2e6, 4e6}) runs.push_back({variant, params, tokens});
  return runs;
}

// Two sizes, two budgets and two seeds with each of the gradients; `cost`: of rounding, in the loss.
inline ReportInput rounded_runs(double cost) {
  std::vector<Made> made;
  for (const char* gradients : {"f32", "s6"})
    for (const double params : {1e5, 1e6})
      for (const double tokens : {2e6, 8e6})
        for (const int64_t seed : {0, 1})
          made.push_back({"v57", params, tokens, 1e-3, seed, 32,
                          0.01 * static_cast<double>(seed) + (gradients[0] == 's' ? cost * params / 1e6 : 0)});
  ReportInput input = made_input(made);
  for (size_t i = 0; i < input.runs.size(); ++i) {
    json::object& train = input.runs[i].row.spec["train"].as_object();
    train["gradients"] = i < input.runs.size() / 2 ? "f32" : "s6";
    if (i >= input.runs.size() / 2) input.runs[i].row.id += "r";
  }
  return input;
}

// One variant at sizes and budgets enough for the joint law, two seeds.
inline std::vector<Made> ladder_runs() {
  std::vector<Made> runs;
  for (const double params : {1e5, 3e5, 1e6, 3e6, 1e7})
    for (const double tokens : {2e6, 8e6, 3.2e7, 1.28e8})
      for (const int64_t seed : {0, 1})
        runs.push_back(
            {"llama", params, tokens, 1e-3, seed, 32,
             0.004 * (random_unit(static_cast<uint64_t>(seed), 9, static_cast<uint64_t>(params + tokens)) - 0.5)});
  return runs;
}

// One variant at sizes and lengths that are nowhere quite the same, as in sets read off a figure; no setting differs.
inline std::vector<Made> scattered_runs(int count) {
  std::vector<Made> runs;
  for (int i = 0; i < count; ++i) {
    const auto at = [&](uint64_t stream) { return random_unit(1, stream, static_cast<uint64_t>(i)); };
    runs.push_back({"llama", std::floor(std::pow(10, 5 + 2 * at(1))), 2048 * std::floor(std::pow(10, 3 + 2 * at(2)))});
  }
  return runs;
}

}  // namespace bitsweep::analysis
