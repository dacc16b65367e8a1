// The only source of time. Pure code takes values; effects take a Clock&, which tests replace.
#pragma once

#include <string>

namespace bitsweep {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual double unix_s() const = 0;       // wall clock, for records; may jump
  virtual double monotonic_s() const = 0;  // for durations; never jumps
  virtual void sleep_s(double seconds) = 0;
};

// The machine's clock. Thread-safe.
Clock& system_clock();

class FakeClock : public Clock {
 public:
  double unix_s() const override { return unix; }
  double monotonic_s() const override { return monotonic; }
  void sleep_s(double seconds) override { unix += seconds, monotonic += seconds; }
  double unix = 1.7e9;
  double monotonic = 0;
};

// "2026-05-07 13:45:12" in UTC.
std::string format_utc(double unix_s);

}  // namespace bitsweep
