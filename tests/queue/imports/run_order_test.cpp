#include "imports/run_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bitsweep::imports {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

event::Event event(const char* kind, int64_t step, double loss) {
  event::Event made;
  made.kind = kind;
  made.step = step;
  if (made.kind == "eval") made.fields["val_bpc"] = loss;
  return made;
}

ForeignRun run_of(std::vector<event::Event> events) {
  ForeignRun run;
  run.name = "r";
  run.events = std::move(events);
  return run;
}

std::vector<std::string> order(const ForeignRun& run) {
  std::vector<std::string> found;
  for (const event::Event& one : run.events) found.push_back(fmt::format("{}{}", one.kind, one.step));
  return found;
}

TEST(RunOrder, WhatLiesBeyondAFallIsGivenUp) {
  ForeignRun run =
      run_of({event("eval", 100, 3), event("log", 110, 0), event("eval", 120, 2.9), event("eval", 140, 2.8),
              event("log", 150, 0), event("log", 110, 0), event("eval", 120, 2.95)});
  LogTally tally;
  put_in_order(run, tally);
  EXPECT_THAT(order(run), ElementsAre("eval100", "log110", "eval120"));
  EXPECT_EQ(run.events.back().fields.at("val_bpc").as_double(), 2.95);
  EXPECT_THAT(tally.notes(), ElementsAre(HasSubstr("fall back from 150 to 110")));
}

TEST(RunOrder, KindsMayInterleave) {
  ForeignRun run = run_of({event("log", 101, 0), event("eval", 100, 3), event("log", 201, 0), event("eval", 200, 2)});
  LogTally tally;
  put_in_order(run, tally);
  EXPECT_EQ(run.events.size(), 4u);
  EXPECT_THAT(tally.notes(), IsEmpty());
}

TEST(RunOrder, NewestFirstAndNoOrderAreSorted) {
  ForeignRun newest = run_of({event("eval", 300, 1), event("eval", 200, 2), event("eval", 100, 3)});
  LogTally tally;
  put_in_order(newest, tally);
  EXPECT_THAT(order(newest), ElementsAre("eval100", "eval200", "eval300"));
  EXPECT_THAT(tally.notes(), ElementsAre(HasSubstr("newest first")));
  ForeignRun mixed = run_of({event("eval", 5, 1), event("eval", 2, 2), event("eval", 9, 3), event("eval", 1, 3),
                             event("eval", 8, 3), event("eval", 3, 3), event("eval", 7, 3), event("eval", 4, 3)});
  LogTally other;
  put_in_order(mixed, other);
  EXPECT_THAT(order(mixed), ElementsAre("eval1", "eval2", "eval3", "eval4", "eval5", "eval7", "eval8", "eval9"));
  EXPECT_THAT(other.notes(), ElementsAre(HasSubstr("in no order")));
}

TEST(RunOrder, RepeatedStepsAreTold) {
  LogTally tally;
  check_repeated_steps(run_of({event("eval", 1, 3), event("eval", 1, 3)}), tally);
  EXPECT_THAT(tally.notes(), IsEmpty());
  check_repeated_steps(run_of({event("eval", 1, 3), event("eval", 1, 2)}), tally);
  EXPECT_THAT(tally.notes(), ElementsAre(HasSubstr("the later one counts")));
  EXPECT_FALSE(tally.any_mistake());
}

}  // namespace
}  // namespace bitsweep::imports
