// `bitsweep probe`: where the attention of a run's checkpoint looks; the numbers go into the database.
#include <fmt/format.h>

#include "cli/checkpoint_choice.h"
#include "cli/work_options.h"
#include "prepare/ask_worker.h"
#include "query/pointer_health.h"
#include "report/head_map.h"
#include "store/store.h"

namespace bitsweep::cli {
namespace {

constexpr double kMostWindows = 4096;

// The worker's answer: {"step", "file", "metrics"}.
json::object probe(const store::Store& store, const ChosenCheckpoint& chosen, int64_t windows,
                   const coordinate::WorkOptions& options) {
  const fs::path folder = chosen.attempt_folder();
  return prepare::ask_worker(options, "probe", folder / "spec.json", store.paths().cache(),
                             {"--checkpoint", chosen.file.string(), "--run", chosen.run.id, "--out", folder.string(),
                              "--windows", std::to_string(windows)});
}

std::vector<std::pair<std::string, double>> metrics_in(const json::object& answer) {
  std::vector<std::pair<std::string, double>> metrics;
  for (const auto& metric : answer.at("metrics").as_object())
    metrics.emplace_back(metric.key(), metric.value().to_number<double>());
  return metrics;
}

int do_probe(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.value("checkpoint", "best or last (default: best, where there is one)")
      .value("windows", "of the validation text, and as many of repeated random tokens (default 64)")
      .flag("json", "one JSON document: every matrix")
      .root_option();
  declare_device_options(line);
  if (!line.parse(args, 1, 1)) return 0;
  const auto windows = static_cast<int64_t>(line.number("windows", 2, kMostWindows).value_or(64));
  const std::string kind = checkpoint_kind(line);
  if (!store::Store::exists(line.root()))
    store::Store(line.root(), store::StoreMode::read_only);  // says what is missing
  store::Store store(line.root(), store::StoreMode::create);
  const ChosenCheckpoint chosen = choose_checkpoint(store, line.positional()[0], kind);
  const json::object answer = probe(store, chosen, windows, work_options(line));
  const int64_t step = integer_or(answer, "step", 0);
  const auto metrics = metrics_in(answer);
  store.put_metrics(chosen.run.id, chosen.attempt, step, metrics);
  const fs::path sidecar = string_or(answer, "file", "");
  if (line.has("json")) {
    print(read_file(sidecar));
    return 0;
  }
  print(fmt::format(
      "run {}, {} at step {}, {} windows\n\n{}\nmatrices in {}\n", chosen.run.id, chosen.file.filename().string(), step,
      windows,
      report::pointer_health_text(query::pointer_health(step, metrics).value(), /*numbers=*/true, utf8_terminal()),
      sidecar.string()));
  return 0;
}

}  // namespace

const Verb kProbeVerb{"probe", "See where a run's attention looks: induction heads, static heads, in-context score",
                      "RUN", "bitsweep probe 3fa2 --checkpoint best --windows 64", do_probe};

}  // namespace bitsweep::cli
