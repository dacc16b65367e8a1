#include "engine/thread_pool.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <exception>
#include <system_error>
#include <thread>

namespace bitsweep::engine {
namespace {

// How often a thread looks for work, or for another's end, before it sleeps: some 100 µs. Regions of a step follow each
// other faster, and waking a thread costs a part of that.
constexpr int kLooks = 3000;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Whether f() is true, or comes to be so in that many further looks.
template <class F>
bool awaited(const F& f, int looks) {
  for (; !f(); --looks) {
    if (looks <= 0) return false;
    pause();
  }
  return true;
}

// Parts of one call, which lies on its caller's stack.
class PartsJob {
 public:
  PartsJob(int64_t parts, const FunctionRef<int64_t>& f) : parts_(parts), f_(f) {}

  // Until none are left.
  void take() {
    try {
      for (int64_t part; (part = next_.fetch_add(1, std::memory_order_relaxed)) < parts_;) f_(part);
    } catch (...) {
      next_.store(parts_, std::memory_order_relaxed);
      if (!failed_.exchange(true)) error_ = std::current_exception();
    }
  }

  // When no other thread takes parts.
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  const int64_t parts_;
  const FunctionRef<int64_t>& f_;
  std::atomic<int64_t> next_ = 0;
  std::atomic<bool> failed_ = false;
  std::exception_ptr error_;
};

thread_local bool within_part = false;

// A thread and its caller agree by one word. The caller goes idle or asleep → called, and called → idle where the
// thread did not come in time; the thread idle → asleep, called → working, working → idle.
class Helper {
 public:
  explicit Helper(int looks) : looks_(looks) {
    std::thread([this] { serve(); }).detach();
  }

  void call(PartsJob& job) {
    job_ = &job;
    if (state_.exchange(called, std::memory_order_acq_rel) == asleep) state_.notify_one();
  }

  // When no parts are left: afterwards it does not know the job.
  void dismiss() {
    uint32_t state = called;
    if (state_.compare_exchange_strong(state, idle, std::memory_order_acq_rel)) return;
    const auto done = [&] { return state_.load(std::memory_order_acquire) != working; };
    while (!awaited(done, looks_)) state_.wait(working, std::memory_order_acquire);
  }

 private:
  enum State : uint32_t { idle, asleep, called, working };

  [[noreturn]] void serve() {
    within_part = true;
    for (;;) {
      if (awaited([&] { return state_.load(std::memory_order_relaxed) == called; }, looks_)) {
        work();
        continue;
      }
      uint32_t state = idle;
      if (state_.compare_exchange_strong(state, asleep, std::memory_order_acq_rel))
        state_.wait(asleep, std::memory_order_acquire);
    }
  }

  void work() {
    uint32_t state = called;
    if (!state_.compare_exchange_strong(state, working, std::memory_order_acq_rel)) return;
    job_->take();
    state_.store(idle, std::memory_order_release);
    state_.notify_one();
  }

  alignas(64) std::atomic<uint32_t> state_ = idle;
  PartsJob* job_ = nullptr;
  const int looks_;
};

std::atomic<bool> forked = false;  // in a child of fork() the threads are not there, and stay away

class ThreadPool {
 public:
  ThreadPool() {
    ::pthread_atfork(nullptr, nullptr, [] { forked = true; });
  }

  void run(int64_t threads, PartsJob& job) {
    const Busy busy(*this);
    if (!busy.mine()) return job.take();
    const auto helpers = static_cast<size_t>(threads - 1);
    start(helpers);
    const size_t called = std::min(helpers, helpers_.size());
    for (size_t i = 0; i < called; ++i) helpers_[i].call(job);
    job.take();
    for (size_t i = 0; i < called; ++i) helpers_[i].dismiss();
  }

 private:
  class Busy {
   public:
    explicit Busy(ThreadPool& pool)
        : pool_(pool), mine_(!forked && !pool.busy_.test_and_set(std::memory_order_acquire)) {}
    ~Busy() {
      if (mine_) pool_.busy_.clear(std::memory_order_release);
    }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;
    bool mine() const { return mine_; }

   private:
    ThreadPool& pool_;
    const bool mine_;
  };

  void start(size_t helpers) {
    if (helpers_.size() >= helpers) return;
    // More threads than cores take turns: who waits awake keeps others from their work.
    const int looks = helpers < std::thread::hardware_concurrency() ? kLooks : 0;
    try {
      while (helpers_.size() < helpers) helpers_.emplace_back(looks);
    } catch (const std::system_error&) {  // the system's limit: those that there are do it
    }
  }

  std::deque<Helper> helpers_;
  std::atomic_flag busy_;
};

// Never destroyed: its threads may be waiting in it when the program ends.
ThreadPool& pool() {
  static ThreadPool& made = *new ThreadPool;
  return made;
}

}  // namespace

void run_parts(int64_t threads, int64_t parts, FunctionRef<int64_t> f) {
  threads = std::min(threads, parts);
  if (threads <= 1 || within_part) {
    for (int64_t part = 0; part < parts; ++part) f(part);
    return;
  }
  PartsJob job(parts, f);
  within_part = true;
  pool().run(threads, job);
  within_part = false;
  job.rethrow();
}

}  // namespace bitsweep::engine
