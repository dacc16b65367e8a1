// The smallest worker that keeps the contract: says that it began, tells a loss every so often, says that it is done.
// spec.json: {"evals": N, "interval_ms": T}.
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

#include <unistd.h>

#include "base/error.h"
#include "event/event.h"

int main(int argc, char** argv) {
  using namespace bitsweep;
  std::map<std::string, std::string> options;
  for (int i = 2; i + 1 < argc; i += 2) options[argv[i]] = argv[i + 1];
  try {
    const json::object spec = parse_json(read_file(options.at("--spec")), "spec").as_object();
    EventWriter events(fs::path(options.at("--out")) / "events.jsonl", options.at("--run"),
                       std::stoll(options.at("--attempt")));
    events.write("start", 0, {{"params", 1}});
    const int64_t evals = integer_or(spec, "evals", 0);
    for (int64_t step = 1; step <= evals; ++step) {
      ::usleep(static_cast<useconds_t>(integer_or(spec, "interval_ms", 100) * 1000));
      events.write("eval", step, {{"val_bpc", 3.0 - 0.001 * static_cast<double>(step)}, {"tokens_per_s", 1e4}});
    }
    events.write("end", evals, {{"status", "done"}});
    return 0;  // the shim forces its events to the disk, beside the next run
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench worker: %s\n", error.what());
    return 1;
  }
}
