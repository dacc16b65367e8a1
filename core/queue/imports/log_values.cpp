#include "imports/log_values.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

#include "base/csv.h"
#include "base/units.h"
#include "imports/log_names.h"

namespace bitsweep::imports {
namespace {

constexpr double kEarliestUnix_s = 1e8;        // a time before 1973 is seconds since the start
constexpr double kExact = 9007199254740992.0;  // 2^53

bool says_nothing(const std::string& text) {
  static constexpr std::string_view kWords[] = {"", "-", "none", "null", "na", "n/a", "nan"};
  return std::find(std::begin(kWords), std::end(kWords), lower_case(text)) != std::end(kWords);
}

// "1,234,567" as "1234567"; any other text as it is.
std::string without_thousands(const std::string& text) {
  const size_t first = text.find(',');
  if (first == std::string::npos || first == 0 || first > 3) return text;
  std::string plain = text.substr(0, first);
  size_t at = first;
  for (; at < text.size() && text[at] == ','; at += 4) {
    if (at + 4 > text.size() || !std::all_of(text.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                                             text.begin() + static_cast<std::ptrdiff_t>(at) + 4, is_decimal))
      return text;
    plain += text.substr(at + 1, 3);
  }
  return at < text.size() && is_decimal(text[at]) ? text : plain + text.substr(at);
}

// Reads one piece of a time after the other.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : rest_(text) {}

  bool number(size_t least, size_t most, int& value) {
    size_t n = 0;
    while (n < most && n < rest_.size() && is_decimal(rest_[n])) ++n;
    if (n < least) return false;
    std::from_chars(rest_.data(), rest_.data() + n, value);
    rest_.remove_prefix(n);
    return true;
  }
  bool one_of(std::string_view chars) {
    if (rest_.empty() || chars.find(rest_[0]) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // ".654400" or, as Python's logging has it, ",654": zero where there is none.
  double fraction() {
    if (rest_.size() < 2 || (rest_[0] != '.' && rest_[0] != ',') || !is_decimal(rest_[1])) return 0;
    double value = 0, place = 0.1;
    for (rest_.remove_prefix(1); !rest_.empty() && is_decimal(rest_[0]); rest_.remove_prefix(1)) {
      value += place * (rest_[0] - '0');
      place /= 10;
    }
    return value;
  }
  // Seconds east of Greenwich: "Z", "+02:00", "-0700", " UTC"; nothing for another rest.
  std::optional<double> zone() {
    while (one_of(" ")) {
    }
    if (rest_.empty() || rest_ == "Z" || rest_ == "z" || rest_ == "UTC" || rest_ == "GMT") return 0;
    const double sign = rest_[0] == '-' ? -1 : 1;
    int hours = 0, minutes = 0;
    if (!one_of("+-") || !number(2, 2, hours)) return std::nullopt;
    one_of(":");
    if (!rest_.empty() && !number(2, 2, minutes)) return std::nullopt;
    if (!rest_.empty() || hours > 23 || minutes > 59) return std::nullopt;
    return sign * (hours * 3600.0 + minutes * 60.0);
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

std::optional<double> iso_time(std::string_view text) {
  TimeReader reader(text);
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!reader.number(4, 4, year) || !reader.one_of("-/") || !reader.number(1, 2, month) || !reader.one_of("-/") ||
      !reader.number(1, 2, day))
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  double fraction = 0, east = 0;
  if (!reader.at_end()) {
    if (!reader.one_of("T t_") || !reader.number(1, 2, hour) || !reader.one_of(":") || !reader.number(2, 2, minute))
      return std::nullopt;
    if (reader.one_of(":") && !reader.number(2, 2, second)) return std::nullopt;
    fraction = reader.fraction();
    const auto zone = reader.zone();
    if (!zone || hour > 24 || minute > 59 || second > 60) return std::nullopt;
    east = *zone;
  }
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  return static_cast<double>(days) * 86400 + hour * 3600.0 + minute * 60.0 + second + fraction - east;
}

// "12:30" or "1:12:30.5" as seconds.
std::optional<double> clock_duration(std::string_view text) {
  TimeReader reader(text);
  int parts[3] = {0, 0, 0};
  size_t count = 0;
  do {
    if (count == 3 || !reader.number(1, count == 0 ? 5 : 2, parts[count])) return std::nullopt;
    ++count;
  } while (reader.one_of(":"));
  const double fraction = reader.fraction();
  if (count < 2 || !reader.at_end()) return std::nullopt;
  const double seconds = count == 2 ? parts[0] * 60.0 + parts[1] : parts[0] * 3600.0 + parts[1] * 60.0 + parts[2];
  return seconds + fraction;
}

double by_magnitude(double time) {
  if (time > 1e17) return time / 1e9;
  if (time > 1e14) return time / 1e6;
  if (time > 1e11) return time / 1e3;
  return time;
}

}  // namespace

std::optional<double> log_number(const json::value& value, char delimiter) {
  if (value.is_null()) return std::nan("");
  if (value.is_number()) return value.to_number<double>();
  if (!value.is_string()) return std::nullopt;
  const std::string text = trimmed(std::string(value.get_string()));
  if (says_nothing(text)) return std::nan("");
  if (const auto number = parse_size(with_decimal_point(text, delimiter))) return number;
  return parse_size(without_thousands(text));
}

std::optional<json::value> exact_seed(const json::value& value) {
  if (value.is_int64() || value.is_uint64()) return value;
  if (value.is_double()) {
    const double number = value.get_double();
    if (number != std::floor(number) || std::abs(number) > kExact) return std::nullopt;
    return json::value(static_cast<int64_t>(number));
  }
  if (!value.is_string()) return std::nullopt;
  const std::string text = trimmed(std::string(value.get_string()));
  int64_t small = 0;
  uint64_t large = 0;
  const char* end = text.data() + text.size();
  if (const auto [rest, code] = std::from_chars(text.data(), end, small); code == std::errc() && rest == end)
    return json::value(small);
  if (const auto [rest, code] = std::from_chars(text.data(), end, large); code == std::errc() && rest == end)
    return json::value(large);
  const auto number = parse_size(text);
  return number ? exact_seed(json::value(*number)) : std::nullopt;
}

std::optional<LogTime> log_time(const json::value& value) {
  std::optional<double> number;
  if (value.is_number()) number = value.to_number<double>();
  if (value.is_string()) {
    const std::string text = trimmed(std::string(value.get_string()));
    number = parse_number(text);
    if (!number) {
      if (const auto unix_s = iso_time(text)) return LogTime{*unix_s, false};
      if (const auto duration = clock_duration(text)) return LogTime{*duration, true};
      if (const auto duration = parse_duration_s(text)) return LogTime{*duration, true};
    }
  }
  if (!number || !std::isfinite(*number) || *number < 0 || *number > 1e19) return std::nullopt;
  if (*number < kEarliestUnix_s) return LogTime{*number, true};
  return LogTime{by_magnitude(*number), false};
}

}  // namespace bitsweep::imports
