// A folder of sweep files and two small plugins, for the tests of core/sweep/spec and core/sweep/plan.
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "plugin/manifest.h"
#include "spec/sweep.h"

namespace bitsweep::spec {

inline void write_text(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

class SweepTest : public testing::Test {
 protected:
  SweepTest() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / (std::string("sweep_") + test->test_suite_name() + "_" + test->name());
    fs::remove_all(folder_);
    write_text(folder_ / "plugins/strict/plugin.yaml", R"(name: strict
summary: a test's one-bit variant
options:
  d_model: { type: int, min: 8, max: 4096, help: width }
  n_layers: { type: int, min: 1, max: 64, help: depth }
  tau: { type: float, min: 0.1, max: 10, default: 2.0, help: temperature }
  alibi: { type: bool, default: true, help: position bias }
  attention: { type: choice, choices: [gumbel, topk], default: gumbel, help: kind }
  kshift: { type: int_list, min: 0, default: [], help: layers }
)");
    write_text(folder_ / "plugins/llama/plugin.yaml", R"(name: llama
summary: a test's control
options:
  d_model: { type: int, min: 8, max: 4096, help: width }
  n_layers: { type: int, min: 1, max: 64, help: depth }
)");
    plugins_ = plugin::find_plugins(folder_ / "plugins");
  }
  ~SweepTest() override { fs::remove_all(folder_); }

  // A whole sweep: what every test needs, then `rest`.
  static std::string with(const std::string& rest) {
    return "name: a\nmodel: { plugin: strict, d_model: 64 }\ndata: { corpus: stories }\ntrain: { steps: 100 }\n" + rest;
  }

  Sweep load(const std::string& text, const std::vector<std::string>& overrides = {}) {
    write_text(folder_ / "a.yaml", text);
    return load_file("a.yaml", overrides);
  }
  Sweep load_file(const std::string& name, const std::vector<std::string>& overrides = {}) {
    return load_sweep({folder_ / name, overrides, plugins_});
  }

  // The message of the error, with the test's folder cut out of the names.
  std::string error_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
    return error_in([&] { load(text, overrides); });
  }
  template <class F>
  std::string error_in(F&& action) {
    try {
      action();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      std::string message = error.what();
      const std::string cut = folder_.string() + "/";
      for (size_t at; (at = message.find(cut)) != std::string::npos;) message.erase(at, cut.size());
      return message;
    }
    ADD_FAILURE() << "nothing was refused";
    return "";
  }

  static std::vector<double> numbers(const Sweep& sweep, double (*of)(const RunSpec&)) {
    std::vector<double> out;
    for (const ExpandedRun& run : sweep.runs) out.push_back(of(run.spec));
    return out;
  }

  fs::path folder_;
  std::vector<plugin::Manifest> plugins_;
};

}  // namespace bitsweep::spec
