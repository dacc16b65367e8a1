#include "engine/thread_pool.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <new>
#include <set>
#include <stdexcept>
#include <thread>

namespace {

thread_local int64_t allocations = 0;

}  // namespace

void* operator new(size_t size) {
  ++allocations;
  if (void* found = std::malloc(size)) return found;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace bitsweep::engine {
namespace {

// How often each part was done.
std::vector<int> times_done(int64_t threads, int64_t parts) {
  std::vector<int> times(static_cast<size_t>(parts));
  run_parts(threads, parts, [&](int64_t part) { ++times[static_cast<size_t>(part)]; });
  return times;
}

std::vector<int> once(int64_t parts) { return std::vector<int>(static_cast<size_t>(parts), 1); }

// Two parts that each wait for the other to begin: done by two threads or, after two seconds, given up.
bool two_at_once() {
  std::atomic<int> begun = 0;
  std::atomic<bool> met = true;
  run_parts(2, 2, [&](int64_t) {
    ++begun;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(2);
    while (begun < 2 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    if (begun < 2) met = false;
  });
  return met;
}

TEST(RunParts, DoesEachPartOnce) {
  for (const int64_t threads : {0, 1, 2, 3, 8})
    for (const int64_t parts : {0, 1, 2, 7, 1000}) EXPECT_EQ(times_done(threads, parts), once(parts)) << threads;
}

TEST(RunParts, TakesOtherThreads) { EXPECT_TRUE(two_at_once()); }

TEST(RunParts, TakesThemAgainWhenTheySleep) {
  ASSERT_TRUE(two_at_once());
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_TRUE(two_at_once());
}

TEST(RunParts, TakesNoMoreThreadsThanItIsTold) {
  run_parts(4, 4, [](int64_t) {});
  std::mutex mutex;
  std::set<std::thread::id> seen;
  for (int i = 0; i < 200; ++i)
    run_parts(2, 16, [&](int64_t) {
      const std::lock_guard lock(mutex);
      seen.insert(std::this_thread::get_id());
    });
  EXPECT_LE(seen.size(), 2u);
}

TEST(RunParts, SeesWhatWasWrittenBeforeAndShowsWhatItWrites) {
  std::vector<int64_t> values(64, 0);
  for (int64_t round = 1; round <= 20000; ++round) {
    const int64_t threads = 1 + round % 4;  // a count that changes
    run_parts(threads, 8, [&](int64_t part) {
      for (size_t i = 0; i < 8; ++i) values[static_cast<size_t>(part) * 8 + i] += 1;
    });
    ASSERT_EQ(values[static_cast<size_t>(round) % 64], round);
  }
  EXPECT_EQ(values, std::vector<int64_t>(64, 20000));
}

TEST(RunParts, ThrowsOnWhatAPartThrows) {
  for (const int64_t threads : {1, 2, 4}) {
    for (const int64_t bad : {0, 5, 63}) {
      const auto f = [&](int64_t part) {
        if (part == bad) throw std::runtime_error("part " + std::to_string(part));
      };
      try {
        run_parts(threads, 64, f);
        ADD_FAILURE() << "nothing was thrown";
      } catch (const std::runtime_error& error) {
        EXPECT_EQ(error.what(), "part " + std::to_string(bad));
      }
      EXPECT_EQ(times_done(threads, 9), once(9));  // and serves the next
    }
  }
}

TEST(RunParts, ThrowsOneOfMany) {
  EXPECT_THROW(run_parts(4, 100, [](int64_t) { throw std::out_of_range("all"); }), std::out_of_range);
}

TEST(RunParts, WithinAPartStaysOnItsThread) {
  std::atomic<int> sum = 0;
  run_parts(3, 6, [&](int64_t) {
    const std::thread::id own = std::this_thread::get_id();
    run_parts(3, 5, [&](int64_t part) {
      EXPECT_EQ(std::this_thread::get_id(), own);
      sum += static_cast<int>(part);
    });
  });
  EXPECT_EQ(sum, 6 * 10);
}

TEST(RunParts, ServesCallersOfSeveralThreads) {
  const auto call = [] {
    for (int i = 0; i < 3000; ++i) ASSERT_EQ(times_done(2 + i % 2, 12), once(12));
  };
  std::thread first(call), second(call);
  call();
  first.join();
  second.join();
}

TEST(RunParts, AllocatesNothingOnceItsThreadsAreThere) {
  int64_t values[32] = {};
  const auto call = [&] { run_parts(2, 32, [&, one = 1](int64_t part) { values[part] += one; }); };
  call();
  const int64_t before = allocations;
  for (int i = 0; i < 100; ++i) call();
  EXPECT_EQ(allocations, before);
}

TEST(RunParts, GoesOnAloneInAForkedChild) {
  ASSERT_TRUE(two_at_once());
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) std::exit(times_done(2, 50) == once(50) ? 7 : 1);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
  EXPECT_TRUE(two_at_once());
}

TEST(RunPartsDeathTest, KeepsNobodyFromLeavingTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        run_parts(3, 30, [](int64_t) {});
        std::exit(5);
      },
      testing::ExitedWithCode(5), "");
}

}  // namespace
}  // namespace bitsweep::engine
