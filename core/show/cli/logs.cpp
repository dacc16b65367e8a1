// `bitsweep logs`: what the worker of a run wrote.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/options.h"
#include "query/query.h"

namespace bitsweep::cli {
namespace {

constexpr double kPollSeconds = 0.3;

fs::path log_of(const query::Query& query, const query::RunRow& run, int64_t attempt) {
  return query.root() / "runs" / run.id / fmt::format("attempt-{}", attempt) / "worker.log";
}

// Prints from `offset` to the end as it is now; the new offset. A file that is not there yet has nothing.
off_t print_from(const fs::path& file, off_t offset) {
  if (!fs::exists(file)) return offset;
  const Fd fd = open_file(file, O_RDONLY);
  char buffer[1 << 16];
  for (ssize_t got; (got = ::pread(fd.get(), buffer, sizeof buffer, offset)) > 0; offset += got)
    print({buffer, static_cast<size_t>(got)});
  return offset;
}

bool is_over(const query::RunRow& run) {
  return is_terminal(run.state);
}

// Until the run has ended; a new attempt's log follows the old one's.
void follow(const query::Query& query, query::RunRow run, int64_t attempt) {
  for (off_t offset = 0;;) {
    const bool over = is_over(run) && attempt >= run.attempts;
    if (attempt > 0) offset = print_from(log_of(query, run, attempt), offset);
    if (over) return;
    if (run.attempts > attempt) {
      attempt = attempt == 0 ? run.attempts : attempt + 1;
      offset = 0;
      print_error(fmt::format("--- attempt {} ---", attempt));
      continue;
    }
    system_clock().sleep_s(kPollSeconds);
    run = query.run(run.id);
  }
}

int do_logs(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.flag("follow,f", "go on printing until the run has ended")
      .value("attempt", "this attempt's log (default: the latest)")
      .root_option();
  if (!line.parse(args, 1, 1)) return 0;
  const query::Query query(line.root());
  const query::RunRow row = query.run(line.positional()[0]);
  const auto asked = line.number("attempt", 1, 1e9);
  const int64_t attempt = asked ? static_cast<int64_t>(*asked) : row.attempts;
  if (attempt > row.attempts)
    throw Error(ErrorKind::input, fmt::format("run {} has no attempt {}; there {} so far", row.id, attempt,
                                              row.attempts == 1 ? "is 1" : fmt::format("are {}", row.attempts)));
  if (line.has("follow")) {
    follow(query, row, attempt);
    return 0;
  }
  if (attempt == 0) {
    print_error(fmt::format("run {} is {} and has made no attempt yet", row.id, to_text(row.state)));
    return 0;
  }
  const fs::path file = log_of(query, row, attempt);
  if (!fs::exists(file)) throw Error(ErrorKind::environment, fmt::format("the log is gone: '{}'", file.string()));
  print_from(file, 0);
  return 0;
}

}  // namespace

const Verb kLogsVerb{"logs", "Print the worker's log of a run", "RUN", "bitsweep logs 3fa2 -f", do_logs};

}  // namespace bitsweep::cli
