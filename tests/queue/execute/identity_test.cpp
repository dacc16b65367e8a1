#include "execute/process_identity.h"

#include <csignal>
#include <fstream>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace bitsweep::execute {
namespace {

// A child that sleeps until it is killed.
pid_t sleeper() {
  const pid_t pid = ::fork();
  if (pid == 0)
    for (;;) ::pause();
  return pid;
}

TEST(StartTicks, NamesMayHoldAnything) {
  const std::string rest = " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 777 20 21\n";
  EXPECT_EQ(start_ticks_from("12 (sh)" + rest), 777);
  EXPECT_EQ(start_ticks_from("12 (a) Z (b) 3 ))" + rest), 777);
}

TEST(StartTicks, ZombiesAndNonsenseAreNobody) {
  EXPECT_FALSE(start_ticks_from("12 (sh) Z 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 777 20"));
  for (const char* bad :
       {"", "12", "12 (sh)", "12 (sh) S 1 2", "12 (sh) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 x"})
    EXPECT_FALSE(start_ticks_from(bad)) << bad;
}

TEST(Identity, AliveUntilKilledThoughStillAZombie) {
  const pid_t pid = sleeper();
  const auto identity = identity_of(pid);
  ASSERT_TRUE(identity.has_value());
  EXPECT_TRUE(is_alive(*identity));
  const Fd end = open_pidfd(*identity);
  ASSERT_TRUE(end);
  ::kill(pid, SIGKILL);
  pollfd wait{end.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&wait, 1, 10'000), 1);
  EXPECT_FALSE(is_alive(*identity));  // not reaped yet: kill(pid, 0) would still say yes
  EXPECT_FALSE(open_pidfd(*identity));
  ::waitpid(pid, nullptr, 0);
  EXPECT_FALSE(identity_of(pid).has_value());
}

TEST(Identity, APidThatIsUsedAgainIsAnother) {
  auto mine = identity_of(::getpid());
  ASSERT_TRUE(mine.has_value());
  EXPECT_TRUE(is_alive(*mine));
  ProcessIdentity earlier = *mine;
  --earlier.start_ticks;
  EXPECT_FALSE(is_alive(earlier));
  ProcessIdentity other_boot = *mine;
  other_boot.boot_id = "another";
  EXPECT_FALSE(is_alive(other_boot));
  EXPECT_FALSE(is_alive({}));
}

TEST(Holders, AreTheProcessesThatHaveTheFileOpen) {
  const fs::path file = fs::path(testing::TempDir()) / ("bitsweep_holders" + std::to_string(::getpid()));
  std::ofstream(file) << "x";
  const Fd fd = open_file(file, O_RDONLY);
  const pid_t pid = sleeper();
  EXPECT_EQ(holders_of(file), std::vector<int64_t>{pid});  // without this process itself
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  EXPECT_TRUE(holders_of(file).empty());
  fs::remove(file);
  EXPECT_TRUE(holders_of("/nowhere/at/all").empty());
}

}  // namespace
}  // namespace bitsweep::execute
