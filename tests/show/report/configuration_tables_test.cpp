// Tables with a row a configuration: by which settings rows differ, how tasks were asked, what training did to them.
#include "report/setting_columns.h"

#include "report/before_after_section.h"
#include "report/measured_section.h"
#include "report/rendered.h"

namespace bitsweep::report {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

analysis::ReportInput alike_runs(size_t count) {
  std::vector<analysis::Made> runs;
  for (size_t i = 0; i < count; ++i) runs.push_back({"llama", 1e5, 2e6, 1e-3, 0, 32, 0.01 * static_cast<double>(i)});
  analysis::ReportInput input = analysis::made_input(runs);
  for (size_t i = 0; i < count; ++i) input.runs[i].row.id = fmt::format("{:012x}", i);
  return input;
}

void set(analysis::ReportInput& input, const char* section, const char* key, const std::vector<json::value>& values) {
  for (size_t i = 0; i < values.size(); ++i) input.runs[i].row.spec[section].as_object()[key] = values[i];
}

std::vector<std::string> titles_of(const analysis::ReportInput& input) {
  std::vector<std::string> titles;
  for (const SettingColumn& column : setting_columns(analyse(input).groups.at(0).table)) titles.push_back(column.title);
  return titles;
}

TEST(SettingColumns, AreThoseInWhichRowsDiffer) {
  analysis::ReportInput input = alike_runs(2);
  set(input, "train", "accumulate", {1, 2});
  set(input, "train", "warmup", {50, 50});
  EXPECT_THAT(titles_of(input), ElementsAre("accumulate"));
  EXPECT_THAT(markdown_of(input), HasSubstr("| batch | LR | accumulate | best |"));
  set(input, "data", "examples", {json::object{{"loss", "answer"}}, json::object{{"loss", "all"}}});
  EXPECT_THAT(titles_of(input), ElementsAre("data.loss", "accumulate"));
  set(input, "train", "accumulate", {1, 1});
  set(input, "data", "examples", {json::object{}, json::object{}});
  set(input, "train", "lr", {1e-3, 2e-3});
  EXPECT_THAT(titles_of(input), IsEmpty()) << "it has a column";
}

TEST(SettingColumns, AFewAreShownAndAllAreInTheFile) {
  analysis::ReportInput input = alike_runs(2);
  set(input, "train", "accumulate", {1, 2});
  set(input, "train", "clip", {0.5, 1.5});
  set(input, "train", "optimizer", {"adamw", "sgd"});
  set(input, "train", "schedule", {"wsd", "cosine"});
  const std::vector<ReportFile> files = render_report(input);
  EXPECT_THAT(file_of(files, "report.md"), HasSubstr("| accumulate | clip | optimizer | best |"));
  EXPECT_THAT(file_of(files, "report.md"), HasSubstr("(table-measured-runs.csv)"));
  EXPECT_THAT(file_of(files, "table-measured-runs.csv"), HasSubstr(",accumulate,clip,optimizer,schedule,best,"));
  EXPECT_THAT(file_of(files, "report.html"), HasSubstr("<th>schedule</th>"));
  EXPECT_THAT(file_of(files, "report.json"), HasSubstr("\"train.schedule\": \"wsd\""));
}

TEST(SettingColumns, WeightsOfAMixtureAreOne) {
  analysis::ReportInput input = alike_runs(2);
  const auto mixture = [](int64_t weight) {
    return json::array{json::object{{"corpus", "a"}, {"weight", weight}}, json::object{{"corpus", "b"}, {"weight", 1}}};
  };
  set(input, "data", "corpus", {mixture(3), mixture(1)});
  set(input, "data", "val", {"v.txt", "v.txt"});
  EXPECT_THAT(titles_of(input), ElementsAre("weight"));
  EXPECT_THAT(markdown_of(input), HasSubstr("| 3:1 |"));
}

// A page of 1,100 pixels has no room for a sentence that must stay in one line.
TEST(Page, OnlyNumbersAreKeptInOneLine) {
  const std::string page = file_of(render_report(alike_runs(1)), "report.html");
  EXPECT_THAT(page, HasSubstr("td.n { white-space: nowrap; }"));
  EXPECT_EQ(page.find("nowrap"), page.rfind("nowrap"));
}

void answer(analysis::ReportInput& input, size_t run, double accuracy, double count) {
  input.kinds.put({"arc.acc", Better::higher, "fraction", 0.25, "right"});
  input.runs[run].row.metrics["arc.acc"] = accuracy;
  input.runs[run].row.metrics["arc.n"] = count;
}

TEST(MeasuredRuns, OtherQuestionsAreNamedBesideTheValue) {
  analysis::ReportInput input = alike_runs(2);
  set(input, "train", "accumulate", {1, 2});
  for (size_t i = 0; i < 2; ++i) answer(input, i, 0.3, 56);
  EXPECT_THAT(markdown_of(input), Not(HasSubstr("n=56")));
  answer(input, 1, 0.3, 10);
  const std::string text = markdown_of(input);
  EXPECT_THAT(text, HasSubstr("| 30.0 % (n=56) |"));
  EXPECT_THAT(text, HasSubstr("arc.acc was not asked alike in all rows (it differs in n): it does not rank them."));
}

TEST(MeasuredRuns, SeedsAskedOtherwiseAreNamed) {
  analysis::ReportInput input = alike_runs(3);
  for (size_t i = 0; i < 3; ++i) {
    input.runs[i].row.seed = static_cast<int64_t>(i);
    input.runs[i].row.spec["seed"] = i;
    answer(input, i, 0.3, i == 2 ? 10 : 56);
  }
  EXPECT_THAT(markdown_of(input),
              HasSubstr("arc.acc of llama with 100k parameters and 2M tokens is of 2 seeds alone: other seeds were not "
                        "asked the same: 000000000002 (n=10)."));
}

TEST(BeforeAndAfter, IsASectionAFindingAndJson) {
  analysis::ReportInput input = alike_runs(1);
  EXPECT_THAT(markdown_of(input), Not(HasSubstr("Before and after")));
  input.kinds.put({"base.bpc", Better::lower, "bits per byte", {}, ""});
  input.kinds.put({"wiki.bpc", Better::lower, "bits per byte", {}, ""});
  set(input, "eval", "also",
      {json::object{{"base", json::object{{"corpus", "stories"}}}, {"wiki", json::object{{"corpus", "w"}}}}});
  const int64_t end = input.runs[0].curve.back().step;
  input.runs[0].told = {{0, "base.bpc", 3.0}, {0, "wiki.bpc", 4.0}, {end, "base.bpc", 3.25}, {end, "wiki.bpc", 3.5}};
  const std::vector<ReportFile> files = render_report(input);
  const std::string text = file_of(files, "report.md");
  EXPECT_THAT(text, HasSubstr("<b>Before and after</b>"));
  EXPECT_THAT(text, HasSubstr("| llama | 100k | 2M | base.bpc | 3.000 | 3.250 | +0.250 | bits per byte | lower |"));
  EXPECT_THAT(text,
              HasSubstr("Beside the runs' own text, largest forgetting: base.bpc, from 3.000 to 3.250 (+0.250 bits "
                        "per byte; one seed); largest gain: wiki.bpc, from 4.000 to 3.500 (−0.500 bits per byte; one "
                        "seed)."));
  EXPECT_THAT(file_of(files, "report.html"), HasSubstr("<td>base.bpc</td>"));
  const json::value document = parse_json(file_of(files, "report.json"), "report.json");
  const json::array& rows = document.at("groups").at(0).at("before_after").as_array();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].at("change").at("mean"), 0.25);
  EXPECT_EQ(rows[0].at("direction"), "lower");
}

// Two seeds that part are no finding; and rates tell the rows apart.
TEST(BeforeAndAfter, SaysNothingThatSeedsDoNotBear) {
  analysis::ReportInput input = alike_runs(4);
  input.kinds.put({"base.bpc", Better::lower, "bits per byte", {}, ""});
  set(input, "train", "lr", {0.001, 0.001, 0.01, 0.01});
  const json::object also{{"base", json::object{{"corpus", "stories"}}}};
  set(input, "eval", "also", {also, also, also, also});
  const double after[] = {3.5, 2.9, 3.2, 3.1};
  for (size_t i = 0; i < 4; ++i) {
    input.runs[i].row.seed = static_cast<int64_t>(i % 2);
    input.runs[i].row.spec["seed"] = i % 2;
    input.runs[i].told = {{0, "base.bpc", 3.0}, {input.runs[i].curve.back().step, "base.bpc", after[i]}};
  }
  const std::string text = markdown_of(input);
  EXPECT_THAT(text, Not(HasSubstr("largest forgetting")));
  EXPECT_THAT(text, HasSubstr("| variant | params | tokens | lr | of |"));
}

}  // namespace
}  // namespace bitsweep::report
