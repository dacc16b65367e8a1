// The database under load: durable ingest with a reader, submission, and the questions people ask of large roots.
// Anchor: one durable append of 4 KB to the same disk, measured in the same run.
//
// usage: bench_store BITSWEEP [EVENTS]     BITSWEEP: the program whose `status` and `runs` are timed from outside
#include <atomic>
#include <thread>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rng.h"
#include "scratch_root.h"
#include "store/tail.h"

extern char** environ;

namespace bitsweep {
namespace {

// events.jsonl as a worker writes it.
void write_events(const fs::path& file, const std::string& run, int64_t count) {
  make_folder(file.parent_path());
  std::string text;
  for (int64_t seq = 1; seq <= count; ++seq) {
    const double noise = static_cast<double>(random_below(7, 1, static_cast<uint64_t>(seq), 1'000'000)) * 1e-8;
    text += event::to_line({.kind = "eval",
                     .run = run,
                     .attempt = 1,
                     .seq = seq,
                     .step = seq * 10,
                     .time = 1.7e9 + 0.5 * static_cast<double>(seq),
                     .fields = {{"val_bpc", 2.0 + 3.0 / static_cast<double>(seq) + noise},
                                {"train_bpc", 1.9 + 3.0 / static_cast<double>(seq) + noise},
                                {"tokens", seq * 10'240},
                                {"lr", 3e-4},
                                {"grad_norm", 0.5 + noise},
                                {"tokens_per_s", 51234.5 + noise},
                                {"peak_rss_bytes", 412'000'000},
                                {"elapsed_s", 0.5 * static_cast<double>(seq)},
                                {"best", true}}});
  }
  const Fd fd = open_file(file, O_WRONLY | O_CREAT | O_TRUNC);
  write_all(fd.get(), text, file);
}

// A person who looks all the time, on a connection of their own; how long each look took.
std::vector<double> look_until(const fs::path& root, const std::atomic<bool>& done) {
  store::Store store(root, store::StoreMode::read_only);
  store::Statement best = store.database().prepare("SELECT id, best_val_bpc, last_val_bpc FROM runs");
  std::vector<double> times;
  while (!done) {
    times.push_back(seconds_of([&] { best.run(); }));
    ::usleep(10'000);
  }
  return times;
}

void bench_ingest(int64_t events) {
  const ScratchRoot root;
  constexpr int64_t kRuns = 100;
  const int64_t each = events / kRuns;
  store::Store store(root.path(), store::StoreMode::create);
  std::vector<store::NewRun> runs;
  for (int64_t i = 0; i < kRuns; ++i) runs.push_back(bench_run(i));
  store.submit(bench_sweep("ingest", runs));
  std::vector<store::EventTail> tails;
  uint64_t bytes = 0;
  for (const store::NewRun& run : runs) {
    store.claim(run.id, "cpu", 1, 1);
    const fs::path file = store.paths().attempt(run.id, 1) / "events.jsonl";
    write_events(file, run.id, each);
    bytes += fs::file_size(file);
    tails.emplace_back(file, 0, 0);
  }
  std::atomic<bool> done{false};
  std::vector<double> looks;
  std::thread reader([&] { looks = look_until(root.path(), done); });
  int64_t stored = 0, commits = 0;
  const auto thread_cpu_s = [] {
    timespec used{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
  };
  const double cpu_before = thread_cpu_s();
  const double time = seconds_of([&] {
    // As the coordinator does: what is new in all files, in one commit, again and again.
    for (int64_t before = -1; stored != before;) {
      before = stored;
      std::vector<store::EventTail::Chunk> chunks;
      for (store::EventTail& tail : tails) chunks.push_back(tail.read());
      std::vector<store::Store::Batch> batches;
      for (size_t i = 0; i < chunks.size(); ++i)
        if (!chunks[i].events.empty())
          batches.push_back({runs[i].id, 1, chunks[i].events, chunks[i].next_offset, chunks[i].file});
      if (batches.empty()) break;
      stored += store.ingest(batches).stored;
      ++commits;
      for (size_t i = 0; i < chunks.size(); ++i) tails[i].advance(chunks[i]);
    }
  });
  done = true;
  reader.join();
  if (stored != each * kRuns) throw Error(ErrorKind::failed, fmt::format("{} of {} events stored", stored, events));
  bench_row(fmt::format("ingest of {} events ({:.0f} MB), {} commits, a reader", stored,
                        static_cast<double>(bytes) * 1e-6, commits),
            fmt::format("{:.0f} events/s", static_cast<double>(stored) / time), ">= 100,000",
            fmt::format("{:.1f} us CPU an event; {} looks, p99 {:.1f} ms",
                        (thread_cpu_s() - cpu_before) * 1e6 / static_cast<double>(stored), looks.size(),
                        quantile(looks, 0.99) * 1e3));
}

void bench_submit(double anchor_s) {
  const ScratchRoot root;
  store::Store store(root.path(), store::StoreMode::create);
  std::vector<store::NewRun> runs;
  const json::object spec = {{"model", json::object{{"plugin", "v57"}, {"options", json::object{{"layers", 4}}}}},
                             {"data", json::object{{"corpus", "stories"}, {"context", 256}}},
                             {"train", json::object{{"lr", 3e-4}, {"batch", 64}, {"steps", 2000}}}};
  for (int64_t i = 0; i < 10'000; ++i) runs.push_back(bench_run(i, spec));
  const store::NewSweep sweep = bench_sweep("submit", runs);
  const double first = seconds_of([&] { store.submit(sweep); });
  const double again = seconds_of([&] { store.submit(sweep); });
  bench_row("submit of 10,000 runs", fmt::format("{:.3f} s", first), "<= 1 s",
            fmt::format("{:.0f} durable appends", first / anchor_s));
  bench_row("  the same again", fmt::format("{:.3f} s", again), "", "");
}

// Milliseconds of a whole process; the least of a few, because the first one reads the file from the disk.
double process_ms(const std::vector<std::string>& command) {
  std::vector<double> times;
  for (int i = 0; i < 5; ++i)
    times.push_back(seconds_of([&] {
      std::vector<char*> argv;
      for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
      argv.push_back(nullptr);
      posix_spawn_file_actions_t actions;
      posix_spawn_file_actions_init(&actions);
      posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
      pid_t child = 0;
      int status = 1;
      if (::posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environ) == 0) ::waitpid(child, &status, 0);
      posix_spawn_file_actions_destroy(&actions);
      if (status != 0)
        throw Error(ErrorKind::failed, fmt::format("{} {} ended with status {}", command[0], command[1], status));
    }));
  return quantile(times, 0.5) * 1e3;
}

void bench_large_root(const std::string& program) {
  const ScratchRoot root;
  {
    store::Store store(root.path(), store::StoreMode::create);
    std::vector<store::NewRun> runs;
    for (int64_t i = 0; i < 100'000; ++i) runs.push_back(bench_run(i));
    store.submit(bench_sweep("large", runs));
    store.database().execute(
        "UPDATE run SET state = 'done', attempts = 1, best_val_bpc = 1.5, last_val_bpc = 1.6, wall_s = 60, "
        "tokens_per_s = 5e4, step = steps WHERE position <= 50000");
  }
  const std::string where = root.path().string();
  const double anchor = process_ms({"/bin/true", "x"});
  const auto row = [&](const char* name, const std::vector<std::string>& command) {
    const double ms = process_ms(command);
    bench_row(name, fmt::format("{:.1f} ms", ms), "<= 50 ms", fmt::format("{:.1f} x /bin/true", ms / anchor));
  };
  row("bitsweep status, 100,000 runs (half queued)", {program, "status", "--root", where});
  row("bitsweep runs, 100,000 runs", {program, "runs", "--root", where});
  const double whole = process_ms({program, "runs", "--csv", "--root", where});
  bench_row("  all of them as CSV", fmt::format("{:.1f} ms", whole), "",
            fmt::format("{:.1f} x /bin/true", whole / anchor));
}

void bench_many_events(const std::string& program, int64_t events) {
  const ScratchRoot root;
  constexpr int64_t kRuns = 1000;
  {
    store::Store store(root.path(), store::StoreMode::create);
    std::vector<store::NewRun> runs;
    for (int64_t i = 0; i < kRuns; ++i) runs.push_back(bench_run(i));
    store.submit(bench_sweep("many", runs));
    // The rows that ingest makes of `eval` events, made by SQL because only the question is timed here.
    store.database().execute(
        fmt::format("PRAGMA synchronous = OFF; BEGIN;"
                    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {0}) "
                    "INSERT INTO event SELECT r.id, 1, i, 'eval', i * 10, 1.7e9 + i, '{{\"val_bpc\":2.0}}' "
                    "FROM (SELECT id FROM run ORDER BY id) r CROSS JOIN n;"
                    "INSERT INTO eval SELECT run, step, 1, step * 1024, 2.0 + 3.0 / seq + (seq * 7919 % 1000) * 1e-6, "
                    "2.0, 3e-4, 0.5, 5e4, seq, 4e8, 1 FROM event;"
                    "UPDATE run SET best_val_bpc = (SELECT min(val_bpc) FROM eval WHERE run = run.id); COMMIT",
                    events / kRuns));
  }
  const std::string where = root.path().string();
  const double anchor = process_ms({"/bin/true", "x"});
  const auto row = [&](const std::string& name, const std::vector<std::string>& command) {
    const double ms = process_ms(command);
    bench_row(name, fmt::format("{:.1f} ms", ms), "<= 50 ms", fmt::format("{:.1f} x /bin/true", ms / anchor));
  };
  row(fmt::format("best per run over {} events, from `runs`", events),
      {program, "query", "--root", where, "SELECT id, best_val_bpc FROM runs"});
}

}  // namespace
}  // namespace bitsweep

int main(int argc, char** argv) {
  try {
    if (argc < 2) throw bitsweep::Error(bitsweep::ErrorKind::input, "usage: bench_store BITSWEEP [EVENTS]");
    const std::string only = argc > 3 ? argv[3] : "";
    const int64_t events = argc > 2 ? std::max(1000LL, std::atoll(argv[2])) : 10'000'000;
    double anchor = 0;
    {
      const bitsweep::ScratchRoot root;
      anchor = bitsweep::durable_append_s(root.path());
      bitsweep::bench_row("anchor: a durable append of 4 KB", fmt::format("{:.3f} ms", anchor * 1e3), "", "");
    }
    if (only.empty() || only == "ingest") bitsweep::bench_ingest(std::min<int64_t>(events, 500'000));
    if (only.empty() || only == "submit") bitsweep::bench_submit(anchor);
    if (only.empty() || only == "large") bitsweep::bench_large_root(argv[1]);
    if (only.empty() || only == "many") bitsweep::bench_many_events(argv[1], events);
    return 0;
  } catch (const bitsweep::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return error.exit_code();
  }
}
