#include "base/clock.h"

#include <chrono>
#include <ctime>
#include <thread>

namespace bitsweep {
namespace {

template <class C>
double seconds_of() {
  return std::chrono::duration<double>(C::now().time_since_epoch()).count();
}

class SystemClock : public Clock {
 public:
  double unix_s() const override { return seconds_of<std::chrono::system_clock>(); }
  double monotonic_s() const override { return seconds_of<std::chrono::steady_clock>(); }
  void sleep_s(double seconds) override { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }
};

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

std::string format_utc(double unix_s) {
  const auto seconds = static_cast<std::time_t>(unix_s);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  return text;
}

}  // namespace bitsweep
