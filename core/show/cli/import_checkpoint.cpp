#include "cli/import_checkpoint.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include <sys/stat.h>

#include <fmt/format.h>

#include "base/error.h"
#include "base/units.h"
#include "data/dataset.h"
#include "plugin/manifest.h"
#include "prepare/ask_worker.h"
#include "prepare/planning.h"
#include "prepare/programs.h"
#include "prepare/scratch_folder.h"
#include "render/table.h"
#include "spec/run_spec.h"
#include "spec/tokenizer_value.h"
#include "store/store.h"
#include "weights/released_model.h"

namespace bitsweep::cli {
namespace {

constexpr int64_t kLongestByDefault = 4096;  // tokens of context: activations of longer ones take most of a GPU
constexpr const char* kOfLogs[] = {"map", "plugin", "params", "batch", "seed", "dataset", "unit", "bytes-per-token"};

struct Taken {
  store::ImportedRun run;
  spec::RunSpec spec;
  fs::path folder;
  int64_t vocab = 0;  // rows of the embedding
  std::string state;  // new, already there …
};

void refuse_options_of_logs(const CommandLine& line) {
  for (const char* name : kOfLogs)
    if (line.has(name))
      throw Error(ErrorKind::input, fmt::format("import: --{} is said of logs; a checkpoint says it itself", name));
}

// The file of --tokenizer, else the one that lies beside the weights; "" for none.
std::string tokenizer_of(const CommandLine& line, const fs::path& folder) {
  const std::string given = line.get("tokenizer").value_or("");
  if (given == "none") return "";
  if (!given.empty()) return spec::vocabulary_of(given) ? given : fs::absolute(given).lexically_normal().string();
  std::error_code code;
  for (const char* name : {"tokenizer.json", "tokenizer.model"})
    if (fs::exists(folder / name, code)) return (folder / name).string();
  return "";
}

// Fills in what the tokenizer decides: its hash, and what stands before a text.
void add_tokenizer(spec::DataSpec& data, int64_t vocab, const fs::path& cache) {
  data.vocab_rows = vocab;
  if (data.tokenizer.empty()) return;
  const auto advice = [&](std::string why) {
    return Error(ErrorKind::input, std::move(why) + " (--tokenizer FILE names another one, and none does without)");
  };
  spec::DataSpec alone;
  alone.tokenizer = data.tokenizer;
  try {
    const data::Dataset dataset = data::Dataset::open(alone, cache);
    const tokenize::TokenizerFacts& facts = dataset.tokenizer()->facts();
    if (facts.vocab > vocab)
      throw advice(fmt::format("{}: expected at most the {} tokens of config.json's vocab_size, found {}",
                               data.tokenizer, vocab, facts.vocab));
    if (facts.vocab == vocab) data.vocab_rows = 0;
    if (!data.is_bytes()) data.tokenizer_sha256 = facts.sha256, data.vocab = vocab;
    if (facts.bos) data.documents = "bos";
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input || std::string_view(error.what()).ends_with("without)")) throw;
    throw advice(error.what());
  }
}

int64_t context_of(const CommandLine& line, int64_t positions) {
  const auto given = line.number("context", 1, static_cast<double>(positions));
  return given ? static_cast<int64_t>(*given) : std::min(positions, kLongestByDefault);
}

// Its shape in the words of its plugin, and how many parameters that has.
plugin::Description describe(const weights::ReleasedConfig& config, int64_t context, const fs::path& folder) {
  prepare::WorkerDescriber describer(prepare::worker_program(), prepare::plugin_folder());
  const plan::DescribeQuestion question{config.plugin(),
                                        {.options = config.options(), .vocab = config.vocab, .context = context}};
  plan::DescribeAnswer answer = describer.describe({question}).at(0);
  if (answer.description) return *std::move(answer.description);
  throw Error(ErrorKind::input,
              {Diagnostic{.file = (folder / "config.json").string(),
                          .message = fmt::format("plugin '{}' has no such model: {}", config.plugin(), answer.error)}});
}

int64_t version_of(const std::string& plugin) {
  for (const plugin::Manifest& manifest : plugin::find_plugins(prepare::plugin_folder()))
    if (manifest.name == plugin) return manifest.version;
  return spec::ModelSpec{}.version;
}

double modified_unix_s(const fs::path& file) {
  struct stat info {};
  return ::stat(file.c_str(), &info) == 0 ? static_cast<double>(info.st_mtime) : 0;
}

// An attempt that tells its start and its end, and nothing of what came between.
std::vector<event::Event> events_of(const Taken& taken, const plugin::Description& model, double time) {
  json::object facts = {{"params", model.params},
                        {"params_extra", model.params_extra},
                        {"stored_bits_per_weight", model.stored_bits_per_weight},
                        {"stored_bytes", model.stored_bytes},
                        {"device", "elsewhere"},
                        {"imported", true},
                        {"file", taken.folder.string()},
                        {"vocab", taken.vocab}};
  if (!taken.spec.data.tokenizer_sha256.empty()) facts["tokenizer_sha256"] = taken.spec.data.tokenizer_sha256;
  const auto event = [&](const char* kind, int64_t seq, json::object fields) {
    return event::Event{.kind = kind,
                        .run = taken.run.run.id,
                        .attempt = 1,
                        .seq = seq,
                        .step = 0,
                        .time = time,
                        .fields = std::move(fields)};
  };
  return {event("start", 1, std::move(facts)), event("end", 2, {{"status", "done"}})};
}

Taken read(const CommandLine& line, const fs::path& folder) {
  const weights::ReleasedModel released = weights::read_released(folder);
  Taken taken{.run = {}, .spec = {}, .folder = folder, .vocab = released.config.vocab, .state = {}};
  spec::RunSpec& spec = taken.spec;
  spec.data.tokenizer = tokenizer_of(line, folder);
  add_tokenizer(spec.data, released.config.vocab, line.root() / "data");
  spec.data.context = context_of(line, released.config.positions);
  const plugin::Description model = describe(released.config, spec.data.context, folder);
  spec.model = {
      .plugin = released.config.plugin(), .options = model.options, .version = version_of(released.config.plugin())};
  spec.imported = {.folder = folder.string(), .sha256 = released.weights.sha256()};
  store::NewRun& run = taken.run.run;
  run.id = run_id(spec);
  run.spec = to_json(spec);
  run.axes = {{"run", folder.filename().string()}};
  run.plugin = spec.model.plugin;
  run.params = model.params;
  run.params_extra = model.params_extra;
  run.params_nonembedding = model.params_nonembedding();
  const double time = modified_unix_s(released.weights.file_of(released.tensors.at(0).theirs));
  taken.run.events = events_of(taken, model, time);
  taken.run.started = taken.run.ended = time;
  return taken;
}

// A run is in the database only where its weights are on the disk.
void convert(const store::RootPaths& paths, const Taken& taken) {
  const std::string& id = taken.run.run.id;
  const fs::path checkpoint = paths.attempt(id, 1) / "checkpoints" / "best.safetensors";
  std::error_code code;
  if (fs::exists(checkpoint, code)) return;
  const prepare::ScratchFolder scratch(paths.root, "import");
  write_file_atomic(scratch.path() / "spec.json", pretty_json(taken.run.run.spec) + "\n");
  coordinate::WorkOptions work;
  work.devices = {{.name = "cpu", .slots = 1}};
  work.threads = std::max<int64_t>(1, std::thread::hardware_concurrency());
  work.worker_program = prepare::worker_program();
  work.plugin_folder = prepare::plugin_folder();
  prepare::ask_worker(work, "import", scratch.path() / "spec.json", paths.cache(),
                      {"--from", taken.folder.string(), "--run", id, "--out", checkpoint.string()});
}

void keep(const CommandLine& line, const std::string& sweep, Taken& taken) {
  const bool dry = line.has("dry-run");
  store::SubmitResult result;
  if (!dry || store::Store::exists(line.root())) {
    store::Store store(line.root(), dry ? store::StoreMode::read_only : store::StoreMode::create);
    result = store.compare_import(sweep, {&taken.run, 1});  // refuses a sweep of one's own before anything is written
    if (!dry) {
      convert(store.paths(), taken);
      result = store.import_runs(sweep, taken.folder.string(), {&taken.run, 1});
    }
  }
  taken.state = import_state(result, taken.run.run.id, dry);
}

// What a sweep file says to start from it.
json::object sections_of(const Taken& taken) {
  json::object model = {{"plugin", taken.spec.model.plugin}};
  for (const auto& option : taken.spec.model.options) model[option.key()] = option.value();
  const spec::DataSpec& own = taken.spec.data;
  json::object data = {{"context", own.context}};
  if (!own.tokenizer.empty()) data["tokenizer"] = own.tokenizer;
  if (own.vocab_rows > 0) data["vocab_rows"] = own.vocab_rows;
  return {
      {"model", std::move(model)}, {"data", std::move(data)}, {"train", json::object{{"init_from", taken.run.run.id}}}};
}

// Sections in the flow style of YAML, a line each.
std::string yaml_of(const json::object& sections) {
  std::string text;
  for (const auto& section : sections) {
    std::string members;
    for (const auto& member : section.value().as_object())
      members += fmt::format("{}{}: {}", members.empty() ? "" : ", ", std::string_view(member.key()),
                             compact_json(member.value()));
    text += fmt::format("{}: {{ {} }}\n", std::string_view(section.key()), members);
  }
  return text;
}

json::object document_of(const Taken& taken) {
  return {{"id", taken.run.run.id},
          {"run", taken.run.run.axes.at("run")},
          {"plugin", taken.run.run.plugin},
          {"params", taken.run.run.params},
          {"vocab", taken.vocab},
          {"context", taken.spec.data.context},
          {"tokenizer", taken.spec.data.tokenizer},
          {"import", taken.state},
          {"sweep", sections_of(taken)}};
}

std::string text_of(const std::vector<Taken>& all) {
  render::Table table{.columns = {{"id"}, {"run"}, {"plugin"}}, .rows = {}};
  for (const char* title : {"params", "vocab", "context"}) table.columns.push_back({title, render::Align::right});
  table.columns.push_back({"tokenizer"});
  table.columns.push_back({""});
  std::string starts;
  for (const Taken& taken : all) {
    const store::NewRun& run = taken.run.run;
    const std::string& tokenizer = taken.spec.data.tokenizer;
    table.rows.push_back({run.id, string_or(run.axes, "run", ""), run.plugin,
                          format_count(static_cast<double>(run.params)), fmt::format("{}", taken.vocab),
                          fmt::format("{}", taken.spec.data.context),
                          tokenizer.empty() ? "none" : spec::tokenizer_text(json::value(tokenizer)), taken.state});
    starts +=
        fmt::format("\nto start a run from {}, with a corpus or examples:\n{}", run.id, yaml_of(sections_of(taken)));
  }
  return terminal_table(table) + starts;
}

}  // namespace

std::string import_state(const store::SubmitResult& result, const std::string& id, bool dry) {
  for (const auto& changed : result.changed)
    if (changed.after == id) return fmt::format("replaces {}", changed.before);
  const bool known = std::find(result.already.begin(), result.already.end(), id) != result.already.end();
  return known ? "already there" : dry ? "would be new" : "new";
}

bool is_checkpoint_folder(const std::string& argument) {
  std::error_code code;
  return fs::is_directory(argument, code) && weights::is_released(argument);
}

void import_checkpoints(const CommandLine& line, const std::string& sweep, const std::vector<std::string>& folders) {
  refuse_options_of_logs(line);
  const OutputFormat format = output_format(line);
  std::vector<Taken> all;
  for (const std::string& argument : folders) {
    fs::path folder = fs::absolute(argument).lexically_normal();
    if (!folder.has_filename()) folder = folder.parent_path();
    all.push_back(read(line, folder));
  }
  json::array documents;
  for (Taken& taken : all) {
    keep(line, sweep, taken);
    if (taken.spec.data.tokenizer.empty())
      print_error(fmt::format("{}: has no tokenizer, so that no text can be asked of it (--tokenizer FILE)",
                              taken.folder.string()));
    documents.push_back(document_of(taken));
  }
  if (format == OutputFormat::table) return print(text_of(all));
  if (format == OutputFormat::json) return print(pretty_json(documents) + "\n");
  for (const json::value& one : documents) print(compact_json(one) + "\n");
}

}  // namespace bitsweep::cli
