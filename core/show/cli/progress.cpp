// What a person sees while runs are at work: a line for each thing that happened, and on a terminal a live table below.
#include "cli/progress.h"

#include <algorithm>

#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/units.h"
#include "cli/options.h"

namespace bitsweep::cli {
namespace {

constexpr int kBar = 16;          // cells
constexpr size_t kMostRows = 16;  // runs in the table

std::string number_or_dash(const std::optional<double>& value, const char* format) {
  return value ? fmt::format(fmt::runtime(format), *value) : "-";
}

std::string duration_or_dash(const std::optional<double>& seconds) { return seconds ? format_duration(*seconds) : "-"; }

std::string bar(int64_t step, int64_t steps) {
  const double part = steps > 0 ? std::clamp(static_cast<double>(step) / static_cast<double>(steps), 0.0, 1.0) : 0.0;
  const int full = static_cast<int>(part * kBar);
  std::string text;
  for (int i = 0; i < kBar; ++i) text += i < full ? "█" : "░";
  return text;
}

size_t terminal_columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// At most so many characters (not bytes), so that a row of the table never wraps.
std::string clipped(const std::string& text, size_t columns) {
  size_t characters = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80;
    if (begins && ++characters > columns) return text.substr(0, i);
  }
  return text;
}

std::string name_of(const coordinate::RunProgress& run) {
  return fmt::format("{} {} ({})", run.run, run.plugin, run.point);
}

std::string queue_words(const coordinate::QueueProgress& queue) {
  std::string words =
      fmt::format("{} of {} done, {} running, {} queued", queue.done, queue.total, queue.running, queue.queued);
  if (queue.failed > 0) words += fmt::format(", {} failed", queue.failed);
  if (queue.eta_s) words += fmt::format(", about {} left", format_duration(*queue.eta_s));
  return words;
}

std::string run_row(const coordinate::RunProgress& run) {
  return fmt::format("  {} {} {:>6}/{:<6} {:>7} {} {:>8} tok/s {:>9}  {} {}", run.run, bar(run.step, run.steps),
                     run.step, run.steps, number_or_dash(run.val_bpc, "{:.4f}"), run.unit,
                     run.tokens_per_s ? format_count(*run.tokens_per_s) : "-", duration_or_dash(run.eta_s), run.plugin,
                     run.point + (run.diverging ? ", diverging" : ""));
}

class Lines : public coordinate::Progress {
 public:
  explicit Lines(bool quiet) : quiet_(quiet), table_(!quiet && stderr_is_terminal()) {}
  ~Lines() override { clear(); }

  void started(const coordinate::RunProgress& run) override {
    if (!quiet_ && !table_)
      say(fmt::format("start   {} on {}{}", name_of(run), run.device,
                      run.attempt > 1 ? fmt::format(", attempt {}", run.attempt) : ""));
  }
  void adopted(const coordinate::RunProgress& run) override {
    if (!quiet_) say(fmt::format("adopt   {} on {}: it went on by itself", name_of(run), run.device));
  }
  void ended(const coordinate::RunProgress& run, const store::RunRecord& after) override {
    if (quiet_ && went_well(after)) return;
    if (after.state == RunState::done)
      say(fmt::format("{} {}: {} {} in {}", done_word(), name_of(run), number_or_dash(after.best_val_bpc, "{:.4f}"),
                      run.unit, format_duration(after.wall_s)));
    else if (after.state == RunState::queued)
      say(fmt::format("{}   {}: {}", after.cause == ExitCause::stopped ? "stop " : "again", name_of(run),
                      reason(after)));
    else
      say(fmt::format("{}  {}: {}", to_text(after.state), name_of(run), reason(after)));
  }
  void message(const std::string& text) override { say(text); }

  void tick(const coordinate::QueueProgress& queue) override {
    if (quiet_) return;
    if (!table_) return plain_tick(queue);
    clear();
    const size_t columns = terminal_columns();
    std::string text;
    for (size_t i = 0; i < std::min(queue.runs.size(), kMostRows); ++i)
      text += clipped(run_row(queue.runs[i]), columns) + "\n";
    if (queue.runs.size() > kMostRows) text += fmt::format("  … and {} more\n", queue.runs.size() - kMostRows);
    text += clipped(queue_words(queue), columns) + "\n";
    rows_ = static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
    fmt::print(stderr, "{}", text);
  }

 private:
  static std::string reason(const store::RunRecord& run) {
    const std::string_view cause = to_text(run.cause);
    if (run.message.empty()) return std::string(cause);
    return cause.empty() ? run.message : fmt::format("{}: {}", cause, run.message);
  }
  // Done, or ended because somebody or a rule wanted it so.
  static bool went_well(const store::RunRecord& run) {
    return run.state == RunState::done || run.cause == ExitCause::stopped || run.cause == ExitCause::cancelled;
  }
  static std::string done_word() { return colour_allowed() ? "\x1b[32mdone\x1b[0m   " : "done   "; }

  // Without a terminal: the queue's state whenever a run has ended or begun, never more.
  void plain_tick(const coordinate::QueueProgress& queue) {
    if (queue.done + queue.failed == ended_) return;
    ended_ = queue.done + queue.failed;
    say(fmt::format("        {}", queue_words(queue)));
  }

  void clear() {
    if (rows_ == 0) return;
    fmt::print(stderr, "\x1b[{}A\x1b[J", rows_);
    rows_ = 0;
  }
  void say(const std::string& text) {
    clear();
    fmt::print(stderr, "{}\n", text);
  }

  bool quiet_;
  bool table_;
  size_t rows_ = 0;
  int64_t ended_ = 0;
};

}  // namespace

std::unique_ptr<coordinate::Progress> make_progress(bool quiet) { return std::make_unique<Lines>(quiet); }

std::string failure_text(const coordinate::WorkResult& result, const store::RootPaths& paths) {
  std::string text;
  for (const store::RunRecord& run : result.failed)
    text += fmt::format("failed: {} {} ({}): {}\n        log: {}\n", run.id, run.plugin, to_text(run.cause),
                        run.message, (paths.attempt(run.id, run.attempts) / "worker.log").string());
  if (!result.failed.empty()) text += "once mended: bitsweep retry --state failed\n";
  for (const store::RunRecord& run : result.waiting)
    text += fmt::format("waits:  {} {}: {}\n", run.id, run.plugin, run.message);
  return text;
}

}  // namespace bitsweep::cli
