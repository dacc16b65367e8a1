#include "report/report.h"

#include <set>

#include "base/error.h"
#include "render/xml_check.h"
#include "report/rendered.h"

namespace bitsweep::report {
namespace {

using testing::HasSubstr;
using testing::Not;

std::set<std::string> names(const std::vector<ReportFile>& files) {
  std::set<std::string> out;
  for (const ReportFile& file : files) out.insert(file.name);
  return out;
}

fs::path fresh_folder() {
  const auto* info = testing::UnitTest::GetInstance()->current_test_info();
  const fs::path folder = fs::path(testing::TempDir()) / "bitsweep_report" / info->name();
  fs::remove_all(folder);
  return folder;
}

// What must hold of any report, whatever the data are.
void expect_sound(const std::vector<ReportFile>& files) {
  for (const ReportFile& file : files) {
    if (file.name.find(".svg") != std::string::npos) {
      EXPECT_EQ(render::xml_problem(file.bytes), "") << file.name;
    }
    for (const char* bad : {"NaN", "nan ", " nan", "-nan", " inf,", " inf ", "\"inf"})
      EXPECT_EQ(file.bytes.find(bad), std::string::npos) << file.name << " holds '" << bad << "'";
  }
  const std::string markdown = file_of(files, "report.md"), html = file_of(files, "report.html");
  parse_json(file_of(files, "report.json"), "report.json");
  for (size_t at = 0; (at = markdown.find("](", at)) != std::string::npos; ++at) {
    const std::string file = markdown.substr(at + 2, markdown.find(')', at) - at - 2);
    EXPECT_NE(file_of(files, file), "") << "no file " << file;
  }
  EXPECT_THAT(html, Not(HasSubstr("src=")));  // self-contained
  EXPECT_THAT(html, Not(HasSubstr("href=")));
  EXPECT_EQ(markdown.back(), '\n');
}

TEST(Report, AQuickstartHasItsSectionsAndFigures) {
  const auto files = render_report(analysis::made_input(analysis::quickstart_runs()));
  expect_sound(files);
  EXPECT_THAT(names(files), testing::IsSupersetOf({"report.md", "report.html", "report.json", "curves.svg",
                                                   "params.svg", "tokens.svg", "compute.svg"}));
  const std::string markdown = file_of(files, "report.md");
  for (const char* heading :
       {"# Scaling report: made\n", "## Decision\n", "## Summary\n", "<b>Measured runs</b>", "### Yardsticks\n",
        "<b>Scaling relations</b>", "<b>Variant against variant</b>", "<b>Fitted laws</b>", "## Keep in mind\n",
        "<b>What is missing</b>", "<b>Where this comes from</b>"})
    EXPECT_THAT(markdown, HasSubstr(heading));
  EXPECT_THAT(markdown, HasSubstr("| v57 | 100k | 2M | 0.056 | 32 | 0.0010 |"));
  EXPECT_THAT(markdown, HasSubstr("![Validation loss during training](curves.svg)"));
}

TEST(Report, IsTheSameToTheByteWhenRenderedTwice) {
  for (const auto& runs : {analysis::quickstart_runs(), analysis::ladder_runs()}) {
    analysis::ReportInput input = analysis::made_input(runs);
    input.targets = {{3e8, 1e9, "", ""}};
    const auto first = render_report(input), second = render_report(input);
    ASSERT_EQ(first.size(), second.size());
    for (size_t i = 0; i < first.size(); ++i) EXPECT_EQ(first[i].bytes, second[i].bytes) << first[i].name;
  }
}

// Three sizes and three parameters: the law goes through the points, and nothing is left over to judge it by.
TEST(Report, AnExactFitIsDrawnButNotClaimed) {
  const auto files = render_report(analysis::made_input(analysis::quickstart_runs()));
  const std::string markdown = file_of(files, "report.md");
  EXPECT_THAT(markdown, HasSubstr("| v57 at 4M tokens | L = E + A / N^alpha | 3 |"));
  EXPECT_THAT(markdown, HasSubstr("dashed where it extrapolates"));
  EXPECT_THAT(markdown, Not(HasSubstr("follows L =")));
  EXPECT_THAT(names(files), Not(testing::Contains("residuals.svg")));
}

TEST(Report, RefusesInWordsWhatFewRunsCannotCarry) {
  analysis::ReportInput input = analysis::made_input({{"v57", 1e5, 2e6}, {"v57", 1e6, 2e6}});
  input.targets = {{3e8, 1e9, "", ""}};
  const std::string markdown = markdown_of(input);
  EXPECT_THAT(markdown, HasSubstr("What is not claimed, and why:"));
  EXPECT_THAT(markdown, HasSubstr("| no |"));
  EXPECT_THAT(markdown, Not(HasSubstr("is predicted to reach")));
  EXPECT_THAT(markdown, HasSubstr("<b>Predictions</b>"));
}

TEST(Report, PredictsWithIntervalsWhatALadderCarries) {
  analysis::ReportInput input = analysis::made_input(analysis::ladder_runs());
  input.targets = {{1e8, 1e9, "", ""}};
  const auto files = render_report(input);
  expect_sound(files);
  const std::string markdown = file_of(files, "report.md");
  EXPECT_THAT(markdown, HasSubstr("95 % interval"));
  EXPECT_THAT(markdown, HasSubstr("± ")) << "seeds have a spread";
  EXPECT_THAT(names(files), testing::Contains("residuals.svg"));
  EXPECT_THAT(file_of(files, "params.svg"), HasSubstr("1B tokens: no run yet"));
  EXPECT_THAT(file_of(files, "params.svg"), HasSubstr("stroke-dasharray"));
}

TEST(Report, NoRunsOneRunAndFailuresOnlyAreStillReports) {
  expect_sound(render_report(analysis::made_input({})));
  EXPECT_THAT(markdown_of(analysis::made_input({})), HasSubstr("There are no runs yet."));
  const auto one = render_report(analysis::made_input({{"v57", 1e6, 4e6}}));
  expect_sound(one);
  EXPECT_THAT(names(one), Not(testing::Contains("params.svg")));
  analysis::ReportInput failed = analysis::made_input(analysis::quickstart_runs());
  for (analysis::MeasuredRun& run : failed.runs) {
    run.row.state = RunState::failed;
    run.row.exit_cause = "diverged";
    run.row.message = "loss | is <not> finite\n";
    run.row.last_val_bpc.reset(), run.row.best_val_bpc.reset();
    for (query::EvalRow& e : run.curve) e.val_bpc.reset();
  }
  const auto files = render_report(failed);
  expect_sound(files);
  EXPECT_THAT(file_of(files, "report.md"), HasSubstr("No run has finished"));
  EXPECT_THAT(file_of(files, "report.md"), HasSubstr("loss \\| is &lt;not&gt; finite"));
  EXPECT_EQ(names(files),
            (std::set<std::string>{"report.md", "report.html", "report.json", "table-measured-runs.csv"}));
}

TEST(Report, OfThirtyRunsTakesTwoHundredAndFiftyLines) {
  std::vector<analysis::Made> runs;
  for (const char* variant : {"v57", "llama"})
    for (const double params : {1e5, 2e5, 4e5, 8e5, 1.6e6})
      for (const double tokens : {2e6, 4e6, 8e6}) runs.push_back({variant, params, tokens});
  analysis::ReportInput input = analysis::made_input(runs);
  input.targets = {{1e7, 4e7, "", ""}};
  const std::string markdown = markdown_of(input);
  EXPECT_LE(std::count(markdown.begin(), markdown.end(), '\n'), 250);
}

TEST(Report, ManyRunsAreFoldedAndToldByTheirMiddle) {
  const std::string many = markdown_of(analysis::made_input(analysis::scattered_runs(120)));
  EXPECT_THAT(many, testing::ContainsRegex("\\[1[0-9]+ more\\]\\(table-measured-runs.csv\\)"));
  EXPECT_THAT(many, HasSubstr("by a median of"));
  EXPECT_THAT(many, HasSubstr("of those with the most runs"));
  const std::string few = markdown_of(analysis::made_input(analysis::quickstart_runs()));
  EXPECT_THAT(few, Not(HasSubstr("configurations</summary>")));
  EXPECT_THAT(few, Not(HasSubstr("by a median of")));
}

TEST(Report, MissingValuesAreDashes) {
  analysis::ReportInput input = analysis::made_input(analysis::quickstart_runs());
  for (analysis::MeasuredRun& run : input.runs) {
    run.row.wall_s.reset(), run.row.tokens_per_s.reset(), run.row.epochs.reset(), run.row.flops.reset(),
        run.row.best_val_bpc.reset();
    run.curve.clear(), run.start = {}, run.row.spec = {}, run.row.dataset.clear(), run.row.ended.reset();
  }
  input.datasets.clear();
  const auto files = render_report(input);
  expect_sound(files);
  EXPECT_THAT(names(files), Not(testing::Contains("curves.svg")));
  EXPECT_THAT(file_of(files, "report.md"), HasSubstr("| – | – | – |"));
}

TEST(Report, HostileNamesAreTextEverywhere) {
  analysis::ReportInput input = analysis::made_input(analysis::quickstart_runs(), "a|b <c> \"d\" `e`");
  for (size_t i = 0; i < input.runs.size(); i += 2) {
    input.runs[i].row.plugin = "/x/<b>&\"'|`$.so";
    input.runs[i].row.spec["model"].as_object()["plugin"] = "/x/<b>&\"'|`$.so";
  }
  input.datasets[0].name = "</svg><script>alert(1)</script>|";
  const auto files = render_report(input);
  expect_sound(files);
  for (const ReportFile& file : files)
    if (file.name != "report.json") {
      EXPECT_THAT(file.bytes, Not(HasSubstr("<script"))) << file.name;
    }
  // No cell has broken out of its table.
  const std::string markdown = file_of(files, "report.md");
  const size_t at = markdown.find("| variant | params | tokens | epochs");
  const std::string header = markdown.substr(at, markdown.find('\n', at) - at);
  const size_t row_at = markdown.find("\n| &lt;b&gt;", at);
  ASSERT_NE(row_at, std::string::npos);
  std::string row = markdown.substr(row_at + 1, markdown.find('\n', row_at + 1) - row_at - 1);
  for (size_t e; (e = row.find("\\|")) != std::string::npos;) row.erase(e, 2);
  EXPECT_EQ(std::count(row.begin(), row.end(), '|'), std::count(header.begin(), header.end(), '|'));
}

TEST(Report, GroupsThatCannotBeComparedAreApart) {
  analysis::ReportInput input = analysis::made_input(analysis::quickstart_runs());
  for (size_t i = 0; i < 6; ++i) input.runs[i].row.spec["data"].as_object()["context"] = 128;
  const auto files = render_report(input);
  expect_sound(files);
  const std::string markdown = file_of(files, "report.md");
  EXPECT_THAT(markdown, HasSubstr("<b>headers, ascii128, context 128</b>"));
  EXPECT_THAT(markdown, HasSubstr("<b>headers, ascii128, context 64</b>"));
  EXPECT_THAT(markdown, HasSubstr("The runs fall into 2 groups"));
  EXPECT_THAT(names(files), testing::IsSupersetOf({"curves.svg", "curves-2.svg"}));
}

// Only a report on an induction task speaks of answers.
TEST(Report, AnswersOfAnInductionTaskAreAColumnWithItsChance) {
  analysis::ReportInput input = analysis::made_input({{"v57"}, {"llama"}, {"llama", 1e6, 4e6, 1e-3, 1}});
  EXPECT_THAT(markdown_of(input), Not(HasSubstr("answers right")));
  EXPECT_THAT(file_of(render_report(input), "report.json"), Not(HasSubstr("answer_accuracy")));
  for (analysis::MeasuredRun& run : input.runs) run.start["val_answers"] = 4567, run.start["answer_chance"] = 1.0 / 26;
  input.runs[0].row.metrics["answer_accuracy"] = 0.031;
  input.runs[1].row.metrics["answer_accuracy"] = 0.97;
  input.runs[2].row.metrics["answer_accuracy"] = 0.98;
  const std::string text = markdown_of(input);
  EXPECT_THAT(text, HasSubstr("out of 4,567"));
  EXPECT_THAT(text, HasSubstr("Chance is 3.8 %."));
  EXPECT_THAT(text, HasSubstr("answers right"));
  EXPECT_THAT(text, HasSubstr("| 3.1 % |"));
  EXPECT_THAT(text, HasSubstr("| 97.5 % ± 6.4 |"));
  EXPECT_THAT(file_of(render_report(input), "report.json"), HasSubstr("answer_accuracy"));
}

TEST(Report, TasksAreColumnsWithWhatTheyAre) {
  analysis::ReportInput input = analysis::made_input({{"v57"}, {"llama"}});
  input.kinds.put({"arc.acc", Better::higher, "fraction", 0.25, "questions answered rightly"});
  input.runs[0].row.metrics = {{"arc.acc", 0.5}, {"arc.acc_norm", 0.75}};
  const std::string text = markdown_of(input);
  EXPECT_THAT(text, HasSubstr("arc.acc: questions answered rightly; by chance 25.0 %."));
  EXPECT_THAT(text, HasSubstr("| arc.acc |"));
  EXPECT_THAT(text, HasSubstr("| 50.0 % |"));
  EXPECT_THAT(text, Not(HasSubstr("arc.acc_norm")));
  EXPECT_THAT(file_of(render_report(input), "report.json"), HasSubstr("\"arc.acc\""));
}

TEST(Report, JsonHoldsEveryFigure) {
  const analysis::ReportInput input = analysis::made_input(analysis::quickstart_runs());
  const json::value document = parse_json(file_of(render_report(input), "report.json"), "report.json");
  const json::object& group = document.at("groups").at(0).as_object();
  EXPECT_EQ(group.at("cells").as_array().size(), 18u);
  EXPECT_NEAR(group.at("cells").at(0).at("final_val_bpc").at("mean").to_number<double>(),
              analysis::law("v57", 1e5, 2e6), 1e-9);
  EXPECT_EQ(group.at("param_steps").as_array().size(), 12u);
  EXPECT_EQ(group.at("token_steps").as_array().size(), 9u);
  EXPECT_EQ(group.at("variant_gaps").as_array().size(), 18u);
  EXPECT_EQ(group.at("fits").as_array().size(), 9u);
  EXPECT_EQ(group.at("dataset").at("ngram_bpb").as_array().size(), 4u);
  EXPECT_EQ(document.at("runs").as_array().size(), 18u);
  EXPECT_FALSE(group.at("figures").as_array().empty());
}

TEST(Report, PointsFromAFileMakeAReportToo) {
  std::vector<fit::Point> points;
  for (const double params : {5.52e6, 13.7e6, 46.45e6}) {
    fit::Point p;
    p.params = params;
    p.tokens = 983.04e6;
    p.loss = 1.0 + 1.76 / std::pow(params / 1e6, 0.218);
    p.variant = "v57";
    p.dataset = "GLM";
    points.push_back(p);
  }
  const auto files =
      render_report(analysis::report_from_points(points, "glm", "bitsweep report --points glm.csv", "0.1.0"));
  expect_sound(files);
  const std::string markdown = file_of(files, "report.md");
  EXPECT_THAT(markdown, HasSubstr("GLM"));
  EXPECT_THAT(markdown, HasSubstr("5.52M → 13.7M"));
  EXPECT_THAT(markdown, HasSubstr("bitsweep report --points glm.csv"));
}

TEST(Report, IsWrittenWholeAndDropsFiguresThatAreNoMore) {
  const fs::path folder = fresh_folder();
  const fs::path path = write_report(folder, "made", render_report(analysis::made_input(analysis::quickstart_runs())));
  EXPECT_EQ(path, folder / "made" / "report.md");
  EXPECT_TRUE(fs::exists(folder / "made" / "params.svg"));
  write_file_atomic(folder / "made" / "notes.txt", "mine");
  write_report(folder, "made", render_report(analysis::made_input({{"v57", 1e6, 4e6}})));
  EXPECT_FALSE(fs::exists(folder / "made" / "params.svg"));
  EXPECT_TRUE(fs::exists(folder / "made" / "notes.txt"));
  for (const auto& entry : fs::directory_iterator(folder / "made"))
    EXPECT_EQ(entry.path().string().find(".tmp"), std::string::npos);
}

TEST(Report, NamesThatAreNoFolderAreRefused) {
  const fs::path folder = fresh_folder();
  for (const char* bad : {"", ".", "..", "a/b", "../x"}) EXPECT_THROW(write_report(folder, bad, {}), Error) << bad;
  EXPECT_FALSE(fs::exists(folder));
}

TEST(Report, AFolderThatCannotBeMadeIsAnEnvironmentError) {
  const fs::path folder = fresh_folder();
  make_folder(folder);
  write_file_atomic(folder / "made", "a file where the folder should be");
  try {
    write_report(folder, "made", render_report(analysis::made_input({})));
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::environment);
  }
}

}  // namespace
}  // namespace bitsweep::report
