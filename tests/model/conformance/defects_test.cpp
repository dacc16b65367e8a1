// Each check sees the defect it is there for, and no other check does: a plugin that is good but for one planted defect
// fails exactly one.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "conformance/conformance.h"
#include "plugin/build_id.h"

namespace bitsweep::conformance {
namespace {

using testing::HasSubstr;

Workbench bench_with(const std::string& defect) {
  const fs::path library = fs::path(BITSWEEP_BUILD_DIR) / "tests" / "plugins" / "planted" / "planted.so";
  return {plugin::load_plugin(library.string(), "", BITSWEEP_BUILD_ID), {{"defect", defect}}};
}

// The checks that take most of the time.
bool is_long(const std::string& check) { return check == "slopes" || check == "memory" || check == "learns"; }

struct Planted {
  std::string defect, check, says;
  bool all_checks = false;  // the long ones too, besides `check`
};

void PrintTo(const Planted& planted, std::ostream* out) { *out << planted.defect; }

void expect_exactly(const Planted& planted) {
  SCOPED_TRACE(planted.defect);
  const Workbench bench = bench_with(planted.defect);
  for (const Check& check : conformance_checks()) {
    const bool expected = check.name == planted.check;
    if (!expected && !planted.all_checks && is_long(check.name)) continue;
    const Outcome outcome = run_check(check, bench);
    EXPECT_EQ(outcome.passed, !expected) << check.name << ": " << outcome.decided;
    if (expected) {
      EXPECT_THAT(outcome.decided, HasSubstr(planted.says));
    }
  }
}

class Defect : public testing::TestWithParam<Planted> {};

TEST_P(Defect, FailsItsCheckAlone) { expect_exactly(GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    Planted, Defect,
    testing::Values(Planted{"none", "", "", true},
                    Planted{"leak", "causality", "changing token 1 changed logits of 1 of the 1 positions before",
                            true},
                    Planted{"unregistered", "registered", "trained and not registered, of shape [128]", true},
                    Planted{"stuck_threshold", "moves", "layers.1.ffn.gate.threshold, layers.1.ffn.up.threshold", true},
                    Planted{"unseeded_noise", "noise", "default generator decides the logits", true},
                    Planted{"identity", "learns", "byte frequencies alone give", true}),
    [](const auto& info) { return info.param.defect; });

TEST(Defects, ThatFewerWouldThinkOfFailTheirCheckAlone) {
  for (const Planted& planted :
       {Planted{"tensor_in_describe", "describe", "describing made"},
        Planted{"miscount", "counts", "describes 21,538 parameters and builds 21,537"},
        Planted{"open_range", "options", "gain takes -1 below its least"},
        Planted{"double_logits", "logits", "logits of type Double"},
        Planted{"other_halves", "halves", "in evaluation, head(trunk()) is not forward()"},
        Planted{"forgets", "decode", "decoded token by token,"},
        Planted{"remembers_training", "evaluation", "after a training forward pass logits differ"},
        Planted{"batch_mean", "batch", "other sequences beside it changed"},
        Planted{"frozen", "registered", "requires no gradient, so no optimizer has it: frozen.gain"},
        Planted{"bf16_overflow", "gradients", "in bf16"}, Planted{"doubled_gradient", "slopes", "finite differences"},
        Planted{"own_seed", "seeds", "another seed gave the same initial weights"},
        Planted{"unsaved_state", "resume", "losses after step 3"},
        Planted{"keeps_memory", "memory", "bytes of tensors after 20 steps"}})
    expect_exactly(planted);
}

TEST(Checks, AreFoundByNameAndCatchWhatAPluginThrows) {
  EXPECT_STREQ(find_check("causality").name, "causality");
  try {
    find_check("casuality");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("did you mean 'causality'?"));
  }
  const Workbench bench = bench_with("no such defect");
  const Outcome outcome = run_check(find_check("logits"), bench);
  EXPECT_FALSE(outcome.passed);
  EXPECT_THAT(outcome.decided, HasSubstr("defect: expected one of none"));
}

TEST(Checks, TakeTheGivenOptions) {
  const fs::path library = fs::path(BITSWEEP_BUILD_DIR) / "tests" / "plugins" / "planted" / "planted.so";
  const Workbench bench(plugin::load_plugin(library.string(), "", BITSWEEP_BUILD_ID), {{"n_layers", 1}, {"gain", 2}});
  const json::object options = bench.plugin().describe(bench.request()).options;
  EXPECT_EQ(options.at("n_layers"), 1);
  EXPECT_EQ(options.at("d_model"), 32);
  EXPECT_EQ(options.at("gain").to_number<double>(), 2);
  for (const char* check : {"describe", "counts", "options", "causality"}) {
    const Outcome outcome = run_check(find_check(check), bench);
    EXPECT_TRUE(outcome.passed) << outcome.decided;
  }
}

}  // namespace
}  // namespace bitsweep::conformance
