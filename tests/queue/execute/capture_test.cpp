#include "execute/capture.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace bitsweep::execute {
namespace {

Captured shell(const std::string& script, std::string_view input = "", double timeout_s = 30, size_t limit = 1 << 20) {
  return capture({"/bin/sh", "-c", script}, input, timeout_s, limit);
}

TEST(Capture, TextInTextOut) {
  const Captured said = shell("cat; echo err >&2; exit 3", "in\n");
  EXPECT_EQ(said.out, "in\n");
  EXPECT_EQ(said.err, "err\n");
  EXPECT_EQ(said.exit_code, 3);
  EXPECT_FALSE(said.ok());
  EXPECT_EQ(said.ending(), "ended with exit code 3");
  EXPECT_TRUE(shell("exit 0").ok());
}

TEST(Capture, MuchInBothDirectionsAtOnce) {
  std::string input;
  for (int i = 0; i < 200'000; ++i) input += "a line of text\n";
  EXPECT_EQ(shell("cat", input, 60, 64 << 20).out, input);
}

TEST(Capture, AProgramThatReadsNothingIsNoError) {
  EXPECT_EQ(shell("exec <&-; echo done", std::string(4 << 20, 'x')).out, "done\n");
}

TEST(Capture, SignalsAreNamed) {
  const Captured said = shell("echo part; kill -SEGV $$");
  EXPECT_EQ(said.exit_code, 128 + 11);
  EXPECT_EQ(said.out, "part\n");
  EXPECT_NE(said.ending().find("signal 11"), std::string::npos);
}

TEST(Capture, TheTimeEndsTheWholeGroup) {
  const Captured said = shell("echo before; sleep 1000 & sleep 1000", "", 0.3);
  EXPECT_TRUE(said.timed_out);
  EXPECT_EQ(said.out, "before\n");
  EXPECT_EQ(said.ending(), "took too long and was ended");
}

TEST(Capture, TheSizeIsLimited) {
  const Captured said = shell("yes", "", 60, 1 << 20);
  EXPECT_TRUE(said.too_long);
  EXPECT_LT(said.out.size(), size_t{2} << 20);
}

TEST(Capture, OfTheMessagesTheLastAreKept) {
  const Captured said = shell("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done >&2; echo last >&2");
  EXPECT_LE(said.err.size(), size_t{1} << 17);
  EXPECT_TRUE(said.err.ends_with("line 19999\nlast\n"));
}

TEST(Capture, WhatCannotBeStarted) {
  try {
    capture({"/nonexistent/program"}, "", 5);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::environment);
    EXPECT_NE(std::string(error.what()).find("/nonexistent/program"), std::string::npos);
  }
  EXPECT_THROW(capture({"/"}, "", 5), Error);
}

}  // namespace
}  // namespace bitsweep::execute
