// One sweep with a grid of learning rates and one of an option: `fit`, `report`, `suggest` and claims speak of the same
// variants, settings and points, and so do predictions.
#include "analysis/law_points.h"

#include <cmath>
#include <exception>
#include <set>

#include <fmt/format.h>

#include "analysis/analysis.h"
#include "analysis/law_data.h"
#include "analysis/other_loss.h"
#include "analysis/sweep_points.h"
#include "base/json.h"
#include "cli/verb.h"
#include "query/query_fixture.h"

namespace bitsweep::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Points as lines: run, size, length, unique tokens, loss, seed, variant, text.
using Seen = std::set<std::string>;

std::string line_of(const fit::Point& p) {
  return fmt::format("{} {} {} {} {} {} {} {}", p.run, p.params, p.tokens, p.unique_tokens, p.loss,
                     p.seed ? std::to_string(*p.seed) : "-", p.variant, p.dataset);
}

Seen seen(const std::vector<fit::Point>& points) {
  Seen lines;
  for (const fit::Point& p : points) lines.insert(line_of(p));
  return lines;
}

class LawPointsTest : public query::QueryTest {
 protected:
  // 3 sizes × 3 lengths × 2 rates × 2 attentions × seeds; which rate is better differs from place to place. A setting
  // that is waited for and a run that diverged are there too.
  void SetUp() override {
    store::NewSweep sweep;
    sweep.name = "grid";
    sweep.file = "grid.yaml";
    sweep.source = "{}";
    for (int size = 0; size < 3; ++size)
      for (int length = 0; length < 3; ++length)
        for (int rate = 0; rate < 2; ++rate)
          for (int alibi = 0; alibi < 2; ++alibi)
            for (int seed = 0; seed < seeds; ++seed) sweep.runs.push_back(run(size, length, rate, alibi, seed));
    store.submit(sweep);
    for (const store::NewRun& one : sweep.runs) finish(one.id, {loss_of(one)}, RunState::done, ExitCause::none);
  }

  static store::NewRun run(int size, int length, int rate, int alibi, int seed) {
    const double lr = rate == 0 ? 1e-3 : 4e-3;
    store::NewRun run =
        query::planned(fmt::format("{:x}{:x}{:x}{:x}{:x}0000000", 0xa + size, length, rate, alibi, seed), "v76",
                       int64_t{10000} << size, lr, seed);
    run.tokens = int64_t{500000} << length;
    run.epochs = static_cast<double>(run.tokens) / 900.5;  // not to the digit what the data set has
    run.spec["model"].as_object()["alibi"] = alibi == 1;
    run.axes["model.alibi"] = alibi == 1;
    return run;
  }
  static double loss_of(const store::NewRun& run) {
    const bool alibi = run.spec.at("model").at("alibi").as_bool();
    const bool high = run.spec.at("train").at("lr").as_double() > 2e-3;
    const bool better = high == (run.params < 30000);  // small models like the high rate
    const auto n = static_cast<double>(run.params), d = static_cast<double>(run.tokens);
    return (alibi ? 1.0 : 1.1) + std::pow(n / 1e4, -0.3) + std::pow(d / 1e6, -0.35) + (better ? 0 : 0.2) +
           1e-3 * static_cast<double>(run.seed);
  }

  // Standard output of a verb. Throws what it throws.
  std::string out(const Verb& verb, std::vector<std::string> args) {
    args.insert(args.end(), {"--root", root.string()});
    testing::internal::CaptureStdout();
    std::exception_ptr failed;
    try {
      verb.run(verb, args);
    } catch (...) {
      failed = std::current_exception();
    }
    const std::string text = testing::internal::GetCapturedStdout();
    if (failed) std::rethrow_exception(failed);
    return text;
  }

  analysis::SweepPoints fit_points(bool all_settings = false) const {
    analysis::SweepPointsOptions options;
    options.all_settings = all_settings;
    return points_of_sweeps(query::Query(root), {"grid"}, options);
  }

  static constexpr int seeds = 2;
};

TEST_F(LawPointsTest, FourVerbsTakeTheSamePointsOfEachVariant) {
  std::map<std::string, Seen> fit, report, suggest;
  for (const fit::Point& p : fit_points().points) fit[p.variant].insert(line_of(p));
  analysis::ReportInput input = analysis::gather_report(query::Query(root), {"grid"}, "", "0");
  analysis::Claim claim;
  claim.law = "chinchilla";
  claim.target = fit::Target{};
  claim.target->params = 1e5;
  claim.target->tokens = 4e6;
  const analysis::Analysis analysis = analyse(input);
  ASSERT_EQ(analysis.groups.size(), 1u);
  for (const analysis::LawFit& law : analysis.groups[0].fits)
    if (kept_for_later(law)) report[law.variant] = seen(law.points);
  for (const analysis::LawData& law : analysis::law_data(query::Query(root), {"grid"}).laws)
    suggest[law.variant] = seen(law.points);

  ASSERT_EQ(fit.size(), 2u);
  EXPECT_EQ(fit.begin()->first, "v76 (alibi=false)");
  EXPECT_EQ(fit["v76 (alibi=true)"].size(), 3u * 3 * seeds);
  EXPECT_EQ(fit, report);
  EXPECT_EQ(fit, suggest);
  // The best rate of each place, and none of the other.
  for (const auto& [variant, lines] : fit)
    for (const std::string& line : lines) {
      const bool small = line[0] != 'c';
      EXPECT_EQ(line[2], small ? '1' : '0') << line;
      EXPECT_THAT(line, HasSubstr(" 900 ")) << "unique tokens are the data set's";
    }
  // A claim's points are those of the runs that it names, as the law of their variant has them.
  for (const fit::Point& p : analysis.groups[0].fits[0].points) claim.runs.push_back(p.run);
  input.claims = {claim};
  const analysis::Analysis checked = analyse(input);
  ASSERT_EQ(checked.verdicts.size(), 1u);
  fit::FitOptions options;
  options.noise = claim.noise;
  options.second_opinions = false;
  const fit::FitResult same = fit_law(analysis.groups[0].fits[0].points, options);
  ASSERT_TRUE(same.param("alpha"));
  double alpha = 0;
  for (const auto& [name, value] : checked.verdicts[0].figures)
    if (name == "alpha") alpha = value;
  EXPECT_EQ(alpha, *same.param("alpha"));
}

TEST_F(LawPointsTest, TheVerbsPrintTheSameLawsOfTheSameVariants) {
  std::map<std::string, int64_t> fit, report;
  const json::value fitted = parse_json(out(kFitVerb, {"grid", "--json", "--resamples", "0"}), "fit");
  for (const json::value& law : fitted.as_array())
    fit[std::string(law.at("variant").as_string())] = law.at("points").to_number<int64_t>();
  const json::value told = parse_json(out(kReportVerb, {"grid", "--json"}), "report");
  for (const json::value& law : told.at("groups").at(0).at("fits").as_array())
    if (law.at("law").as_string() == "chinchilla")
      report[std::string(law.at("variant").as_string())] = law.at("points").to_number<int64_t>();
  EXPECT_EQ(fit, report);
  EXPECT_EQ(fit, (std::map<std::string, int64_t>{{"v76 (alibi=false)", 18}, {"v76 (alibi=true)", 18}}));
}

TEST_F(LawPointsTest, PoolAndAllSettingsAskForElse) {
  EXPECT_EQ(fit_points().left_out.size(), 1u) << "the other rates are told";
  EXPECT_EQ(fit_points(true).points.size(), 72u);
  EXPECT_TRUE(fit_points(true).left_out.empty());
  const auto points = [&](std::vector<std::string> options) {
    options.insert(options.begin(), {"grid", "--json", "--resamples", "0"});
    const json::value law = parse_json(out(kFitVerb, options), "fit");
    std::vector<int64_t> counts;
    for (const json::value& one : law.is_array() ? law.as_array() : json::array{law})
      counts.push_back(one.at("points").to_number<int64_t>());
    return counts;
  };
  EXPECT_THAT(points({"--pool"}), ElementsAre(36));
  EXPECT_THAT(points({"--all-settings"}), ElementsAre(36, 36));
  EXPECT_THAT(points({"--pool", "--all-settings"}), ElementsAre(72));
  EXPECT_THAT(points({"--variant", "v76 (alibi=true)"}), ElementsAre(18));
  EXPECT_THAT(points({"--where", "params < 15000"}), ElementsAre(6, 6));
  EXPECT_THAT(query::thrown([&] {
                out(kFitVerb, {"grid", "--pool", "--law", "precision"});
              }),
              HasSubstr("--pool: the law"));
  EXPECT_THAT(query::thrown([&] {
                out(kFitVerb, {"grid", "--variant", "v76"});
              }),
              HasSubstr("there are v76 (alibi=false), v76 (alibi=true)"));
}

// Laws of a task: the points are the same runs, their loss the task's.
TEST_F(LawPointsTest, AnyMetricThatFallsMayBeTheLoss) {
  const MetricKind kinds[] = {{"arc.bpb", Better::lower, "bits per byte", {}, "loss"},
                              {"arc.acc", Better::higher, "fraction", 0.25, "right"}};
  store.put_metric_kinds(kinds, 1);
  const analysis::SweepPoints by_loss = fit_points();
  for (const fit::Point& p : by_loss.points) {
    const bool lacks = p.run == by_loss.points[0].run;
    const std::vector<std::pair<std::string, double>> told{{"arc.acc", 0.3}, {"arc.bpb", 2 * p.loss}};
    store.put_metrics(p.run, 1, 10, std::span(told).first(lacks ? 1 : 2));
  }
  analysis::SweepPointsOptions options;
  options.loss = "arc.bpb";
  const analysis::SweepPoints of_task = points_of_sweeps(query::Query(root), {"grid"}, options);
  ASSERT_EQ(of_task.points.size(), by_loss.points.size() - 1);
  for (size_t i = 0; i < of_task.points.size(); ++i) {
    EXPECT_EQ(of_task.points[i].run, by_loss.points[i + 1].run);
    EXPECT_EQ(of_task.points[i].loss, 2 * by_loss.points[i + 1].loss);
  }
  EXPECT_EQ(of_task.left_out.at("no arc.bpb above 0 was told"), 37);  // and the 36 of other settings
  const auto refused = [&](const std::string& loss) {
    return query::thrown([&] { out(kFitVerb, {"grid", "--loss", loss}); });
  };
  EXPECT_THAT(refused("arc.acc"), HasSubstr("--loss arc.acc: of it more is better, and a law is of a loss, which "
                                            "falls; losses here: val_bpc, arc.bpb"));
  EXPECT_THAT(refused("arc.bbp"), HasSubstr("no run has told it; did you mean 'arc.bpb'?"));
  EXPECT_THAT(out(kFitVerb, {"grid", "--loss", "arc.bpb", "--resamples", "0"}), HasSubstr("v76 (alibi=true)"));
  EXPECT_EQ(store.database().integer("SELECT count(*) FROM fit"), 0);  // it would be taken for one of the loss
}

// Losses on other questions are other losses, of a fit as of a report.
TEST_F(LawPointsTest, RunsThatWereAskedOtherwiseAreApart) {
  const MetricKind kinds[] = {{"arc.acc", Better::higher, "fraction", 0.25, "right"},
                              {"arc.bpb", Better::lower, "bits per byte", {}, "loss"}};
  store.put_metric_kinds(kinds, 1);
  for (const fit::Point& p : fit_points().points) {
    const std::vector<std::pair<std::string, double>> told{
        {"arc.acc", 0.3}, {"arc.bpb", p.loss}, {"arc.n", p.params > 30000 ? 56 : 40}};
    store.put_metrics(p.run, 1, 10, told);
  }
  analysis::SweepPointsOptions options;
  options.loss = "arc.bpb";
  std::set<std::string> datasets;
  for (const fit::Point& p : points_of_sweeps(query::Query(root), {"grid"}, options).points)
    datasets.insert(p.dataset.substr(p.dataset.rfind(',') + 2));
  EXPECT_THAT(datasets, ElementsAre("n=40", "n=56"));
}

// A report of a task speaks of the points that `fit` takes, and says what its losses are.
TEST_F(LawPointsTest, AReportMayBeOfAnotherLoss) {
  const MetricKind kinds[] = {{"arc.bpb", Better::lower, "bits per byte", {}, "loss on the right choices"},
                              {"arc.acc", Better::higher, "fraction", 0.25, "right"}};
  store.put_metric_kinds(kinds, 1);
  const analysis::SweepPoints by_loss = fit_points();
  for (const fit::Point& p : fit_points(/*all_settings=*/true).points) {
    const bool lacks = p.run == by_loss.points[0].run;
    const std::vector<std::pair<std::string, double>> told{{"arc.acc", 0.3}, {"arc.bpb", 5 - p.loss}};
    store.put_metrics(p.run, 1, 10, std::span(told).first(lacks ? 1 : 2));
  }
  analysis::SweepPointsOptions options;
  options.loss = "arc.bpb";
  analysis::ReportInput input = analysis::gather_report(query::Query(root), {"grid"}, "", "0");
  take_loss(query::Query(root), "arc.bpb", input);
  Seen report;
  const analysis::Analysis analysis = analyse(input);
  ASSERT_EQ(analysis.groups.size(), 1u);
  for (const analysis::LawFit& law : analysis.groups[0].fits)
    if (kept_for_later(law))
      for (const std::string& line : seen(law.points)) report.insert(line);
  // The best rate of a place is that of the validation loss, and here the worst of the metric.
  EXPECT_EQ(report, seen(points_of_sweeps(query::Query(root), {"grid"}, options).points));
  EXPECT_EQ(report.size(), by_loss.points.size() - 1);

  const auto refused = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "--loss");
    return query::thrown([&] { out(kReportVerb, words); });
  };
  EXPECT_THAT(refused({"arc.acc", "grid"}), HasSubstr("of it more is better, and a law is of a loss, which falls"));
  EXPECT_THAT(refused({"arc.bbp", "grid"}), HasSubstr("no run has told it; did you mean 'arc.bpb'?"));
  EXPECT_THAT(refused({"arc.bpb", "--points", "t.csv"}), HasSubstr("of a file: --map loss=COLUMN"));

  const fs::path reports = root / "reports";
  out(kReportVerb, {"grid", "--loss", "arc.bpb", "--out", reports.string()});
  EXPECT_FALSE(fs::exists(reports / "grid"));  // that of the validation loss is another
  const std::string text = read_file(reports / "grid-arc.bpb/report.md");
  EXPECT_THAT(text, HasSubstr("# Scaling report: grid-arc.bpb, by arc.bpb\n"));
  EXPECT_THAT(text, HasSubstr("In the place of the validation loss stands arc.bpb: bits per byte; loss on the right "
                              "choices; lower is better."));
  EXPECT_THAT(text, HasSubstr("no arc.bpb above 0 was told"));
  const std::string figure = read_file(reports / "grid-arc.bpb/params.svg");
  EXPECT_THAT(figure, HasSubstr("final arc.bpb (bits per byte, lower is better)"));
  EXPECT_THAT(figure, HasSubstr("arc.bpb against parameters"));
  EXPECT_THAT(figure, Not(HasSubstr("validation loss")));
  const json::value document = parse_json(read_file(reports / "grid-arc.bpb/report.json"), "report");
  EXPECT_EQ(document.at("loss").at("name"), "arc.bpb");
  EXPECT_EQ(document.at("loss").at("direction"), "lower");
  EXPECT_EQ(document.at("source"), "bitsweep report grid --loss arc.bpb");
  EXPECT_EQ(store.database().integer("SELECT count(*) FROM fit"), 0);  // it would be taken for one of the loss
}

// Settings at one place are no seeds: their scatter is not told as that of seeds.
TEST_F(LawPointsTest, SeedsAloneAreToldOnlyOfSeeds) {
  EXPECT_THAT(out(kFitVerb, {"grid", "--resamples", "0"}), HasSubstr("repeated seeds alone"));
  EXPECT_THAT(out(kFitVerb, {"grid", "--resamples", "0", "--pool", "--all-settings"}),
              Not(HasSubstr("repeated seeds alone")));
}

}  // namespace
}  // namespace bitsweep::cli
