// `bitsweep import`: logs of runs that were trained elsewhere, as finished runs beside one's own. Checkpoints of other
// programs: import_checkpoint.h.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

#include <sys/stat.h>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "base/units.h"
#include "cli/import_checkpoint.h"
#include "cli/options.h"
#include "imports/foreign_log.h"
#include "imports/imported_run.h"
#include "imports/log_values.h"
#include "render/table.h"
#include "store/imports.h"
#include "store/store.h"

namespace bitsweep::cli {
namespace {

constexpr uint64_t kLargestLog_bytes = UINT64_C(4) << 30;
constexpr size_t kFewestDatasetDigits = 8;

std::string lines(int64_t count) { return count == 1 ? "a line" : fmt::format("{} lines", count); }

// What was not read of a file, or read as a person might not expect.
void tell(const std::string& file, const imports::ForeignLog& log) {
  if (log.of_words)
    print_error(
        fmt::format("{}: read by its words, as in step:100 val_bpb:1.15{}", file,
                    log.other_lines == 0 ? "" : fmt::format("; passed over {} without", lines(log.other_lines))));
  else if (log.other_lines > 0)
    print_error(fmt::format("{}: passed over {} that {} no JSON", file, lines(log.other_lines),
                            log.other_lines == 1 ? "is" : "are"));
  if (log.torn_lines > 0)
    print_error(fmt::format("{}:{}: {} torn and {} left out (another process wrote in between, or the disk was full)",
                            file, log.first_torn, log.torn_lines == 1 ? "the line is" : lines(log.torn_lines) + " are",
                            log.torn_lines == 1 ? "was" : "were"));
  if (log.torn) print_error(fmt::format("{}: its last line is cut off and was left out", file));
  for (const std::string& note : log.notes) print_error(fmt::format("{}: {}", file, note));
}

// What all files hold, and what is wrong with any of them.
struct Reading {
  std::vector<imports::FoundRun> found;
  std::vector<imports::DescribedRun> described;
  std::vector<Diagnostic> wrong;
};

void add_runs_of(const std::string& file, const imports::ForeignFormat& format, Reading& reading) {
  Findings findings(file);
  try {
    const std::string text = read_file(file, kLargestLog_bytes);
    const fs::path path = fs::absolute(file).lexically_normal();
    imports::ForeignLog log = read_foreign_log(text, path.stem().string(), path.extension().string(), format, findings);
    if (!findings.any()) tell(file, log);
    struct stat info {};
    const double modified = ::stat(file.c_str(), &info) == 0 ? static_cast<double>(info.st_mtime) : 0;
    for (imports::ForeignRun& run : log.runs) reading.found.push_back({std::move(run), path.string(), modified});
    for (imports::DescribedRun& run : log.described) reading.described.push_back(std::move(run));
  } catch (const Error& error) {
    for (const Diagnostic& diagnostic : error.diagnostics()) reading.wrong.push_back(diagnostic);
  }
  for (Diagnostic& diagnostic : findings.take()) reading.wrong.push_back(std::move(diagnostic));
}

// A folder as `export` writes it stands for its evaluations and its runs.
std::vector<std::string> files_of(const std::vector<std::string>& arguments) {
  std::vector<std::string> files;
  for (const std::string& argument : arguments) {
    if (!fs::is_directory(argument)) {
      files.push_back(argument);
      continue;
    }
    const fs::path folder = argument;
    const char* suffix = fs::exists(folder / "evals.jsonl") ? ".jsonl" : ".csv";
    for (const char* table : {"evals", "runs"})
      if (const fs::path file = folder / (std::string(table) + suffix); fs::exists(file))
        files.push_back(file.string());
    if (files.empty() || !fs::path(files.back()).string().starts_with(argument))
      throw Error(ErrorKind::input,
                  fmt::format("bitsweep import: '{}' is a folder without evals.jsonl or evals.csv, as 'bitsweep export "
                              "SWEEP -o FOLDER' writes them, and without the config.json of a checkpoint; name the "
                              "logs in it",
                              argument));
  }
  return files;
}

// The runs of all files, or every mistake in any of them.
std::vector<imports::FoundRun> read_logs(const std::vector<std::string>& files, const imports::ForeignFormat& format,
                                         const std::vector<store::KnownImport>& known) {
  Reading reading;
  for (const std::string& file : files) add_runs_of(file, format, reading);
  name_by_folder(reading.found, known);
  std::set<std::string> names;
  std::vector<imports::ForeignRun*> runs;
  for (imports::FoundRun& one : reading.found) {
    runs.push_back(&one.run);
    if (!names.insert(one.run.name).second)
      reading.wrong.push_back({one.file, 0, 0,
                               fmt::format("run '{}' is also in another of these files; import them one by one into "
                                           "sweeps of their own (--sweep)",
                                           one.run.name)});
  }
  if (reading.found.empty() && reading.wrong.empty())
    reading.wrong.push_back(
        {files[0], 0, 0,
         "a table of runs that bitsweep exported; their evaluations are in evals.jsonl and evals.csv "
         "beside it: import the folder, or both files"});
  if (!reading.wrong.empty()) throw Error(ErrorKind::input, std::move(reading.wrong));
  describe(runs, reading.described);
  return std::move(reading.found);
}

std::string checked_sweep(const CommandLine& line) {
  const std::string sweep = line.get("sweep").value_or("imported");
  const auto odd = [](char c) {
    return !std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_' && c != '.';
  };
  if (sweep.empty() || sweep[0] == '.' || sweep[0] == '-' || std::any_of(sweep.begin(), sweep.end(), odd))
    throw Error(ErrorKind::input,
                fmt::format("bitsweep import: --sweep must be a folder's name of letters, digits, '-', "
                            "'_' and '.', not '{}'",
                            excerpt(sweep)));
  return sweep;
}

std::optional<double> size_option(const CommandLine& line, const char* name) {
  const auto text = line.get(name);
  if (!text) return std::nullopt;
  const auto value = parse_size(*text);
  if (!value || !std::isfinite(*value) || *value < 0)
    throw Error(ErrorKind::input,
                fmt::format("bitsweep import: --{}: expected a number like 300M, not '{}'", name, *text));
  return value;
}

imports::ForeignFormat format_of(const CommandLine& line) {
  imports::ForeignFormat format;
  if (const auto map = line.get("map")) format.columns = imports::parse_foreign_map(*map);
  const std::string unit = line.get("unit").value_or("bits");
  if (unit != "bits" && unit != "nats")
    throw Error(ErrorKind::input, fmt::format("bitsweep import: --unit '{}': expected bits or nats{}", unit,
                                              did_you_mean(unit, {"bits", "nats"})));
  const double bytes = line.number("bytes-per-token", 1e-3, 1e3).value_or(1);
  format.bits_per_unit = (unit == "nats" ? 1 / std::log(2.0) : 1) / bytes;
  format.unit_is_told = line.has("unit") || line.has("bytes-per-token");
  return format;
}

imports::ImportOptions import_options(const CommandLine& line) {
  imports::ImportOptions options;
  options.sweep = checked_sweep(line);
  options.plugin = line.get("plugin").value_or("");
  options.corpus = line.get("dataset").value_or("");
  options.tokenizer = line.get("tokenizer").value_or("");
  options.params = size_option(line, "params");
  options.batch = size_option(line, "batch");
  options.context = size_option(line, "context");
  if (const auto text = line.get("seed")) {
    const auto seed = imports::exact_seed(json::value(*text));
    if (!seed)
      throw Error(ErrorKind::input,
                  fmt::format("bitsweep import: --seed: expected a whole number of 64 bits, not '{}'", *text));
    options.seed = *seed;
  }
  options.format = format_of(line);
  return options;
}

// --dataset may name one that is known here by the beginning of its id: then the runs compare with one's own.
void find_dataset(imports::ImportOptions& options, store::Store& store) {
  const bool digits = options.corpus.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (options.corpus.size() < kFewestDatasetDigits || !digits) return;
  const auto dataset = dataset_that_begins(store, options.corpus);
  if (!dataset) return;
  options.dataset = dataset->id;
  options.corpus = dataset->name;
  if (options.tokenizer.empty()) options.tokenizer = dataset->tokenizer;
}

// Those among the arguments: all or none.
std::vector<std::string> checkpoint_folders(const std::vector<std::string>& arguments) {
  std::vector<std::string> folders;
  for (const std::string& argument : arguments)
    if (is_checkpoint_folder(argument)) folders.push_back(argument);
  if (!folders.empty() && folders.size() != arguments.size())
    throw Error(ErrorKind::input, fmt::format("import: '{}' is a folder with a checkpoint (config.json), and others of "
                                              "the arguments are not; import them apart",
                                              folders[0]));
  return folders;
}

std::string words(const std::vector<store::ImportedRun>& runs, const store::SubmitResult& result, bool dry) {
  render::Table table{.columns = {{"id", render::Align::left},
                                  {"run", render::Align::left},
                                  {"plugin", render::Align::left},
                                  {"params", render::Align::right},
                                  {"tokens", render::Align::right},
                                  {"evals", render::Align::right},
                                  {"best", render::Align::right},
                                  {"last", render::Align::right}},
                      .rows = {}};
  const bool ratios = std::any_of(runs.begin(), runs.end(), [](const store::ImportedRun& run) {
    return imports::bytes_per_token_of(run).has_value();
  });
  if (ratios) table.columns.push_back({"bytes/token", render::Align::right});
  table.columns.push_back({"", render::Align::left});
  const auto loss = [](const std::optional<double>& value) { return value ? fmt::format("{:.4f}", *value) : "-"; };
  const auto count = [](int64_t value) { return value > 0 ? format_count(static_cast<double>(value)) : "-"; };
  for (const store::ImportedRun& one : runs) {
    const imports::ImportedLosses losses = imports::losses_of(one);
    std::vector<std::string> row = {one.run.id,
                                    string_or(one.run.axes, "run", ""),
                                    one.run.plugin,
                                    count(one.run.params),
                                    count(one.run.tokens),
                                    fmt::format("{}", losses.evals),
                                    loss(losses.best),
                                    loss(losses.last)};
    if (ratios) row.push_back(loss(imports::bytes_per_token_of(one)));
    row.push_back(import_state(result, one.run.id, dry));
    table.rows.push_back(std::move(row));
  }
  return terminal_table(table);
}

json::array documents(const std::vector<store::ImportedRun>& runs, const store::SubmitResult& result, bool dry) {
  json::array list;
  for (const store::ImportedRun& one : runs) {
    const imports::ImportedLosses losses = imports::losses_of(one);
    json::object document = {{"id", one.run.id},
                             {"run", one.run.axes.at("run")},
                             {"plugin", one.run.plugin},
                             {"params", one.run.params},
                             {"tokens", one.run.tokens},
                             {"evals", losses.evals},
                             {"best_val_bpc", finite_or_null(losses.best)},
                             {"last_val_bpc", finite_or_null(losses.last)},
                             {"import", import_state(result, one.run.id, dry)}};
    if (const auto ratio = imports::bytes_per_token_of(one)) document["bytes_per_token"] = *ratio;
    list.push_back(std::move(document));
  }
  return list;
}

// What laws and comparisons will lack, and which option gives it.
void tell_gaps(const std::vector<store::ImportedRun>& runs, const imports::ImportOptions& options) {
  const auto tell = [&](const char* what, auto&& lacks) {
    const auto count = std::count_if(runs.begin(), runs.end(), lacks);
    if (count > 0) print_error(fmt::format("{} of {} runs: {}", count, runs.size(), what));
  };
  tell("the number of parameters is not known, so no law can use them (--params 300M, or --map params=NAME)",
       [](const store::ImportedRun& one) { return one.run.params <= 0; });
  tell("tokens are not counted, so no law in tokens can use them (--batch and --context, or --map tokens=NAME)",
       [](const store::ImportedRun& one) { return one.run.tokens <= 0; });
  const std::string where = fmt::format(
      "their data are not known, so that they compare with nothing but the sweep '{}' "
      "(--dataset NAME --tokenizer NAME, or the id of a data set of this root)",
      options.sweep);
  tell(where.c_str(), [](const store::ImportedRun& one) { return one.run.spec.at("data").as_object().contains("of"); });
}

std::string help_of_map() {
  return "columns by their names in the log: step=iteration,val_bpc=val/bpc,params=N; a name with ',' or '=' in quotes";
}

void declare(CommandLine& line) {
  line.value("sweep", "name under which they are kept: imported")
      .value("map", help_of_map().c_str())
      .value("plugin", "the variant, where the log does not say it")
      .value("params", "parameters, likewise: 300M")
      .value("batch", "sequences a step; with --context the tokens")
      .value("context", "tokens a sequence; of a checkpoint: those it was made for, at most 4096")
      .value("seed", "likewise")
      .value("dataset",
             "the text: a name, or the id of one that is known here ('bitsweep query \"select id, name from "
             "datasets\"')")
      .value("tokenizer",
             "of that text: bytes256, ascii128 …; of a checkpoint: a file, or none, in place of the one beside it")
      .value("unit", "of the losses: bits (the default) or nats")
      .value("bytes-per-token", "losses are divided by it: 1")
      .flag("dry-run", "say what would be imported; change nothing")
      .root_option()
      .output_options()
      .forms(imports::foreign_forms());
}

void print_runs(const std::vector<store::ImportedRun>& runs, const store::SubmitResult& result, bool dry,
                OutputFormat format) {
  if (format == OutputFormat::table)
    print(words(runs, result, dry));
  else if (format == OutputFormat::json)
    print(pretty_json(documents(runs, result, dry)) + "\n");
  else
    for (const json::value& one : documents(runs, result, dry)) print(compact_json(one) + "\n");
}

int do_import(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  declare(line);
  if (!line.parse(args, 1, 100'000)) return 0;
  const OutputFormat format = output_format(line);
  if (format == OutputFormat::csv) throw Error(ErrorKind::input, "import has no --csv; use --json");
  if (const auto folders = checkpoint_folders(line.positional()); !folders.empty()) {
    import_checkpoints(line, checked_sweep(line), folders);
    return 0;
  }
  imports::ImportOptions options = import_options(line);
  const bool dry = line.has("dry-run");
  std::vector<store::KnownImport> known;
  if (store::Store::exists(line.root())) {
    store::Store store(line.root(), store::StoreMode::read_only);
    known = known_imports(store, options.sweep);
  }
  std::vector<imports::FoundRun> found = read_logs(files_of(line.positional()), options.format, known);
  std::vector<store::ImportedRun> runs;
  store::SubmitResult result;
  std::optional<store::Store> store;
  if (!dry || store::Store::exists(line.root()))
    store.emplace(line.root(), dry ? store::StoreMode::read_only : store::StoreMode::create);
  if (store) find_dataset(options, *store);
  for (imports::FoundRun& one : found) {
    imports::ImportOptions of_run = options;
    if (store && of_run.corpus.empty()) {
      of_run.corpus = one.run.facts.dataset;
      find_dataset(of_run, *store);
    }
    runs.push_back(imported_run(std::move(one), of_run));
  }
  if (store)
    result = dry ? store->compare_import(options.sweep, runs)
                 : store->import_runs(options.sweep, fs::absolute(line.positional()[0]).string(), runs);
  print_runs(runs, result, dry, format);
  tell_gaps(runs, options);
  for (const std::string& doubt : imports::doubts_about_units(runs, known)) print_error(doubt);
  return 0;
}

}  // namespace

const Verb kImportVerb{"import", "Take in logs and checkpoints of runs that were trained elsewhere, as finished runs",
                       "LOG.jsonl|LOG.csv|LOG.txt… [--params N --dataset NAME …] [--dry-run] | DIR/ with a config.json",
                       "bitsweep import v76_300M.out --plugin v76 --params 300M --batch 64 --context 512 --dry-run",
                       do_import};

}  // namespace bitsweep::cli
