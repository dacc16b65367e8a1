// `bitsweep import`: logs of runs that were trained elsewhere, as finished runs beside one's own.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

#include <sys/stat.h>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "base/sha256.h"
#include "base/units.h"
#include "cli/options.h"
#include "imports/foreign_log.h"
#include "render/table.h"
#include "store/store.h"

namespace bitsweep {
namespace {

constexpr uint64_t kLargestLog_bytes = UINT64_C(4) << 30;
constexpr size_t kFewestDatasetDigits = 8;

// What a person says of all runs; it stands above what their logs say.
struct Said {
  std::string sweep = "imported", plugin, corpus, tokenizer, dataset;  // dataset: id of one that is known here
  std::optional<double> params, batch, context, seed;
  ForeignFormat format;
};

struct Found {
  ForeignRun run;
  std::string file;
  double modified = 0;  // unix seconds, of the file
};

bool is_csv(const fs::path& file, std::string_view text) {
  const std::string suffix = file.extension().string();
  if (suffix == ".csv" || suffix == ".tsv") return true;
  if (suffix == ".jsonl" || suffix == ".json" || suffix == ".out" || suffix == ".log") return false;
  // Neither says so: a log has a line that begins with a brace.
  return text.find("\n{") == std::string_view::npos && !text.starts_with("{");
}

// The runs of all files, or every mistake in any of them.
std::vector<Found> read_logs(const std::vector<std::string>& files, const ForeignFormat& format) {
  std::vector<Found> found;
  std::vector<Diagnostic> wrong;
  for (const std::string& file : files) {
    Findings findings(file);
    try {
      const std::string text = read_file(file, kLargestLog_bytes);
      const std::string stem = fs::path(file).stem().string();
      ForeignLog log = is_csv(file, text) ? read_foreign_csv(text, stem, format, findings)
                                          : read_foreign_jsonl(text, stem, format, findings);
      if (log.other_lines > 0)
        print_error(fmt::format("{}: passed over {} that {} no JSON", file,
                                log.other_lines == 1 ? "a line" : fmt::format("{} lines", log.other_lines),
                                log.other_lines == 1 ? "is" : "are"));
      if (log.torn) print_error(fmt::format("{}: its last line is cut off and was left out", file));
      struct stat info {};
      const double modified = ::stat(file.c_str(), &info) == 0 ? static_cast<double>(info.st_mtime) : 0;
      for (ForeignRun& run : log.runs) found.push_back({std::move(run), file, modified});
    } catch (const Error& error) {
      for (const Diagnostic& diagnostic : error.diagnostics()) wrong.push_back(diagnostic);
    }
    for (Diagnostic& diagnostic : findings.take()) wrong.push_back(std::move(diagnostic));
  }
  std::set<std::string> names;
  for (const Found& one : found)
    if (!names.insert(one.run.name).second)
      wrong.push_back({one.file, 0, 0,
                       fmt::format("run '{}' is also in another of these files; import them one by one into sweeps of "
                                   "their own (--sweep)",
                                   one.run.name)});
  if (!wrong.empty()) throw Error(ErrorKind::input, std::move(wrong));
  return found;
}

// Numbers it, gives it times, and a start and an end of its own.
void finish_events(ForeignRun& run, const std::string& id, double params, double modified) {
  double first = 0, last = 0, longest = 0;
  for (const Event& event : run.events) {
    if (event.time > 0)
      first = first == 0 ? event.time : std::min(first, event.time), last = std::max(last, event.time);
    longest = std::max(longest, number_or(event.fields, "elapsed_s", 0));
  }
  if (last == 0) last = modified;
  if (first == 0) first = last - longest;
  const int64_t step = run.events.back().step;
  Event start{.kind = "start",
              .run = "",
              .attempt = 0,
              .seq = 0,
              .step = 0,
              .time = first,
              .fields = {{"params", static_cast<int64_t>(params)}, {"device", "elsewhere"}, {"imported", true}}};
  Event end{.kind = "end",
            .run = "",
            .attempt = 0,
            .seq = 0,
            .step = step,
            .time = last,
            .fields = {{"status", run.status.empty() ? "done" : run.status}}};
  run.events.insert(run.events.begin(), std::move(start));
  run.events.push_back(std::move(end));
  int64_t seq = 0;
  for (Event& event : run.events) {
    event.run = id, event.attempt = 1, event.seq = ++seq;
    if (event.time == 0) event.time = first + number_or(event.fields, "elapsed_s", 0);
  }
}

// Tokens by step where the log does not count them.
void count_tokens(ForeignRun& run, double per_step) {
  for (Event& event : run.events)
    if (event.kind == "eval" && per_step > 0 && number_or(event.fields, "tokens", 0) <= 0)
      event.fields["tokens"] = static_cast<int64_t>(per_step * static_cast<double>(event.step));
}

json::object spec_of(const Found& found, const Said& said, const std::string& sha256) {
  const ForeignFacts& facts = found.run.facts;
  json::object data;
  data["corpus"] = said.corpus.empty() ? "unknown data" : said.corpus;
  data["tokenizer"] = said.tokenizer.empty() ? "unknown" : said.tokenizer;
  if (!said.dataset.empty()) data["id"] = said.dataset;
  // What nobody named may be anything: it is comparable within one import's sweep at most.
  if (said.corpus.empty() && said.dataset.empty()) data["of"] = said.sweep;
  if (facts.context) data["context"] = static_cast<int64_t>(*facts.context);
  json::object train = {{"steps", found.run.events.back().step}};
  if (facts.batch) train["batch"] = static_cast<int64_t>(*facts.batch);
  double peak_lr = 0;
  for (const Event& event : found.run.events) peak_lr = std::max(peak_lr, number_or(event.fields, "lr", 0));
  if (peak_lr > 0) train["lr"] = peak_lr;
  json::object model = {{"plugin", facts.plugin}};
  if (facts.params) model["params"] = static_cast<int64_t>(*facts.params);
  return {{"model", std::move(model)},
          {"data", std::move(data)},
          {"train", std::move(train)},
          {"seed", static_cast<int64_t>(facts.seed.value_or(0))},
          {"import", json::object{{"run", found.run.name}, {"sha256", sha256}}}};
}

std::string content_hash(const ForeignRun& run) {
  json::array events;
  for (const Event& event : run.events)
    events.push_back(
        json::object{{"event", event.kind}, {"step", event.step}, {"time", event.time}, {"fields", event.fields}});
  return sha256_hex(canonical_json(events));
}

ImportedRun imported(Found found, const Said& said) {
  ForeignFacts& facts = found.run.facts;
  const auto prefer = [](auto& fact, const auto& asked) {
    if (asked) fact = asked;
  };
  prefer(facts.params, said.params), prefer(facts.batch, said.batch), prefer(facts.context, said.context);
  prefer(facts.seed, said.seed);
  if (!said.plugin.empty()) facts.plugin = said.plugin;
  if (facts.plugin.empty()) facts.plugin = "unknown";
  Said data = said;
  if (data.corpus.empty()) data.corpus = facts.dataset;
  if (data.tokenizer.empty()) data.tokenizer = facts.tokenizer;
  count_tokens(found.run, facts.batch.value_or(0) * facts.context.value_or(0));
  ImportedRun result;
  result.run.spec = spec_of(found, data, content_hash(found.run));
  result.run.id = sha256_hex(canonical_json(result.run.spec)).substr(0, 12);
  result.run.axes = {{"run", found.run.name}};
  result.run.plugin = facts.plugin;
  result.run.seed = static_cast<int64_t>(facts.seed.value_or(0));
  result.run.params = static_cast<int64_t>(facts.params.value_or(0));
  result.run.params_nonembedding = 0;
  for (const Event& event : found.run.events) {
    result.run.steps = std::max(result.run.steps, event.step);
    result.run.tokens = std::max(result.run.tokens, integer_or(event.fields, "tokens", 0));
  }
  result.run.dataset = said.dataset;
  if (!found.run.status.empty() && found.run.status != "done") {
    result.state = RunState::stopped;
    result.message = fmt::format("its log ended with '{}'", excerpt(found.run.status));
  }
  finish_events(found.run, result.run.id, facts.params.value_or(0), found.modified);
  result.events = std::move(found.run.events);
  result.started = result.events.front().time, result.ended = result.events.back().time;
  return result;
}

Said said_by(const CommandLine& line) {
  Said said;
  said.sweep = line.get("sweep").value_or("imported");
  const auto odd = [](char c) {
    return !std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_' && c != '.';
  };
  if (said.sweep.empty() || said.sweep[0] == '.' || said.sweep[0] == '-' ||
      std::any_of(said.sweep.begin(), said.sweep.end(), odd))
    throw Error(ErrorKind::input,
                fmt::format("bitsweep import: --sweep must be a folder's name of letters, digits, '-', "
                            "'_' and '.', not '{}'",
                            excerpt(said.sweep)));
  said.plugin = line.get("plugin").value_or("");
  said.corpus = line.get("dataset").value_or("");
  said.tokenizer = line.get("tokenizer").value_or("");
  const auto size = [&](const char* name) -> std::optional<double> {
    const auto text = line.get(name);
    if (!text) return std::nullopt;
    const auto value = parse_size(*text);
    if (!value || !std::isfinite(*value) || *value < 0)
      throw Error(ErrorKind::input,
                  fmt::format("bitsweep import: --{}: expected a number like 300M, not '{}'", name, *text));
    return value;
  };
  said.params = size("params"), said.batch = size("batch"), said.context = size("context"), said.seed = size("seed");
  if (const auto map = line.get("map")) said.format.columns = parse_foreign_map(*map);
  const std::string unit = line.get("unit").value_or("bits");
  if (unit != "bits" && unit != "nats")
    throw Error(ErrorKind::input, fmt::format("bitsweep import: --unit '{}': expected bits or nats{}", unit,
                                              did_you_mean(unit, {"bits", "nats"})));
  const double bytes = line.number("bytes-per-token", 1e-3, 1e3).value_or(1);
  said.format.bits_per_unit = (unit == "nats" ? 1 / std::log(2.0) : 1) / bytes;
  return said;
}

// --dataset may name one that is known here by the beginning of its id: then the runs compare with one's own.
void find_dataset(Said& said, Store& store) {
  const bool digits = said.corpus.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (said.corpus.size() < kFewestDatasetDigits || !digits) return;
  Statement rows =
      store.database().prepare("SELECT id, name, tokenizer FROM dataset WHERE id >= ?1 AND id < ?1 || 'g'");
  rows.bind(said.corpus);
  if (!rows.step()) return;
  said.dataset = rows.text(0), said.corpus = rows.text(1);
  if (said.tokenizer.empty()) said.tokenizer = rows.text(2);
  if (rows.step())
    throw Error(ErrorKind::input, "bitsweep import: --dataset begins the id of several data sets; give more digits");
}

std::string state_word(const SubmitResult& result, const std::string& id, bool dry) {
  for (const auto& changed : result.changed)
    if (changed.after == id) return fmt::format("replaces {}", changed.before);
  const bool known = std::find(result.already.begin(), result.already.end(), id) != result.already.end();
  return known ? "already there" : dry ? "would be new" : "new";
}

struct Losses {
  int64_t evals = 0;
  std::optional<double> best, last;
};

Losses losses_of(const ImportedRun& run) {
  Losses losses;
  for (const Event& event : run.events) {
    if (event.kind != "eval") continue;
    ++losses.evals;
    const json::value* loss = event.fields.if_contains("val_bpc");
    losses.last = loss != nullptr && loss->is_number() ? std::optional(loss->to_number<double>()) : std::nullopt;
    if (losses.last) losses.best = std::min(losses.best.value_or(*losses.last), *losses.last);
  }
  return losses;
}

std::string words(const std::vector<ImportedRun>& runs, const SubmitResult& result, bool dry) {
  Table table{.columns = {{"id", Align::left},
                          {"run", Align::left},
                          {"plugin", Align::left},
                          {"params", Align::right},
                          {"tokens", Align::right},
                          {"evals", Align::right},
                          {"best", Align::right},
                          {"last", Align::right},
                          {"", Align::left}},
              .rows = {}};
  const auto loss = [](const std::optional<double>& value) { return value ? fmt::format("{:.4f}", *value) : "-"; };
  const auto count = [](int64_t value) { return value > 0 ? format_count(static_cast<double>(value)) : "-"; };
  for (const ImportedRun& one : runs) {
    const Losses losses = losses_of(one);
    table.rows.push_back({one.run.id, string_or(one.run.axes, "run", ""), one.run.plugin, count(one.run.params),
                          count(one.run.tokens), fmt::format("{}", losses.evals), loss(losses.best), loss(losses.last),
                          state_word(result, one.run.id, dry)});
  }
  return terminal_table(table);
}

json::array documents(const std::vector<ImportedRun>& runs, const SubmitResult& result, bool dry) {
  json::array list;
  for (const ImportedRun& one : runs) {
    const Losses losses = losses_of(one);
    list.push_back(json::object{{"id", one.run.id},
                                {"run", one.run.axes.at("run")},
                                {"plugin", one.run.plugin},
                                {"params", one.run.params},
                                {"tokens", one.run.tokens},
                                {"evals", losses.evals},
                                {"best_val_bpc", finite_or_null(losses.best)},
                                {"last_val_bpc", finite_or_null(losses.last)},
                                {"import", state_word(result, one.run.id, dry)}});
  }
  return list;
}

// What laws and comparisons will lack, and which option gives it.
void tell_gaps(const std::vector<ImportedRun>& runs, const Said& said) {
  const auto tell = [&](const char* what, auto&& lacks) {
    const auto count = std::count_if(runs.begin(), runs.end(), lacks);
    if (count > 0) print_error(fmt::format("{} of {} runs: {}", count, runs.size(), what));
  };
  tell("the number of parameters is not known, so no law can use them (--params 300M, or --map params=NAME)",
       [](const ImportedRun& one) { return one.run.params <= 0; });
  tell("tokens are not counted, so no law in tokens can use them (--batch and --context, or --map tokens=NAME)",
       [](const ImportedRun& one) { return one.run.tokens <= 0; });
  const std::string where = fmt::format(
      "their data are not known, so that they compare with nothing but the sweep '{}' "
      "(--dataset NAME --tokenizer NAME, or the id of a data set of this root)",
      said.sweep);
  tell(where.c_str(), [](const ImportedRun& one) { return one.run.spec.at("data").as_object().contains("of"); });
}

int do_import(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.value("sweep", "name under which they are kept: imported")
      .value("map", "columns by their names in the log: step=iteration,val_bpc=val/bpc,params=N")
      .value("plugin", "the variant, where the log does not say it")
      .value("params", "parameters, likewise: 300M")
      .value("batch", "sequences a step; with --context the tokens")
      .value("context", "tokens a sequence")
      .value("seed", "likewise")
      .value("dataset",
             "the text: a name, or the id of one that is known here ('bitsweep query \"select id, name from "
             "datasets\"')")
      .value("tokenizer", "of that text: bytes256, ascii128 …")
      .value("unit", "of the losses: bits (the default) or nats")
      .value("bytes-per-token", "losses are divided by it: 1")
      .flag("dry-run", "say what would be imported; change nothing")
      .root_option()
      .output_options();
  if (!line.parse(args, 1, 100'000)) return 0;
  const OutputFormat format = output_format(line);
  if (format == OutputFormat::csv) throw Error(ErrorKind::input, "import has no --csv; use --json");
  Said said = said_by(line);
  std::vector<Found> found = read_logs(line.positional(), said.format);
  const bool dry = line.has("dry-run"), there = Store::exists(line.root());
  std::vector<ImportedRun> runs;
  SubmitResult result;
  std::optional<Store> store;
  if (!dry || there) store.emplace(line.root(), dry ? StoreMode::read_only : StoreMode::create);
  if (store) find_dataset(said, *store);
  for (Found& one : found) runs.push_back(imported(std::move(one), said));
  if (store)
    result = dry ? store->compare_import(said.sweep, runs)
                 : store->import_runs(said.sweep, fs::absolute(line.positional()[0]).string(), runs);
  if (format == OutputFormat::table)
    print(words(runs, result, dry));
  else if (format == OutputFormat::json)
    print(pretty_json(documents(runs, result, dry)) + "\n");
  else
    for (const json::value& one : documents(runs, result, dry)) print(compact_json(one) + "\n");
  tell_gaps(runs, said);
  return 0;
}

}  // namespace

const Verb kImportVerb{"import", "Take in logs of runs that were trained elsewhere, as finished runs",
                       "LOG.jsonl|LOG.csv… [--params N --dataset NAME …] [--dry-run]",
                       "bitsweep import v76_300M.out --plugin v76 --params 300M --batch 64 --context 512 --dry-run",
                       do_import};

}  // namespace bitsweep
