// The verbs that read, as a person calls them: what they print and how they exit.
#include <fstream>

#include "cli/verb.h"
#include "query/query_fixture.h"

namespace bitsweep::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ReadingVerbs : public query::QueryTest {
 protected:
  struct Printed {
    int code = 0;
    std::string out;
  };
  Printed call(const Verb& verb, std::vector<std::string> args) {
    args.insert(args.end(), {"--root", root.string()});
    testing::internal::CaptureStdout();
    Printed printed;
    try {
      printed.code = verb.run(verb, args);
    } catch (...) {
      testing::internal::GetCapturedStdout();
      throw;
    }
    printed.out = testing::internal::GetCapturedStdout();
    return printed;
  }
  json::value json_of(const Verb& verb, std::vector<std::string> args) {
    args.emplace_back("--json");
    return parse_json(call(verb, args).out, "output");
  }
};

TEST_F(ReadingVerbs, RunsIsOneRowARun) {
  const Printed table = call(kRunsVerb, {});
  EXPECT_EQ(table.code, 0);
  EXPECT_THAT(table.out, StartsWith("id            state    cause     plugin"));
  EXPECT_EQ(std::count(table.out.begin(), table.out.end(), '\n'), 5);
  EXPECT_EQ(json_of(kRunsVerb, {"first"}).as_array().size(), 4u);
}

TEST_F(ReadingVerbs, RunsTakesConditionsColumnsAndAnOrder) {
  EXPECT_EQ(
      call(kRunsVerb, {"--where", "plugin = 'llama'", "--columns", "id,train.lr", "--sort", "-train.lr", "--csv"}).out,
      "id,train.lr\ncccc00000004,0.002\nbbbb00000003,0.001\n");
  EXPECT_EQ(call(kRunsVerb, {"--where", "false", "--json"}).out, "[]\n");
  EXPECT_EQ(call(kRunsVerb, {"--where", "false", "--csv", "--columns", "id"}).out, "id\n");
  EXPECT_THAT(query::thrown([&] {
                call(kRunsVerb, {"--sort", "los"});
              }),
              StartsWith("2: --sort: unknown column 'los'"));
  EXPECT_THAT(query::thrown([&] { call(kRunsVerb, {"frist"}); }), HasSubstr("did you mean 'first'?"));
}

TEST_F(ReadingVerbs, RunsShowsTheNewestAndSaysHowManyMore) {
  const std::string two = call(kRunsVerb, {"--limit", "2", "--columns", "id"}).out;
  EXPECT_EQ(two,
            "id\nbbbb00000003\ncccc00000004\n… and 2 earlier ones; --limit all shows every one, --limit N as many\n");
  EXPECT_EQ(call(kRunsVerb, {"first", "--limit", "2", "--columns", "id"}).out, two);
  EXPECT_THAT(call(kRunsVerb, {"--where", "plugin = 'v57'", "--limit", "1", "--columns", "id"}).out,
              StartsWith("id\naaaa00000002\n… and 1 earlier"));
  EXPECT_THAT(call(kRunsVerb, {"--limit", "1", "--sort", "-id", "--columns", "id"}).out,
              StartsWith("id\ncccc00000004\n… and 3 more;"));
  EXPECT_EQ(call(kRunsVerb, {"--limit", "4", "--columns", "id"}).out, call(kRunsVerb, {"--columns", "id"}).out);
  EXPECT_EQ(json_of(kRunsVerb, {"--limit", "1"}).as_array().size(), 1u);

  store::NewSweep sweep{.name = "many", .file = "many.yaml", .source = "y", .settings = {}, .runs = {}};
  for (int i = 0; i < 120; ++i)
    sweep.runs.push_back(query::planned(fmt::format("dddd{:08x}", i), "v57", 1000, 1e-3, i));
  sweep.runs[0].axes["train.batch"] = 8;
  store.submit(sweep);
  const auto lines = [](const std::string& text) { return std::count(text.begin(), text.end(), '\n'); };
  EXPECT_THAT(call(kRunsVerb, {}).out, HasSubstr("… and 24 earlier ones; --limit all"));
  EXPECT_EQ(lines(call(kRunsVerb, {}).out), 102);
  EXPECT_EQ(lines(call(kRunsVerb, {"--limit", "all"}).out), 125);
  EXPECT_EQ(json_of(kRunsVerb, {}).as_array().size(), 124u);
  EXPECT_EQ(lines(call(kRunsVerb, {"--csv"}).out), 125);
  // The axis belongs to a run that is not among the newest.
  EXPECT_THAT(call(kRunsVerb, {"--columns", "id,train.batch"}).out, StartsWith("id            batch\n"));
  for (const char* bad : {"0", "-3", "1.5", "most", ""})
    EXPECT_THAT(query::thrown([&] {
                  call(kRunsVerb, {"--limit", bad});
                }),
                StartsWith(fmt::format("2: --limit '{}': expected how many runs, from 1, or 'all'", bad)));
}

TEST_F(ReadingVerbs, AnOlderDatabaseIsBroughtForwardByTheCommandThatIsNamed) {
  const fs::path old = root / "old";
  make_folder(old);
  store::Database(old / "bitsweep.db", store::Database::Mode::create)
      .execute(read_file(fs::path(BITSWEEP_SOURCE_DIR) / "tests/queue/store/schemas/schema2.sql"));
  const auto asked = [&](const Verb& verb, std::vector<std::string> args) {
    args.insert(args.end(), {"--root", old.string()});
    testing::internal::CaptureStdout();
    std::string failure = query::thrown([&] { verb.run(verb, args); });
    const std::string out = testing::internal::GetCapturedStdout();
    return failure.empty() ? out : failure;
  };
  const std::string command = "bitsweep doctor --migrate --root " + old.string();
  for (const Verb* verb : {&kRunsVerb, &kStatusVerb})
    EXPECT_THAT(asked(*verb, {}), testing::AllOf(StartsWith("4: "), HasSubstr("schema 2"), HasSubstr(command)));
  EXPECT_THAT(asked(kDoctorVerb, {}), testing::AllOf(HasSubstr("BAD  database"), HasSubstr(command)));
  EXPECT_THAT(asked(kDoctorVerb, {"--migrate"}), HasSubstr("ok   database"));
  EXPECT_TRUE(fs::exists(old / "bitsweep.db.v2.backup"));
  EXPECT_THAT(asked(kStatusVerb, {}), StartsWith("3 runs:"));
}

TEST_F(ReadingVerbs, RunsAsLinesAreOneObjectEach) {
  const std::string lines = call(kRunsVerb, {"--jsonl"}).out;
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 4);
  EXPECT_EQ(parse_json(lines.substr(0, lines.find('\n')), "line").at("id"), "aaaa00000001");
}

TEST_F(ReadingVerbs, StatusCountsAndSaysWhyRunsWait) {
  const json::value status = json_of(kStatusVerb, {});
  EXPECT_EQ(status.at("counts").at("done"), 1);
  EXPECT_EQ(status.at("counts").at("queued"), 1);
  EXPECT_EQ(status.at("running").at(0).at("id"), "bbbb00000003");
  EXPECT_EQ(status.at("running").at(0).at("device"), "cpu");
  EXPECT_EQ(status.at("working"), false);
  EXPECT_THAT(std::string(status.at("queued").at(0).at("why").as_string()), HasSubstr("bitsweep work"));
  store.set_paused("cccc00000004", true);
  EXPECT_THAT(std::string(json_of(kStatusVerb, {}).at("queued").at(0).at("why").as_string()), HasSubstr("paused"));
  EXPECT_THAT(call(kStatusVerb, {"first"}).out, StartsWith("4 runs:  1 queued  1 running  1 done  1 failed"));
}

TEST_F(ReadingVerbs, ShowTellsEverythingAboutOneRun) {
  const Printed shown = call(kShowVerb, {"aaaa00000002"});
  EXPECT_THAT(shown.out, StartsWith("run aaaa00000002  failed (diverged)\n"));
  EXPECT_THAT(shown.out, HasSubstr("loss is not finite"));
  EXPECT_THAT(shown.out, HasSubstr("data.corpus"));
  const json::value document = json_of(kShowVerb, {"aaaa00000001"});
  EXPECT_EQ(document.at("evals").as_array().size(), 3u);
  EXPECT_EQ(document.at("attempt_list").as_array().size(), 1u);
  EXPECT_EQ(document.at("spec").at("data").at("corpus"), "headers");
  EXPECT_THAT(query::thrown([&] { call(kShowVerb, {"aaaa"}); }), HasSubstr("give more digits"));
  EXPECT_THAT(query::thrown([&] { call(kShowVerb, {}); }), StartsWith("2: "));
}

TEST_F(ReadingVerbs, RunsHaveAnyMetricAsAColumn) {
  const MetricKind kind{"arc.acc", Better::higher, "fraction", 0.25, "questions answered rightly"};
  store.put_metric_kinds({&kind, 1}, 1);
  const std::vector<std::pair<std::string, double>> first = {{"arc.acc", 0.3}, {"hdr", 0.75}},
                                                    second = {{"arc.acc", 0.5}};
  store.put_metrics("aaaa00000001", 1, 30, first);
  store.put_metrics("bbbb00000003", 1, 20, second);
  const std::string shown = call(kRunsVerb, {"--sort", "arc.acc", "--columns", "id,arc.acc,hdr"}).out;
  EXPECT_THAT(shown, StartsWith("id            arc.acc     hdr\n"
                                "bbbb00000003   50.0 %       -\n"
                                "aaaa00000001   30.0 %  75.0 %\n"));
  EXPECT_THAT(shown, HasSubstr("\narc.acc: questions answered rightly; by chance 25.0 %\n"));
  EXPECT_THAT(call(kRunsVerb, {}).out, HasSubstr("arc.acc"));  // what sums up a task is shown unasked
  EXPECT_THAT(call(kRunsVerb, {}).out, Not(HasSubstr("hdr")));
  EXPECT_EQ(json_of(kRunsVerb, {"--columns", "hdr", "--where", "id = 'aaaa00000001'"}).at(0).at("hdr"), 0.75);
  EXPECT_THAT(call(kShowVerb, {"aaaa00000001"}).out,
              HasSubstr("         first  step    last  step  by chance  better  what\n"
                        "arc.acc      -     -  30.0 %    30     25.0 %  higher  questions answered rightly\n"));
  store.put_metrics("aaaa00000001", 1, 10, second);
  EXPECT_THAT(call(kShowVerb, {"aaaa00000001"}).out, HasSubstr("arc.acc  50.0 %    10  30.0 %    30     25.0 %"));
  EXPECT_EQ(json_of(kShowVerb, {"aaaa00000001"}).at("metric_ends").at("arc.acc").at("first").at("step"), 10);
  EXPECT_EQ(json_of(kShowVerb, {"aaaa00000001"}).at("metrics").at("arc.acc"), 0.3);
  EXPECT_THAT(query::thrown([&] { call(kRunsVerb, {"--sort", "arc.ac"}); }), HasSubstr("did you mean 'arc.acc'?"));
}

TEST_F(ReadingVerbs, RunsSayHowManyQuestionsWhereTheyDiffer) {
  const MetricKind kind{"arc.acc", Better::higher, "fraction", 0.25, "questions answered rightly"};
  store.put_metric_kinds({&kind, 1}, 1);
  const auto tell = [&](const char* run, double count) {
    const std::vector<std::pair<std::string, double>> told = {{"arc.acc", 0.3}, {"arc.n", count}};
    store.put_metrics(run, 1, 30, told);
  };
  tell("aaaa00000001", 56);
  tell("bbbb00000003", 56);
  EXPECT_THAT(call(kRunsVerb, {}).out, Not(HasSubstr("arc.n")));
  tell("bbbb00000003", 10);
  EXPECT_THAT(call(kRunsVerb, {}).out, HasSubstr("arc.acc  arc.n"));
}

TEST_F(ReadingVerbs, ShowDrawsWhereAttentionLooks) {
  EXPECT_THAT(call(kShowVerb, {"aaaa00000001"}).out, Not(HasSubstr("attention")));
  EXPECT_TRUE(json_of(kShowVerb, {"aaaa00000001"}).at("attention").is_null());
  EXPECT_THAT(call(kShowVerb, {"aaaa00000001"}).out, Not(HasSubstr("\n  metrics ")));  // for programs
  EXPECT_TRUE(json_of(kShowVerb, {"aaaa00000001"}).at("start").at("metrics").is_array());
  const std::vector<std::pair<std::string, double>> metrics = {
      {"probe_windows", 16}, {"ipmr_chance", 0.02}, {"ipmr.L0H0", 0.01}, {"ipmr.L0H1", 0.7}};
  store.put_metrics("aaaa00000001", 1, 30, metrics);
  const std::string shown = call(kShowVerb, {"aaaa00000001"}).out;
  EXPECT_THAT(shown, HasSubstr("attention at step 30\nIPMR on text, chance 2.0 %\n"));
  EXPECT_THAT(shown, HasSubstr("L0H1 70.0 % (35.0× chance)"));
  EXPECT_EQ(json_of(kShowVerb, {"aaaa00000001"}).at("attention").at("maps").at("ipmr").at(0).at(1), 0.7);
}

TEST_F(ReadingVerbs, ProbeRefusesWhatItCannotProbe) {
  EXPECT_THAT(query::thrown([&] { call(kProbeVerb, {"aaaa00000001"}); }),
              StartsWith("2: run aaaa00000001 (done) has no checkpoint in "));
  EXPECT_THAT(query::thrown([&] {
                call(kProbeVerb, {"aaaa00000001", "--checkpoint", "best"});
              }),
              HasSubstr("has no 'best' checkpoint"));
  EXPECT_THAT(query::thrown([&] {
                call(kProbeVerb, {"aaaa00000001", "--checkpoint", "bst"});
              }),
              StartsWith("2: --checkpoint bst: expected best or last; did you mean 'best'?"));
  EXPECT_THAT(query::thrown([&] {
                call(kProbeVerb, {"aaaa00000001", "--windows", "1"});
              }),
              HasSubstr("from 2 to 4096"));
  EXPECT_THAT(query::thrown([&] { call(kProbeVerb, {"ffff"}); }), StartsWith("2: no run 'ffff'"));
  EXPECT_THAT(query::thrown([&] { call(kProbeVerb, {}); }), StartsWith("2: "));
}

TEST_F(ReadingVerbs, LogsPrintsTheLatestAttempt) {
  const fs::path folder = root / "runs" / "aaaa00000001" / "attempt-1";
  make_folder(folder);
  std::ofstream(folder / "worker.log") << "one\ntwo\n";
  EXPECT_EQ(call(kLogsVerb, {"aaaa00000001"}).out, "one\ntwo\n");
  EXPECT_EQ(call(kLogsVerb, {"aaaa00000001", "-f"}).out, "one\ntwo\n");  // it has ended: nothing to wait for
  EXPECT_EQ(call(kLogsVerb, {"cccc00000004"}).out, "");
  EXPECT_THAT(query::thrown([&] {
                call(kLogsVerb, {"aaaa00000001", "--attempt", "2"});
              }),
              HasSubstr("has no attempt 2"));
  EXPECT_THAT(query::thrown([&] { call(kLogsVerb, {"aaaa00000002"}); }), StartsWith("3: the log is gone"));
}

TEST_F(ReadingVerbs, QueryAnswersInEveryForm) {
  const char* sql = "SELECT plugin, count(*) AS n FROM runs GROUP BY plugin ORDER BY plugin";
  EXPECT_EQ(call(kQueryVerb, {sql}).out, "plugin  n\nllama   2\nv57     2\n");
  EXPECT_EQ(call(kQueryVerb, {sql, "--csv"}).out, "plugin,n\nllama,2\nv57,2\n");
  EXPECT_EQ(call(kQueryVerb, {sql, "--jsonl"}).out, "{\"plugin\":\"llama\",\"n\":2}\n{\"plugin\":\"v57\",\"n\":2}\n");
  EXPECT_EQ(json_of(kQueryVerb, {sql}).at(1).at("plugin"), "v57");
  EXPECT_EQ(json_of(kQueryVerb, {"SELECT 1 WHERE false"}).as_array().size(), 0u);
  EXPECT_THAT(query::thrown([&] { call(kQueryVerb, {"DROP TABLE run"}); }), StartsWith("2: "));
}

TEST_F(ReadingVerbs, QueryListsTheViews) {
  EXPECT_THAT(call(kQueryVerb, {"--list"}).out, HasSubstr("evals: One row a run and step"));
  EXPECT_GE(json_of(kQueryVerb, {"--list"}).as_array().size(), 5u);
}

TEST_F(ReadingVerbs, ReportIsWrittenWhereItIsAskedFor) {
  const fs::path folder = root / "my reports";
  const Printed printed = call(kReportVerb, {"first", "--out", folder.string(), "--name", "it's \"mine\""});
  EXPECT_EQ(printed.out, (folder / "it's \"mine\"" / "report.md").string() + "\n");
  EXPECT_THAT(read_file(folder / "it's \"mine\"" / "report.md"), HasSubstr("1 of 4 runs count"));
  EXPECT_EQ(json_of(kReportVerb, {"first"}).at("runs").as_array().size(), 4u);
  EXPECT_THAT(query::thrown([&] {
                call(kReportVerb, {"first", "--law", "chinchila"});
              }),
              HasSubstr("did you mean 'chinchilla'?"));
  EXPECT_THAT(query::thrown([&] {
                call(kReportVerb, {"first", "--out", folder.string(), "--name", "../x"});
              }),
              StartsWith("2: "));
  EXPECT_THAT(query::thrown([&] { call(kReportVerb, {}); }), StartsWith("2: "));
}

TEST_F(ReadingVerbs, HelpShowsAnExampleFirst) {
  for (const Verb* verb : {&kRunsVerb, &kShowVerb, &kStatusVerb, &kLogsVerb, &kProbeVerb, &kQueryVerb, &kReportVerb}) {
    const Printed help = call(*verb, {"--help"});
    EXPECT_EQ(help.code, 0);
    EXPECT_THAT(help.out, StartsWith(std::string("example: bitsweep ") + verb->name));
  }
}

}  // namespace
}  // namespace bitsweep::cli
