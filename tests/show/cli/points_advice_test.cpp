// `suggest --points`, and what `report --points` advises, as a person calls them.
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cli/verb.h"

namespace bitsweep::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class PointsAdvice : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              (std::string("points_advice_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    std::string rows = "params,tokens,loss,C,lr,bs,part\n";
    for (const double n : {1e6, 3e6, 1e7, 3e7})
      for (const double d : {1e8, 3e8, 1e9})
        for (int k = -1; k <= 1; ++k) {
          const double off = k * std::log(2);
          rows += fmt::format("{},{},{:.6f},{},{},64,{}\n", n, d,
                              (1.5 + 60 / std::pow(n, 0.35) + 300 / std::pow(d, 0.35)) * std::exp(0.02 * off * off),
                              7 * n * d, 1e-3 * std::sqrt(1e7 / n) * std::pow(2, k), n < 2e6 ? "small" : "large");
        }
    file_ = (folder_ / "grid.csv").string();
    write_file_atomic(file_, rows);
  }
  std::string call(const Verb& verb, std::vector<std::string> args, int expected = 0) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    int code = -1;
    std::string thrown;
    try {
      code = verb.run(verb, args);
    } catch (const Error& error) {
      thrown = error.what();
    }
    const std::string out = testing::internal::GetCapturedStdout();
    testing::internal::GetCapturedStderr();
    if (!thrown.empty()) return thrown;
    EXPECT_EQ(code, expected);
    return out;
  }
  fs::path folder_;
  std::string file_;
};

TEST_F(PointsAdvice, SuggestTellsPlacesWithTheirRateAndCost) {
  const std::vector<std::string> base = {"--points", file_, "--map", "flops=C", "--target", "params=100M,tokens=3B"};
  std::vector<std::string> args = base;
  const std::string list = (folder_ / "next.csv").string();
  args.insert(args.end(), {"--json", "--runs", "4", "--out", list});
  const json::value document = parse_json(call(kSuggestVerb, args), "out");
  EXPECT_EQ(document.at("cost_unit").as_string(), "FLOPs");
  EXPECT_EQ(document.at("configurations").as_int64(), 12);
  ASSERT_FALSE(document.at("batch").as_array().empty());
  const json::value& first = document.at("batch").at(0);
  const double n = first.at("params").to_number<double>(), d = first.at("tokens").to_number<double>();
  EXPECT_NEAR(first.at("cost").to_number<double>() / (7 * n * d), 1, 1e-6) << "the table's FLOPs";
  EXPECT_NEAR(first.at("lr").to_number<double>() / (1e-3 * std::sqrt(1e7 / n)), 1, 0.06);
  EXPECT_THAT(read_file(list), HasSubstr("params,tokens,steps,batch,lr,expected_loss\n"));
  args = base;
  args.insert(args.end(), {"--hours", "3"});
  EXPECT_THAT(call(kSuggestVerb, args), HasSubstr("does not say how long every run took"));
  EXPECT_THAT(call(kSuggestVerb, {"--points", file_}), HasSubstr("say what to predict: --target"));
  EXPECT_THAT(call(kSuggestVerb, {"--points", file_, "--target", "params=1e15,tokens=1e17"}),
              HasSubstr("no law is trusted beyond 1,000 times"));
  EXPECT_THAT(call(kSuggestVerb, {}), HasSubstr("expected SWEEP… or --points"));
}

TEST_F(PointsAdvice, OneBudgetIsDividedAmongVariants) {
  std::string rows = "variant,params,tokens,loss\n";
  for (const double n : {1e6, 3e6, 1e7, 3e7})
    for (const double d : {1e8, 3e8, 1e9})
      for (const double eff : {1.0, 0.4})
        rows += fmt::format("{},{},{},{:.6f}\n", eff == 1 ? "llama" : "v57", n, d,
                            1.5 + 60 / std::pow(eff * n, 0.35) + 300 / std::pow(d, 0.35));
  const std::string file = (folder_ / "two.csv").string();
  write_file_atomic(file, rows);
  const std::vector<std::string> args = {"--points", file,   "--target", "params=100M,tokens=3B", "--out", "-",
                                         "--budget", "1e18", "--json"};
  const json::value documents = parse_json(call(kSuggestVerb, args), "out");
  double spent = 0;
  for (const json::value& document : documents.as_array())
    for (const json::value& run : document.at("batch").as_array()) spent += run.at("cost").to_number<double>();
  EXPECT_EQ(documents.as_array().size(), 2u);
  EXPECT_GT(spent, 0);
  EXPECT_LE(spent, 1e18 * (1 + 1e-9));
}

TEST_F(PointsAdvice, VariantsThatAreSizesMayBePooled) {
  std::string rows = "variant,params,tokens,loss\n";
  for (const double n : {1e6, 3e6, 1e7, 3e7})
    for (const double d : {1e8, 3e8, 1e9})
      rows += fmt::format("{}M,{},{},{:.6f}\n", n / 1e6, n, d, 1.5 + 60 / std::pow(n, 0.35) + 300 / std::pow(d, 0.35));
  const std::string file = (folder_ / "sizes.csv").string();
  write_file_atomic(file, rows);
  const auto report = [&](std::vector<std::string> more) {
    std::vector<std::string> args = {"--points", file, "--json"};
    args.insert(args.end(), more.begin(), more.end());
    const json::value document = parse_json(call(kReportVerb, args), "out");
    std::set<std::string> variants;
    for (const json::value& fit : document.at("groups").at(0).at("fits").as_array())
      variants.emplace(fit.at("variant").as_string());
    return variants.size();
  };
  EXPECT_EQ(report({}), 4u);
  EXPECT_EQ(report({"--pool"}), 1u);
  EXPECT_THAT(call(kReportVerb, {"--points", file, "--checkpoints", "all"}), HasSubstr("is for fit: last or none"));
  EXPECT_THAT(call(kReportVerb, {"sweep", "--pool"}), HasSubstr("--pool is for --points FILE.csv"));
}

TEST_F(PointsAdvice, ReportRecommendsAndListsNextRuns) {
  call(kReportVerb, {"--points", file_, "--map", "flops=C", "--target", "params=100M,tokens=3B", "--out",
                     folder_.string(), "--name", "r"});
  const std::string text = read_file(folder_ / "r" / "report.md");
  for (const char* words :
       {"Learning rate and batch", "12 of 12 places", "Recommended configuration", "| FLOPs (6 N D) | 2.10×10¹⁸ (",
        "Next runs", "`next-model.yaml`", "a table says nothing of shapes and memory"})
    EXPECT_THAT(text, HasSubstr(words));
  EXPECT_THAT(read_file(folder_ / "r" / "next-model.yaml"), HasSubstr("places alone, no sweep file"));
}

TEST_F(PointsAdvice, ReportTakesTheOptionsOfFit) {
  const auto cells = [&](std::vector<std::string> more) {
    std::vector<std::string> args = {"--points", file_, "--json"};
    args.insert(args.end(), more.begin(), more.end());
    return parse_json(call(kReportVerb, args), "out").at("runs").as_array().size();
  };
  EXPECT_EQ(cells({}), 36u);
  EXPECT_EQ(cells({"--where", "part = small or params >= 30M"}), 18u);
  EXPECT_EQ(cells({"--drop-largest-loss", "5"}), 31u);
  EXPECT_THAT(call(kReportVerb, {"--points", file_, "--drop-largest-loss", "36"}), HasSubstr("leaves no run"));
}

}  // namespace
}  // namespace bitsweep::cli
