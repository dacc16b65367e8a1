// `bitsweep probe`: where the attention of a run's checkpoint looks; the numbers go into the database, where they are
// of the run's own text or it has none.
#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/nearest.h"
#include "cli/checkpoint_choice.h"
#include "cli/spec_at_hand.h"
#include "cli/work_options.h"
#include "prepare/ask_worker.h"
#include "prepare/scratch_folder.h"
#include "query/pointer_health.h"
#include "report/head_map.h"
#include "spec/keys.h"
#include "store/store.h"

namespace bitsweep::cli {
namespace {

constexpr double kMostWindows = 4096;

// What is probed on in place of the run's own text; nothing: that one.
struct OtherText {
  std::string corpus, field;
};

std::optional<OtherText> other_text(const CommandLine& line) {
  const auto given = line.get("text");
  if (!given && line.has("field")) throw Error(ErrorKind::input, "--field is the text's key in a --text of JSON lines");
  if (!given) return std::nullopt;
  const std::vector<std::string>& builtin = spec::find_run_key("data.corpus")->words;
  const std::string field = line.get("field").value_or("");
  if (std::find(builtin.begin(), builtin.end(), *given) != builtin.end()) return OtherText{*given, field};
  std::error_code code;
  if (!fs::exists(*given, code))
    throw Error(ErrorKind::input, fmt::format("--text: there is no file or folder '{}'{}; built in: {}", *given,
                                              did_you_mean(*given, builtin), fmt::join(builtin, ", ")));
  return OtherText{fs::absolute(*given).lexically_normal().string(), field};
}

bool has_own_text(const store::RunRecord& run) {
  const spec::DataSpec data = spec::run_spec_from_json(run.spec).data;
  return data.has_corpus() || !data.examples.file.empty();
}

// The worker's answer: {"step", "file", "metrics"}. What is of another text than the run's own lies in a folder apart.
json::object probe(const store::Store& store, const ChosenCheckpoint& chosen, int64_t windows,
                   const std::optional<OtherText>& text, const std::optional<std::string>& tokenizer,
                   const coordinate::WorkOptions& options) {
  const fs::path folder = chosen.attempt_folder();
  fs::path out = folder;
  if (text && has_own_text(chosen.run)) make_folder(out = folder / ("on_" + fs::path(text->corpus).stem().string()));
  std::vector<std::string> words = {"--checkpoint", chosen.file.string(), "--run",     chosen.run.id,
                                    "--out",        out.string(),         "--windows", std::to_string(windows)};
  if (text) words.insert(words.end(), {"--text", text->corpus});
  if (text && !text->field.empty()) words.insert(words.end(), {"--field", text->field});
  const prepare::ScratchFolder scratch(store.paths().root, "probe");
  return prepare::ask_worker(options, "probe", write_spec_at_hand(chosen, tokenizer, scratch.path()),
                             store.paths().cache(), words);
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
      .value(
          "text",
          "probe on this text in place of the run's own, in its tokens: a built-in one or a path; of an imported run, "
          "which has none, it is needed")
      .value("field", "the text's key in JSON lines")
      .flag("json", "one JSON document: every matrix")
      .root_option();
  declare_tokenizer_option(line);
  declare_device_options(line);
  if (!line.parse(args, 1, 1)) return 0;
  const auto windows = static_cast<int64_t>(line.number("windows", 2, kMostWindows).value_or(64));
  const std::string kind = checkpoint_kind(line);
  const auto text = other_text(line);
  if (!store::Store::exists(line.root()))
    store::Store(line.root(), store::StoreMode::read_only);  // says what is missing
  store::Store store(line.root(), store::StoreMode::create);
  const ChosenCheckpoint chosen = choose_checkpoint(store, line.positional()[0], kind);
  const bool own_text = has_own_text(chosen.run);
  if (!own_text && !text)
    throw Error(ErrorKind::input, fmt::format("run {} has no text of its own, because its weights were imported; name "
                                              "one to probe on: --text FILE, or --text headers",
                                              chosen.run.id));
  const json::object answer = probe(store, chosen, windows, text, line.get("tokenizer"), work_options(line));
  const int64_t step = integer_or(answer, "step", 0);
  const auto metrics = metrics_in(answer);
  // Beside those of the run's own text they would be taken for them.
  if (!text || !own_text) store.put_metrics(chosen.run.id, chosen.attempt, step, metrics);
  const fs::path sidecar = string_or(answer, "file", "");
  if (line.has("json")) {
    print(read_file(sidecar));
    return 0;
  }
  print(fmt::format(
      "run {}, {} at step {}, {} windows{}\n\n{}\nmatrices in {}\n", chosen.run.id, chosen.file.filename().string(),
      step, windows, text ? " of " + text->corpus : "",
      report::pointer_health_text(query::pointer_health(step, metrics).value(), /*numbers=*/true, utf8_terminal()),
      sidecar.string()));
  return 0;
}

}  // namespace

const Verb kProbeVerb{"probe", "See where a run's attention looks: induction heads, static heads, in-context score",
                      "RUN", "bitsweep probe 3fa2 --checkpoint best --windows 64", do_probe};

}  // namespace bitsweep::cli
