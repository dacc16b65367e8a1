// Fits again while runs finish: the joint fit in the loop. The fit is a process of its own, of low priority, because
// the coordinator forks and must stay of one thread, and so that nothing a fit does can hurt it.
#include <algorithm>
#include <csignal>

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.h"
#include "cli/foresight.h"
#include "cli/options.h"

namespace bitsweep {
namespace {

constexpr double kShare = 100;         // seconds between fits, for each of a processor that the last one took …
constexpr double kLeastPause_s = 5;    // … and at least
constexpr double kLongest_s = 600;     // of one fit, before it is given up: what is busy elsewhere may hold it up …
constexpr rlim_t kMostOfIt_s = 60;     // … but not its own work
constexpr int kNice = 10;              // lower still, it would not get to fit in the few minutes of a small sweep
constexpr int64_t kMostRuns = 20'000;  // beyond, their specs alone are too much to read beside the work

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

// This program again, with nothing to read and nowhere to print; 0 when the system refuses.
pid_t start_foretelling(const fs::path& root, const std::string& maker, const std::vector<std::string>& sweeps) {
  std::vector<std::string> words{"bitsweep", "foretell", "--root", root.string(), "--maker", maker};
  words.insert(words.end(), sweeps.begin(), sweeps.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    ::posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  // A group of its own: an interrupt at the terminal is for the coordinator, which ends it.
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t pid = 0;
  const int refused = ::posix_spawn(&pid, "/proc/self/exe", &files, &attributes, arguments.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  return refused == 0 ? pid : 0;
}

class Foretelling : public Progress {
 public:
  Foretelling(std::unique_ptr<Progress> inner, fs::path root, std::vector<std::string> sweeps, std::string maker)
      : inner_(std::move(inner)), root_(std::move(root)), sweeps_(std::move(sweeps)), maker_(std::move(maker)) {}
  ~Foretelling() override { give_up(); }

  void started(const RunProgress& run) override { inner_->started(run); }
  void adopted(const RunProgress& run) override { inner_->adopted(run); }
  void evaluated(const RunProgress& run, const Event& event) override { inner_->evaluated(run, event); }
  void message(const std::string& text) override { inner_->message(text); }
  void ended(const RunProgress& run, const RunRecord& after) override {
    inner_->ended(run, after);
    stale_ = stale_ || after.state == RunState::done;
  }
  void tick(const QueueProgress& queue) override {
    inner_->tick(queue);
    const double now = clock_.monotonic_s();
    if (pid_ > 0) collect(now);
    if (pid_ > 0 || !stale_ || now < next_s_ || queue.queued == 0 || queue.total > kMostRuns) return;
    stale_ = false;
    since_s_ = now, next_s_ = now + kLeastPause_s;
    pid_ = start_foretelling(root_, maker_, sweeps_);
  }

 private:
  void collect(double now) {
    int status = 0;
    rusage used{};
    if (::wait4(pid_, &status, WNOHANG, &used) == 0) {
      if (now - since_s_ > kLongest_s) give_up();
      return;
    }
    pid_ = 0;
    next_s_ = now + std::max(kLeastPause_s, kShare * (seconds(used.ru_utime) + seconds(used.ru_stime)));
    const bool stored = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!stored || std::exchange(told_, true)) return;
    inner_->message(
        "foretold the waiting runs from those that are done, and goes on doing so: 'bitsweep calibration' tells how "
        "they fare");
  }

  void give_up() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);  // what it has not committed was not to be
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
    next_s_ = clock_.monotonic_s() + kShare * static_cast<double>(kMostOfIt_s);
  }

  std::unique_ptr<Progress> inner_;
  fs::path root_;
  std::vector<std::string> sweeps_;
  std::string maker_;
  Clock& clock_ = system_clock();
  bool stale_ = false;  // a run has finished since the last fit
  bool told_ = false;
  double since_s_ = 0, next_s_ = 0;
  pid_t pid_ = 0;  // of the fit under way
};

// The other end: 0 when something new was stored.
int do_foretell(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.root_option().value("maker", "the verb that asks");
  if (!line.parse(args)) return 0;
  ::setpriority(PRIO_PROCESS, 0, kNice);
  const rlimit most{kMostOfIt_s, kMostOfIt_s};
  ::setrlimit(RLIMIT_CPU, &most);
  const Foresight foresight = foresee(Query(line.root()), line.positional(), line.get("maker").value_or(verb.name));
  if (foresight.forecasts.empty()) return 1;
  Store store(line.root(), StoreMode::create);
  return keep(store, foresight).stored > 0 ? 0 : 1;
}

}  // namespace

std::unique_ptr<Progress> foretelling_progress(std::unique_ptr<Progress> inner, const Store& store,
                                               std::vector<std::string> sweeps, std::string maker) {
  return std::make_unique<Foretelling>(std::move(inner), store.paths().root, std::move(sweeps), std::move(maker));
}

const Verb kForetellVerb{"foretell",  "Store what laws say of the runs that wait",
                         "[SWEEP…]",  "bitsweep foretell quickstart",
                         do_foretell, true};

}  // namespace bitsweep
