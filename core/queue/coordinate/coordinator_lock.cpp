#include <cerrno>
#include <charconv>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "coordinate/coordinator.h"

namespace bitsweep::coordinate {
namespace {

// A child that the former coordinator had just forked holds a copy of the lock until it becomes another program.
constexpr int kTries = 10;
constexpr double kPause_s = 0.03;

std::string holder(int fd) {
  char text[32] = {};
  const ssize_t got = ::pread(fd, text, sizeof text - 1, 0);
  int64_t pid = 0;
  if (got > 0) std::from_chars(text, text + got, pid);
  return pid > 0 ? fmt::format("process {}", pid) : "another process";
}

}  // namespace

CoordinatorLock::CoordinatorLock(const fs::path& root) {
  store::refuse_network_filesystem(root);
  make_folder(root);
  const fs::path path = store::RootPaths{root}.coordinator_lock();
  fd_ = open_file(path, O_RDWR | O_CREAT);
  for (int tries = 1; ::flock(fd_.get(), LOCK_EX | LOCK_NB) != 0; ++tries) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      throw Error(ErrorKind::environment, fmt::format("cannot lock '{}': {}", path.string(), std::strerror(errno)));
    if (tries == kTries)
      throw Error(
          ErrorKind::refused,
          fmt::format("'{}' is being worked on by {}; what is submitted there will be run by it. 'bitsweep status' "
                      "shows how far it is",
                      root.string(), holder(fd_.get())));
    system_clock().sleep_s(kPause_s);
  }
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd_.get(), 0) != 0 || ::pwrite(fd_.get(), pid.data(), pid.size(), 0) < 0) {
    // On a full disk the lock holds all the same; only the next one's message is poorer.
  }
}

}  // namespace bitsweep::coordinate
