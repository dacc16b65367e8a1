// Ctrl-C once and twice, and TERM.
#include "process_fixture.h"

namespace bitsweep {
namespace {

class InterruptTest : public ProcessTest {
 protected:
  void start_long_runs() {
    submit({fake_run("aaaaaaaaaaaa", 1, {{"steps", 400}}), fake_run("bbbbbbbbbbbb", 2, {{"steps", 400}}),
            fake_run("cccccccccccc", 3)});
    start_coordinator();
    until_step("aaaaaaaaaaaa", 15);
    until_step("bbbbbbbbbbbb", 15);
  }
};

TEST_F(InterruptTest, OnceStopsAfterACheckpointAndKeepsTheState) {
  start_long_runs();
  ::kill(coordinator, SIGINT);
  EXPECT_EQ(wait_coordinator(), 130);
  {
    store::Store store = open_store();
    for (const char* id : {"aaaaaaaaaaaa", "bbbbbbbbbbbb"}) {
      EXPECT_EQ(store.state(id), RunState::queued);
      EXPECT_EQ(to_text(store.run(id)->cause), "stopped");
      EXPECT_EQ(store.run(id)->faults, 0);
      EXPECT_EQ(store.attempt(id, 1)->exit_code, 75);
      EXPECT_TRUE(fs::exists(folder(id, 1) / "checkpoints/last.safetensors"));
      EXPECT_TRUE(execute::holders_of(folder(id) / "lock").empty());
    }
    EXPECT_TRUE(store.live_attempts().empty());
  }
  EXPECT_EQ(work(), 0);  // the same command goes on
  store::Store store = open_store();
  for (const std::string& id : ids) expect_sound(store, id);
}

TEST_F(InterruptTest, TermIsTheSame) {
  start_long_runs();
  ::kill(coordinator, SIGTERM);
  EXPECT_EQ(wait_coordinator(), 130);
  EXPECT_EQ(open_store().counts().at(RunState::queued), 3);
}

TEST_F(InterruptTest, TwiceKills) {
  submit({fake_run("aaaaaaaaaaaa", 1, {{"steps", 400}, {"act", "ignore_term"}, {"act_step", 0}})});
  start_coordinator();
  until_step("aaaaaaaaaaaa", 15);
  ::kill(coordinator, SIGINT);
  until("the first is heard", [&] { return log().find("once more to kill") != std::string::npos; });
  ::usleep(100'000);
  EXPECT_FALSE(coordinator_ended());  // it waits for a worker that does not hear
  ::kill(coordinator, SIGINT);
  EXPECT_EQ(wait_coordinator(), 130);
  {
    store::Store store = open_store();
    EXPECT_EQ(store.state("aaaaaaaaaaaa"), RunState::queued);
    EXPECT_EQ(store.attempt("aaaaaaaaaaaa", 1)->signal, SIGKILL);
    EXPECT_EQ(store.run("aaaaaaaaaaaa")->faults, 0);
  }
  EXPECT_EQ(work(), 0);
  store::Store store = open_store();
  expect_sound(store, "aaaaaaaaaaaa");
}

TEST_F(InterruptTest, GraceEnds) {
  submit({fake_run("aaaaaaaaaaaa", 1, {{"steps", 4000}, {"act", "ignore_term"}, {"act_step", 0}})});
  start_coordinator(2, "0.2");
  until_step("aaaaaaaaaaaa", 15);
  ::kill(coordinator, SIGINT);
  EXPECT_EQ(wait_coordinator(), 130);
  EXPECT_EQ(open_store().attempt("aaaaaaaaaaaa", 1)->signal, SIGKILL);
}

}  // namespace
}  // namespace bitsweep
