// The smallest worker that keeps the contract: says that it began, tells a loss every so often, says that it is done.
// spec.json: {"evals": N, "interval_ms": T}. It loads no library but the system's, because what is measured with it is
// what stands around a run.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <unistd.h>

namespace {

const char* option(int argc, char** argv, const char* name) {
  for (int i = 2; i + 1 < argc; ++i)
    if (std::strcmp(argv[i], name) == 0) return argv[i + 1];
  std::fprintf(stderr, "bench worker: no %s\n", name);
  std::exit(2);
}

long number_in(const char* text, const char* key, long otherwise) {
  const char* place = std::strstr(text, key);
  const char* colon = place == nullptr ? nullptr : std::strchr(place, ':');
  return colon == nullptr ? otherwise : std::strtol(colon + 1, nullptr, 10);
}

double unix_s() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

int main(int argc, char** argv) {
  char spec[4096] = {};
  std::FILE* file = std::fopen(option(argc, argv, "--spec"), "r");
  if (file == nullptr || std::fread(spec, 1, sizeof spec - 1, file) == 0) return 2;
  std::fclose(file);
  char path[4096];
  std::snprintf(path, sizeof path, "%s/events.jsonl", option(argc, argv, "--out"));
  std::FILE* events = std::fopen(path, "a");
  if (events == nullptr) return 3;
  const char* run = option(argc, argv, "--run");
  const char* attempt = option(argc, argv, "--attempt");
  long seq = 0;
  const auto tell = [&](const char* kind, long step, const char* fields) {
    std::fprintf(events, "{\"event\":\"%s\",\"run\":\"%s\",\"attempt\":%s,\"seq\":%ld,\"step\":%ld,\"time\":%.6f,%s}\n",
                 kind, run, attempt, ++seq, step, unix_s(), fields);
    std::fflush(events);
  };
  tell("start", 0, "\"params\":1");
  const long evals = number_in(spec, "\"evals\"", 0);
  for (long step = 1; step <= evals; ++step) {
    usleep(static_cast<useconds_t>(number_in(spec, "\"interval_ms\"", 100) * 1000));
    char fields[128];
    std::snprintf(fields, sizeof fields, "\"val_bpc\":%.4f,\"tokens_per_s\":10000.0",
                  3.0 - 0.001 * static_cast<double>(step));
    tell("eval", step, fields);
  }
  tell("end", evals, "\"status\":\"done\"");
  return 0;  // the shim forces its events to the disk, beside the next run
}
