// `report --points` and its claims, from files to figures, as a person calls them.
#include <cmath>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/claims_file.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "cli/verb.h"

namespace bitsweep::cli {
namespace {

using testing::DoubleNear;
using testing::HasSubstr;
using testing::Not;

class PointsReport : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              (std::string("points_report_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  std::string file(const std::string& name, const std::string& text) {
    write_file_atomic(folder_ / name, text);
    return (folder_ / name).string();
  }
  json::value report(std::vector<std::string> args, int expected_code = 0) {
    args.emplace_back("--json");
    testing::internal::CaptureStdout();
    int code = -1;
    try {
      code = kReportVerb.run(kReportVerb, args);
    } catch (...) {
      testing::internal::GetCapturedStdout();
      throw;
    }
    const std::string out = testing::internal::GetCapturedStdout();
    EXPECT_EQ(code, expected_code);
    return parse_json(out, "output");
  }
  std::string markdown(std::vector<std::string> args, const std::string& name) {
    args.insert(args.end(), {"--out", folder_.string(), "--name", name});
    testing::internal::CaptureStdout();
    const int code = kReportVerb.run(kReportVerb, args);
    testing::internal::GetCapturedStdout();
    EXPECT_EQ(code, 0);
    return read_file(folder_ / name / "report.md");
  }
  std::string error_of(std::vector<std::string> args) {
    try {
      report(std::move(args));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  fs::path folder_;
};

// Two texts, three sizes at one batch, one size at three budgets and two batches, one configuration twice without a
// seed; one run diverged.
const char* const kTable =
    "name,N,text,steps,batch_seqs,lr,bpc,D,wall_min,state\n"
    "a0,5.5,easy,20000,256,0.0032,1.5,1310720000,50,done\n"
    "a1,46.4,easy,10000,64,0.0003,1.35,163840000,30,done\n"
    "a2,46.4,easy,20000,64,0.0003,1.25,327680000,60,done\n"
    "a3,46.4,easy,40000,64,0.0003,1.175,655360000,120,done\n"
    "b2,46.4,hard,20000,64,0.0003,1.9,327680000,60,done\n"
    "b3,46.4,hard,40000,64,0.0003,1.81,655360000,120,done\n"
    "b3_again,46.4,hard,40000,64,0.0003,1.806,655360000,100,done\n"
    "b4,46.45,hard,15000,256,0.0006,1.78,983040000,75,done\n"
    "c,5.52,hard,15000,256,0.0006,2.25,983040000,40,done\n"
    "d,13.7,hard,15000,256,0.0006,2.02,983040000,50,done\n"
    "e,13.7,hard,15000,256,0.05,9.5,983040000,50,diverged\n";
const std::vector<std::string> kMapping = {"--map", "run=name,params=N,dataset=text,loss=bpc,tokens=D", "--units",
                                           "params=M"};

double at(const json::value& value, const char* key) { return value.at(key).to_number<double>(); }

// Figures and sentences name the unit that the file tells, and none where it tells none.
TEST_F(PointsReport, LossesAreInTheUnitThatTheFileTells) {
  const auto rendered = [&](const std::string& loss) {
    const std::string table = file("u.csv", "params,tokens," + loss + "\n1e6,1e8,3.1\n2e6,1e8,2.9\n4e6,1e8,2.75\n");
    const std::string text = markdown({"--points", table, "--map", "loss=" + loss}, loss);
    return text + read_file(folder_ / loss / "params.svg");
  };
  EXPECT_THAT(rendered("val_bpc"),
              testing::AllOf(HasSubstr("**2.750** bits per byte, by"), HasSubstr("loss (bits per")));
  EXPECT_THAT(rendered("loss_nats"), testing::AllOf(HasSubstr("**2.750** nats, by"), Not(HasSubstr("bits per byte"))));
  EXPECT_THAT(rendered("L"), testing::AllOf(HasSubstr("**2.750**, by"), HasSubstr("unit was not told"),
                                            HasSubstr("loss (unit not told)"), Not(HasSubstr("bits per byte"))));
}

// Two texts that differ by a constant, by the worth of a parameter as well, or not at all: AICc tells them apart.
TEST_F(PointsReport, WhetherTextsDifferByAConstantAloneIsTold) {
  const auto verdict = [&](const std::string& name, double offset, double amplitude) {
    std::string table = "run,params,tokens,dataset,loss\n";
    uint64_t i = 0;
    for (const bool second : {false, true})
      for (const double n : {1e6, 4e6, 16e6, 64e6})
        for (const double d : {5e7, 2e8, 8e8}) {
          const double loss =
              1 + (second ? offset : 0) + (second ? amplitude : 1) * 30 / std::pow(n, 0.3) + 240 / std::pow(d, 0.4);
          const double noise = 0.004 * (random_unit(5, 1, i) - 0.5);
          table += fmt::format("r{},{},{},{},{}\n", i++, n, d, second ? "B" : "A", loss * (1 + noise));
        }
    const std::string points = file(name + ".csv", table);
    const json::value document = report({"--points", points});
    const json::array& laws = document.at("text_laws").as_array();
    EXPECT_EQ(laws.size(), 1u);
    EXPECT_EQ(at(laws.at(0), "runs"), 24);
    EXPECT_GT(at(laws.at(0), "margin"), 0);
    return std::string(laws.at(0).at("best").get_string()) + ": " + markdown({"--points", points}, name);
  };
  EXPECT_THAT(verdict("constant", 0.6, 1),
              testing::AllOf(testing::StartsWith("grouped"), HasSubstr("whose constant alone differs from text")));
  EXPECT_THAT(verdict("apart", 0.6, 3), testing::AllOf(testing::StartsWith("separate"), HasSubstr("for each text")));
  EXPECT_THAT(verdict("same", 0, 1), testing::AllOf(testing::StartsWith("pooled"), HasSubstr("without an offset")));
}

TEST_F(PointsReport, TimesOfSeveralMachinesAreNotCompared) {
  const auto rules = [&](const std::string& second) {
    const json::value document = report({"--points", file("m.csv",
                                                          "params,tokens,loss,wall_min,gpu\n1e6,1e8,3.1,10,H200\n"
                                                          "2e6,1e8,2.9,9," +
                                                              second + "\n")});
    std::vector<std::string> names;
    for (const json::value& rule : document.at("groups").at(0).at("rules").as_array())
      names.emplace_back(rule.at("rule").get_string());
    return names;
  };
  EXPECT_THAT(rules("A100"), testing::Contains("mixed-machines"));
  EXPECT_THAT(rules("H200"), Not(testing::Contains("mixed-machines")));
}

TEST_F(PointsReport, EveryComparisonOfTheTableComesOut) {
  std::vector<std::string> args = {"--points", file("t.csv", kTable), "--target", "params=300M"};
  args.insert(args.end(), kMapping.begin(), kMapping.end());
  const json::value document = report(args);
  const json::array& groups = document.at("groups").as_array();
  ASSERT_EQ(groups.size(), 2u);
  const auto changes = [&](size_t g, const char* steps) {
    std::vector<double> values;
    for (const json::value& step : groups[g].at(steps).as_array()) values.push_back(at(step.at("change"), "mean"));
    return values;
  };
  using testing::Contains;
  EXPECT_THAT(changes(0, "token_steps"), testing::ElementsAre(DoubleNear(-0.1, 1e-9), DoubleNear(-0.075, 1e-9)));
  // The two runs without seeds are no pair of seeds: each is compared.
  for (const double change : {-0.09, -0.094})
    EXPECT_THAT(changes(1, "token_steps"), Contains(DoubleNear(change, 1e-9))) << change;
  for (const double change : {-0.03, -0.026})
    EXPECT_THAT(changes(1, "batch_steps"), Contains(DoubleNear(change, 1e-9))) << change;
  for (const json::value& step : groups[1].at("batch_steps").as_array()) {
    EXPECT_NEAR(at(step, "tokens_ratio"), 1.5, 1e-9);
    EXPECT_LT(at(step, "wall_change"), 0);
  }
  const json::array& sizes = groups[1].at("param_steps").as_array();
  ASSERT_EQ(sizes.size(), 2u);
  EXPECT_NEAR(at(sizes[0], "per_decade"), -0.23 / std::log10(13.7 / 5.52), 1e-9);
  std::vector<double> offsets;
  for (const json::value& o : document.at("text_offsets").as_array()) offsets.push_back(at(o.at("offset"), "mean"));
  EXPECT_THAT(offsets, Contains(DoubleNear(0.635, 1e-9)));
  EXPECT_EQ(document.at("text_laws").as_array().at(0).at("best").get_string(), "grouped");
  EXPECT_EQ(groups[1].at("left_out").as_array().size(), 1u);
  std::vector<std::string> rules;
  for (const json::value& group : groups)
    for (const json::value& rule : group.at("rules").as_array()) rules.emplace_back(rule.at("rule").get_string());
  for (const char* rule : {"equal-steps", "unequal-batches", "unlabelled-repeats", "unmatched-sizes", "diverged-runs"})
    EXPECT_THAT(rules, Contains(rule));
  // The law of sizes alone speaks of the target, and says what the three sizes allow.
  bool told = false;
  for (const json::value& fit : groups[1].at("fits").as_array())
    for (const json::value& p : fit.at("predictions").as_array())
      told |= fit.at("law").get_string() == "power" && p.at("feasible").is_array();
  EXPECT_TRUE(told);
}

TEST_F(PointsReport, FiltersLabelsAndFactorsAreThoseOfFit) {
  std::vector<std::string> args = {"--points", file("t.csv", kTable), "--where",   "text = hard and batch_seqs = 256",
                                   "--label",  "large: N > 20",       "--factors", "wall_min"};
  args.insert(args.end(), kMapping.begin(), kMapping.end());
  const json::value document = report(args);
  ASSERT_EQ(document.at("groups").as_array().size(), 1u);
  const json::array& cells = document.at("groups").at(0).at("cells").as_array();
  EXPECT_EQ(cells.size(), 3u);
  EXPECT_EQ(cells[0].at("variant").get_string() == "large" || cells[2].at("variant").get_string() == "large", true);
  args[7] = "wall_mim";
  EXPECT_THAT(error_of(args), HasSubstr("no column 'wall_mim'; did you mean 'wall_min'?"));
}

TEST_F(PointsReport, LengthsMayFollowFromFlopsAndCheckpointsAreNoRuns) {
  std::string rows = "size,C,loss\n";
  for (int i = 0; i < 20; ++i) rows += fmt::format("{},{},{}\n", 1'000'000 + i, 6e15 * (1 + i), 3 - 0.01 * i);
  const std::string text = markdown({"--points", file("flops.csv", rows), "--map", "params=size,flops=C"}, "flops");
  EXPECT_THAT(text, HasSubstr("| 1M | 1B |"));
  EXPECT_THAT(text, HasSubstr("--map 'params=size,flops=C'"));
  std::string many = "params,tokens,loss\n";
  for (int i = 0; i <= 10'000; ++i) many += fmt::format("{},1e9,2\n", 1'000'000 + i);
  EXPECT_THAT(error_of({"--points", file("many.csv", many)}), HasSubstr("10001 points"));
}

TEST_F(PointsReport, ClaimsAreHeldAgainstTheTable) {
  const std::string claims =
      file("c.yaml",
           "facts: { datasets: { hard: { unique_tokens: 387M } } }\n"
           "claims:\n"
           "  - { name: same compute, compare: [b3_again, b4], equal: [compute], change: -0.026, "
           "wall_change: -0.25 }\n"
           "  - { name: size alone, compare: [a0, a2], differ_only: [params] }\n"
           "  - { name: one, of: x, range: [1.45, 1.55] }\n"
           "  - { name: two, of: x, value: 1.39, plus_minus: 0.05 }\n");
  std::vector<std::string> args = {"--points", file("t.csv", kTable), "--claims", claims};
  args.insert(args.end(), kMapping.begin(), kMapping.end());
  const json::value document = report(args, 1);
  const auto holds = [&](const std::string& claim, const std::string& rule) {
    std::vector<bool> found;
    for (const json::value& v : document.at("claims").as_array())
      if (v.at("claim").get_string() == claim && v.at("rule").get_string() == rule)
        found.push_back(v.at("holds").as_bool());
    return found;
  };
  EXPECT_THAT(holds("same compute", "equal-claimed"), testing::ElementsAre(false));
  EXPECT_THAT(holds("same compute", "change-claimed"), testing::ElementsAre(true, true));
  EXPECT_THAT(holds("size alone", "factors-compared"), testing::ElementsAre(false));
  EXPECT_THAT(holds("one", "disjoint-ranges"), testing::ElementsAre(false));
  double most = 0;
  for (const json::value& cell : document.at("groups").at(1).at("cells").as_array())
    if (cell.at("epochs").is_number()) most = std::max(most, at(cell, "epochs"));
  EXPECT_NEAR(most, 983.04 / 387, 1e-6);
}

TEST_F(PointsReport, CheckpointsOfRunsAreCountedInTheHead) {
  std::string rows = "run,params,tokens,loss\n";
  for (int s = 1; s <= 6; ++s)
    for (int k = 1; k <= 20; ++k)
      rows += fmt::format("r{0},{0}000000,{1}0000000,{2:.4f}\n", s, k, 4.0 - 0.1 * s - 0.02 * k);
  const std::string points = file("logs.csv", rows);
  const json::value document = report({"--points", points});
  EXPECT_EQ(at(document, "checkpoints"), 120);
  EXPECT_EQ(document.at("runs").as_array().size(), 6u);
  EXPECT_THAT(markdown({"--points", points}, "logs"), HasSubstr("6 runs, 120 checkpoints"));

  const auto fit = [&](std::vector<std::string> args, int expected) {
    args.insert(args.begin(), {"--points", points, "--resamples", "0"});
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = kFitVerb.run(kFitVerb, args);
    testing::internal::GetCapturedStderr();
    std::string out = testing::internal::GetCapturedStdout();
    EXPECT_EQ(code, expected) << out;
    return out;
  };
  EXPECT_THAT(fit({}, 1), testing::AllOf(HasSubstr("(6 runs, 120 checkpoints)"), HasSubstr("a single token budget"),
                                      HasSubstr("--law curve"), Not(HasSubstr("configurations"))));
  EXPECT_EQ(at(parse_json(fit({"--json"}, 1), "fit"), "checkpoints"), 120);
  EXPECT_THAT(fit({"--checkpoints", "all"}, 0), HasSubstr("(6 runs, 120 checkpoints)"));
}

TEST_F(PointsReport, UnfinishedRowsAreLeftOutWhateverTheirCells) {
  const json::value document =
      report({"--points", file("s.csv",
                               "params,tokens,loss,status\n1e6,1e8,3.1,keep\n2e6,1e8,2.9,discard\n4e6,1e8,,crash\n"
                               "8e6,1e8,0.0,crashed\n,,nan,oom\n16e6,1e8,0,done\n")});
  std::vector<std::string> why;
  for (const json::value& run : document.at("groups").at(0).at("left_out").as_array())
    why.emplace_back(run.at("why").get_string());
  EXPECT_THAT(why, testing::ElementsAre("failed: crashed", "failed: crashed", "failed: oom", "ended without a loss"));
  EXPECT_EQ(document.at("groups").at(0).at("cells").as_array().size(), 2u);
}

TEST_F(PointsReport, ALossFarAboveTheUniformModelsIsDivergence) {
  const auto left_out = [&](const std::string& column, const std::string& unit) {
    const json::value document =
        report({"--points",
                file("u.csv", "params,tokens," + column + ",tokenizer\n1e6,1e8,3.1,bytes256\n2e6,1e8,172,bytes256\n"),
                "--map", "loss=" + column});
    EXPECT_EQ(document.at("groups").as_array().size(), 1u) << unit;
    return document.at("groups").at(0).at("left_out").as_array().size();
  };
  EXPECT_EQ(left_out("val_bpb", "bits"), 1u);
  EXPECT_EQ(left_out("L", "not told"), 0u);
}

TEST_F(PointsReport, ATableOfResultsIsComparedWithItsBaseline) {
  const std::string lines = file("ablations.jsonl",
                                 "{\"row\":\"A6\",\"seed\":1337,\"bpb\":1.3275,\"config\":{\"x\":1}}\n"
                                 "{\"row\":\"A6\",\"seed\":42,\"bpb\":1.3265,\"config\":{\"x\":1}}\n"
                                 "{\"row\":\"A0\",\"seed\":1337,\"bpb\":1.3400,\"config\":{\"x\":0}}\n"
                                 "{\"row\":\"A0\",\"seed\":42,\"bpb\":1.3386,\"config\":{\"x\":0}}\n"
                                 "{\"row\":\"A7\",\"seed\":42,\"bpb\":1.3300,\"config\":{\"x\":2}}\n");
  const json::value document = report({"--points", lines});
  EXPECT_EQ(document.at("baseline").at("row").get_string(), "A0");
  const json::array& rows = document.at("rows").as_array();
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_NEAR(at(rows[0], "mean"), 1.327, 1e-9);
  EXPECT_EQ(at(rows[0], "n"), 2);
  EXPECT_NEAR(at(rows[0].at("difference"), "mean"), -0.0123, 1e-9);
  EXPECT_TRUE(rows[0].at("difference").at("paired").as_bool());
  EXPECT_TRUE(rows[0].at("difference").at("interval").is_array());
  EXPECT_TRUE(rows[1].at("difference").is_null());
  EXPECT_TRUE(rows[2].at("difference").at("interval").is_null());
  EXPECT_EQ(report({"--points", lines, "--baseline", "A7"}).at("baseline").at("row").get_string(), "A7");
  EXPECT_THAT(error_of({"--points", lines, "--baseline", "A77"}), HasSubstr("no 'A77'"));
  EXPECT_THAT(error_of({"--points", lines, "--target", "params=1B"}), HasSubstr("there is no law of it"));
  EXPECT_THAT(markdown({"--points", lines}, "ablations"),
              testing::AllOf(HasSubstr("# Results: ablations"), HasSubstr("taken for the baseline by its name"),
                             HasSubstr("seed by seed")));
  EXPECT_THAT(error_of({"--points", file("p.csv", "params,tokens,loss\n1e6,1e8,3\n"), "--baseline", "x"}),
              HasSubstr("--baseline is for a table of results"));
}

TEST_F(PointsReport, WrongClaimsAreToldAllAtOnceWithTheirPlaces) {
  try {
    analysis::read_claims(
        "claims:\n"
        "  - { name: a, off: x, value: many }\n"
        "  - { law: cubic }\n"
        "  - { compare: [one] }\n"
        "facts: { runs: { r: { wall: long } } }\n"
        "claim: 1\n",
        "c.yaml");
    FAIL();
  } catch (const Error& error) {
    const std::string text = error.what();
    for (const char* part :
         {"c.yaml:2:16: unknown key 'off'; did you mean 'of'?", "c.yaml:2:31: expected a number, found",
          "c.yaml:3:12: expected power or chinchilla", "expected two runs", "expected { wall: 108m }",
          "unknown key 'claim'; did you mean 'claims'?"})
      EXPECT_THAT(text, HasSubstr(part));
  }
  std::vector<std::string> args = {"--points", file("t.csv", kTable), "--claims",
                                   file("c.yaml", "claims: [{ compare: [a0, zz] }]\n")};
  args.insert(args.end(), kMapping.begin(), kMapping.end());
  EXPECT_THAT(error_of(args), HasSubstr("no run 'zz'"));
}

}  // namespace
}  // namespace bitsweep::cli
