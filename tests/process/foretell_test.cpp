// The joint fit in the loop, by the real program: while runs finish, what waits is foretold anew.
#include <cmath>

#include "process/process_fixture.h"
#include "query/query_fixture.h"

namespace bitsweep {
namespace {

double law(double params, double tokens) { return 1.2 + std::pow(params / 1e4, -0.3) + std::pow(tokens / 1e6, -0.35); }

// A run of a grid of sizes and lengths that the fake worker trains, ten steps of so long, to the loss of a law.
store::NewRun grid_run(int size, int length, int64_t step_ms) {
  store::NewRun run =
      query::planned(fmt::format("{:012x}", 100 + 5 * size + length), "llama", int64_t{10000} << size, 1e-3);
  run.tokens = int64_t{500000} << length;
  run.steps = 10;
  run.spec["train"].as_object()["steps"] = run.tokens / 640;  // a configuration of its own
  run.spec["steps"] = 10, run.spec["step_ms"] = step_ms;
  run.spec["loss"] = law(static_cast<double>(run.params), static_cast<double>(run.tokens)) *
                     std::exp(0.002 * std::sin(static_cast<double>(run.params + 7 * run.tokens)));
  return run;
}

class ForetellTest : public ProcessTest {
 protected:
  // The program beside a worker that is the fake one, and its `work`.
  int work_by_program() {
    const fs::path bin = root / "installed" / "bin";
    fs::create_directories(bin);
    fs::copy_file(BITSWEEP_BUILD_DIR "/bin/bitsweep", bin / "bitsweep");
    fs::copy_file(kFakeWorker, bin / "bitsweep-worker");
    fs::create_directories(root / "plugins");
    const std::string program = (bin / "bitsweep").string(), plugins = (root / "plugins").string(),
                      where = root.string(), told = (root / "coordinator.log").string();
    coordinator = ::fork();
    if (coordinator == 0) {
      const int fd = ::open(told.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
      ::dup2(fd, 1);
      ::dup2(fd, 2);
      ::setenv("BITSWEEP_PLUGINS", plugins.c_str(), 1);
      ::execl(program.c_str(), program.c_str(), "work", "--root", where.c_str(), "--devices", "cpu:1", nullptr);
      ::_exit(99);
    }
    return wait_coordinator();
  }
};

TEST_F(ForetellTest, WaitingRunsAreForetoldAnewAsOthersFinishAndEachBeforeItBegins) {
  std::vector<store::NewRun> before, after;
  for (int size = 0; size < 4; ++size)
    for (int length = 0; length < 4; ++length) before.push_back(grid_run(size, length, 1));
  for (int size = 0; size < 4; ++size) after.push_back(grid_run(size, 4, 100));
  submit(before);
  ASSERT_EQ(work(), 0) << log();
  open_store().submit({.name = "longer", .file = "longer.yaml", .source = "text", .settings = {}, .runs = after});
  for (const store::NewRun& run : after) ids.push_back(run.id);
  ASSERT_EQ(work_by_program(), 0) << log();
  EXPECT_NE(log().find("foretold 4 runs before they begin"), std::string::npos) << log();
  EXPECT_NE(log().find("foretold the waiting runs from those that are done"), std::string::npos) << log();
  store::Store store = open_store();
  store::Statement late = store.database().prepare(
      "SELECT count(*) FROM prediction p JOIN attempt a ON a.run = p.run AND a.attempt = 1 WHERE p.made >= a.started");
  ASSERT_TRUE(late.step());
  EXPECT_EQ(late.integer(0), 0);
  store::Statement rows = store.database().prepare(
      "SELECT count(*), count(DISTINCT p.fit), max(abs(ln(p.loss / r.best_val_bpc))) "
      "FROM prediction p JOIN run r ON r.id = p.run");
  ASSERT_TRUE(rows.step());
  EXPECT_GE(rows.integer(0), 1);
  EXPECT_LT(rows.real(2), 0.1);
}

}  // namespace
}  // namespace bitsweep
