#include <csignal>

#include <gtest/gtest.h>

#include "execute/executor.h"
#include "execute/local.h"
#include "execute/oom.h"

namespace bitsweep::execute {
namespace {

ExitRecord code(int64_t value) {
  ExitRecord exit;
  exit.exit_code = value;
  return exit;
}

ExitRecord signal(int64_t value) {
  ExitRecord exit;
  exit.signal = value;
  return exit;
}

void expect(const Outcome& outcome, RunState state, ExitCause cause) {
  EXPECT_EQ(to_text(outcome.state), to_text(state));
  EXPECT_EQ(to_text(outcome.cause), to_text(cause));
}

TEST(DecodeExit, EveryCodeOfAWorker) {
  expect(decode_exit(code(0), "done", ""), RunState::done, ExitCause::none);
  expect(decode_exit(code(0), "", ""), RunState::failed, ExitCause::unfinished);
  expect(decode_exit(code(0), "stopped", ""), RunState::failed, ExitCause::unfinished);
  expect(decode_exit(code(1), "failed", "boom"), RunState::failed, ExitCause::exit_code);
  expect(decode_exit(code(2), "bad_input", ""), RunState::failed, ExitCause::bad_input);
  expect(decode_exit(code(3), "", ""), RunState::failed, ExitCause::environment);
  expect(decode_exit(code(5), "diverged", ""), RunState::failed, ExitCause::diverged);
  expect(decode_exit(code(6), "failed", "out of memory: 3 GB"), RunState::failed, ExitCause::oom);
  expect(decode_exit(code(75), "stopped", ""), RunState::stopped, ExitCause::preempted);
  expect(decode_exit(code(99), "", ""), RunState::failed, ExitCause::exit_code);
}

TEST(DecodeExit, TheWorkersOwnWordsArePassedOn) {
  EXPECT_EQ(decode_exit(code(1), "failed", "boom").message, "boom");
  EXPECT_NE(decode_exit(code(1), "", "").message.find("code 1"), std::string::npos);
}

TEST(DecodeExit, SignalsHaveNames) {
  const Outcome segv = decode_exit(signal(SIGSEGV), "", "");
  expect(segv, RunState::failed, ExitCause::signal);
  EXPECT_NE(segv.message.find("SIGSEGV"), std::string::npos);
  EXPECT_NE(decode_exit(signal(200), "", "").message.find("200"), std::string::npos);
}

TEST(DecodeExit, WhatEndsAWorkerThatIsDoneChangesNothing) {
  expect(decode_exit(signal(SIGKILL), "done", ""), RunState::done, ExitCause::none);
}

TEST(DecodeExit, MemoryAndStartsThatFailed) {
  ExitRecord oom = signal(SIGKILL);
  oom.out_of_memory = true;
  oom.peak_rss_bytes = 3'500'000'000;
  expect(decode_exit(oom, "", ""), RunState::failed, ExitCause::oom);
  EXPECT_NE(decode_exit(oom, "", "").message.find("3.50 GB"), std::string::npos);
  ExitRecord start = code(127);
  start.cannot_start = "no such file";
  expect(decode_exit(start, "", ""), RunState::failed, ExitCause::cannot_start);
}

TEST(Oom, CountersAreReadByName) {
  EXPECT_EQ(counter_in("low 0\noom 3\noom_kill 7\n", "oom_kill"), 7);
  EXPECT_EQ(counter_in("oom_kill_disable 1\noom_kill 2", "oom_kill"), 2);
  EXPECT_EQ(counter_in("", "oom_kill"), 0);
  EXPECT_EQ(counter_in("oom_kill", "oom_kill"), 0);
}

TEST(Oom, OnlyAKillWithAMovedCounterIsForMemory) {
  EXPECT_TRUE(killed_for_memory(9, {1, 1}, {2, 1}));
  EXPECT_TRUE(killed_for_memory(9, {1, 1}, {1, 2}));
  EXPECT_FALSE(killed_for_memory(9, {1, 1}, {1, 1}));
  EXPECT_FALSE(killed_for_memory(11, {1, 1}, {2, 2}));
}

TEST(SlotEnvironment, SaysDeviceThreadsAndAllocator) {
  EXPECT_EQ(slot_environment("GPU-a", 2).at("CUDA_VISIBLE_DEVICES"), "GPU-a");
  EXPECT_EQ(slot_environment("", 2).at("CUDA_VISIBLE_DEVICES"), "");
  EXPECT_EQ(slot_environment("", 2).at("OMP_NUM_THREADS"), "2");
  EXPECT_EQ(slot_environment("", 2).at("GOMP_SPINCOUNT"), "10000");
  EXPECT_EQ(slot_environment("1", 2).at("CUDA_DEVICE_ORDER"), "PCI_BUS_ID");
  EXPECT_EQ(slot_environment("", 1).at("MALLOC_MMAP_THRESHOLD_"), "4294967296");
  EXPECT_EQ(slot_environment("", 1).at("MALLOC_TRIM_THRESHOLD_"), "17179869184");
}

}  // namespace
}  // namespace bitsweep::execute
