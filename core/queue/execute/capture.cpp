#include "execute/capture.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/child_process.h"
#include "base/clock.h"

namespace bitsweep::execute {
namespace {

constexpr size_t kKeptOfStderr = 16 << 10;

class Exchange {
 public:
  Exchange(const std::vector<std::string>& command, std::string_view input) : input_(input), child_(command) {
    ::fcntl(child_.in.get(), F_SETFL, O_NONBLOCK);
  }

  Captured run(double timeout_s, size_t limit_bytes) {
    const double end = system_clock().monotonic_s() + timeout_s;
    if (input_.empty()) child_.in.reset();
    while (child_.out || child_.err) {
      const double left = end - system_clock().monotonic_s();
      result_.timed_out = left <= 0;
      result_.too_long = result_.out.size() > limit_bytes;
      if (result_.timed_out || result_.too_long) {
        child_.kill();
        break;
      }
      step(static_cast<int>(std::ceil(std::min(left, 60.0) * 1000)));
    }
    result_.exit_code = child_.wait();
    return std::move(result_);
  }

 private:
  void step(int timeout_ms) {
    pollfd fds[3] = {{child_.in.get(), POLLOUT, 0}, {child_.out.get(), POLLIN, 0}, {child_.err.get(), POLLIN, 0}};
    if (::poll(fds, 3, timeout_ms) <= 0) return;
    if (fds[0].revents != 0) write_some();
    if (fds[1].revents != 0) read_some(child_.out, result_.out);
    if (fds[2].revents != 0) read_some(child_.err, result_.err);
    if (result_.err.size() > 2 * kKeptOfStderr) result_.err.erase(0, result_.err.size() - kKeptOfStderr);
  }

  void write_some() {
    const ssize_t put = ::send(child_.in.get(), input_.data(), input_.size(), MSG_NOSIGNAL);
    if (put > 0) input_.remove_prefix(static_cast<size_t>(put));
    const bool again = put < 0 && (errno == EAGAIN || errno == EINTR);
    if (input_.empty() || (put < 0 && !again)) child_.in.reset();
  }

  std::string_view input_;  // what is still to be written
  ChildProcess child_;
  Captured result_;
};

}  // namespace

std::string Captured::ending() const {
  if (timed_out) return "took too long and was ended";
  if (too_long) return "wrote too much and was ended";
  return ending_of(exit_code);
}

Captured capture(const std::vector<std::string>& command, std::string_view input, double timeout_s,
                 size_t limit_bytes) {
  return Exchange(command, input).run(timeout_s, limit_bytes);
}

}  // namespace bitsweep::execute
