// A worker without a model: it keeps the worker's contract (arguments, events, checkpoints, resumption, exit codes) so
// that the queue can be tested by killing things. Its "loss" is a chain of hashes: one step lost, doubled or resumed
// wrongly changes every value after it.
//
// spec.json: {"steps", "step_ms", "eval_every", "checkpoint_every", "seed", "loss": instead of the chain's, "act": what
// goes wrong, "act_step"}; act is one of exit:N (a failure with that code), diverge, crash_once (SIGSEGV in the first
// attempt), ignore_term, silent_exit (code 0 without a word), leave_child, hang (does nothing for ever), spin (works
// for ever and tells nothing), hang_once, flood (20 MB on stdout and stderr), leak (takes memory until it is stopped).
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "base/rng.h"
#include "event/event.h"
#include "event/order.h"

namespace bitsweep {
namespace {

std::atomic<bool> asked_to_stop{false};

struct Call {
  std::map<std::string, std::string> options;
  std::vector<std::string> resume;
};

Call parse(const std::vector<std::string>& words) {
  Call call;
  for (size_t i = 2; i + 1 < words.size(); i += 2) {
    if (words[i] == "--resume")
      call.resume.emplace_back(words[i + 1]);
    else
      call.options[words[i]] = words[i + 1];
  }
  return call;
}

struct State {
  int64_t step = 0;
  uint64_t value = 0;
  double best = 1e9;
};

class FakeRun {
 public:
  explicit FakeRun(const Call& call)
      : call_(call),
        out_(call.options.at("--out")),
        attempt_(std::stoll(call.options.at("--attempt"))),
        spec_(parse_json(read_file(call.options.at("--spec")), "spec").as_object()),
        events_(out_ / "events.jsonl", call.options.at("--run"), attempt_) {
    make_folder(out_ / "checkpoints");
    state_.value = static_cast<uint64_t>(integer_or(spec_, "seed", 0));
  }

  int run() {
    claim_alone();
    events_.write(
        "start", 0,
        {{"params", 1}, {"device", call_.options.at("--device")}, {"threads", call_.options.at("--threads")}});
    if (call_.options.contains("--init")) take(call_.options.at("--init"), false);
    for (const std::string& file : call_.resume)
      if (take(file, true)) break;
    const int64_t steps = integer_or(spec_, "steps", 10);
    while (state_.step < steps) {
      if (const int code = misbehave(); code >= 0) return code;
      ::usleep(static_cast<useconds_t>(integer_or(spec_, "step_ms", 1) * 1000));
      state_.value = random_bits(state_.value, 7, static_cast<uint64_t>(++state_.step));
      if (state_.step % integer_or(spec_, "eval_every", 5) == 0 || state_.step == steps) eval();
      if (state_.step % integer_or(spec_, "checkpoint_every", 10) == 0) save("last");
      if (asked_to_stop) return stop();
    }
    save("last");
    events_.write("end", state_.step, {{"status", "done"}});
    events_.sync();
    return 0;
  }

 private:
  // Two that live at once for one run: the thing that must never be.
  void claim_alone() {
    claim_ = open_file(out_.parent_path() / "claim", O_RDWR | O_CREAT);
    if (::flock(claim_.get(), LOCK_EX | LOCK_NB) == 0) return;
    write_file_atomic(out_.parent_path() / "OVERLAP", "two workers at once\n");
    throw Error(ErrorKind::failed, "another worker of this run is alive");
  }

  bool take(const std::string& file, bool resume) {
    try {
      const json::object saved = parse_json(read_file(file), file).as_object();
      const State state{integer_or(saved, "step", -1), std::stoull(string_or(saved, "value", "")),
                        number_or(saved, "best", 0)};
      if (state.step < 0) return false;
      state_ = state;
    } catch (const std::exception&) {
      events_.write("refused", 0, {{"file", file}});
      return false;
    }
    if (!resume) {
      state_.step = 0;
      state_.best = 1e9;
    }
    events_.write(resume ? "resume" : "init", state_.step, {{"from", file}});
    return true;
  }

  void save(const char* kind) {
    const fs::path file = out_ / "checkpoints" / (std::string(kind) + ".safetensors");
    const json::object saved = {{"step", state_.step}, {"value", std::to_string(state_.value)}, {"best", state_.best}};
    write_file_atomic(file, json::serialize(saved));
    events_.write("checkpoint", state_.step, {{"path", file.string()}, {"bytes", 1}, {"seconds", 0.001}});
  }

  void eval() {
    const double loss = number_or(spec_, "loss", 1.0 + static_cast<double>(state_.value >> 11) * 0x1.0p-53);
    const bool best = loss < state_.best;
    if (best) state_.best = loss;
    events_.write("eval", state_.step,
                  {{"val_bpc", loss},
                   {"train_bpc", loss},
                   {"tokens", state_.step * 64},
                   {"tokens_per_s", 6400.0},
                   {"elapsed_s", 0.01 * static_cast<double>(state_.step)},
                   {"best", best}});
    if (best) save("best");
  }

  int stop() {
    save("last");
    events_.write("end", state_.step, {{"status", "stopped"}});
    return 75;
  }

  // An exit code, or -1 to go on.
  int misbehave() {
    const std::string act = string_or(spec_, "act", "");
    if (act.empty() || state_.step != integer_or(spec_, "act_step", 0)) return -1;
    if (act == "diverge") {
      events_.write("end", state_.step, {{"status", "diverged"}, {"last_finite_step", state_.step}});
      return 5;
    }
    if (act == "crash_once" && attempt_ == 1) {
      std::signal(SIGSEGV, SIG_DFL);  // a sanitizer would make an exit code of it
      ::raise(SIGSEGV);
    }
    if (act == "ignore_term") ::signal(SIGTERM, SIG_IGN);
    if (act == "silent_exit") return 0;
    if (act == "hang" || (act == "hang_once" && attempt_ == 1))
      for (;;) ::pause();
    if (act == "spin")
      for (std::atomic<uint64_t> turns{0};; ++turns) {
      }
    if (act == "flood")
      for (int i = 0; i < 20'000; ++i) {
        const std::string line(500, static_cast<char>('a' + i % 26));
        std::printf("%s\n", line.c_str());
        std::fprintf(stderr, "%s\n", line.c_str());
      }
    if (act == "leak") {
      std::vector<std::vector<char>> kept;
      for (;;) kept.emplace_back(4 << 20, 'x');
    }
    if (act == "leave_child" && ::fork() == 0) {
      ::setsid();
      for (;;) ::pause();
    }
    if (act.rfind("exit:", 0) == 0) {
      events_.write("end", state_.step, {{"status", "failed"}, {"message", "told to fail"}});
      return std::atoi(act.c_str() + 5);
    }
    return -1;
  }

  const Call& call_;
  fs::path out_;
  int64_t attempt_;
  json::object spec_;
  event::EventWriter events_;
  Fd claim_;
  State state_;
};

}  // namespace
}  // namespace bitsweep

int main(int argc, char** argv) {
  std::signal(SIGTERM, [](int) { bitsweep::asked_to_stop = true; });
  try {
    std::vector<std::string> words(argv, argv + argc);
    if (words.size() == 2 && words[1] == "warm") {
      const auto told = bitsweep::event::await_order();
      if (!told) return 0;
      words = *told;
      std::fprintf(stderr, "fake worker: was waiting\n");
    }
    return bitsweep::FakeRun(bitsweep::parse(words)).run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fake worker: %s\n", error.what());
    return 1;
  }
}
