// `bitsweep plan`: what a sweep file asks for, exactly, before anything runs.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/distinct_names.h"
#include "base/error.h"
#include "base/units.h"
#include "cli/data_texts.h"
#include "cli/options.h"
#include "cli/work_options.h"
#include "prepare/measure.h"
#include "prepare/planning.h"
#include "render/format.h"
#include "render/table.h"

namespace bitsweep::cli {
namespace {

// The paths that vary in this sweep, in the order they first appear.
std::vector<std::string> axis_paths(const plan::Plan& plan) {
  std::vector<std::string> paths;
  for (const plan::PlannedRun& run : plan.runs) {
    for (const auto& axis : run.axes) {
      const std::string path(axis.key());
      if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(path);
    }
  }
  return paths;
}

// "2m 05s"; "~2m 05s" when it is scaled from another shape; "-" when no speed is known.
std::string time_text(const std::optional<plan::TimeEstimate>& time) {
  if (!time) return "-";
  return (time->measured ? "" : "~") + format_duration(time->seconds);
}

std::string raw_hours(const plan::PlannedRun& run) { return run.time ? canonical_json(run.time->seconds / 3600) : ""; }

// Not known before the tokens are: of a tokenizer that is yet to be trained.
std::string epochs_text(const plan::PlannedRun& run, bool raw) {
  if (!(run.epochs > 0)) return raw ? "" : render::kNothing;
  return raw ? canonical_json(run.epochs) : fmt::format("{:.3g}", run.epochs);
}

std::string memory_text(const plan::PlannedRun& run, bool raw) {
  if (!run.memory) return raw ? "" : "-";
  const int64_t bytes = run.memory->total_bytes();
  return raw ? std::to_string(bytes) : format_bytes(static_cast<double>(bytes));
}

// How plugins are named in a table: several that lie at paths are told apart by as much of these as it takes. `raw`: as
// they are.
std::map<std::string, std::string> plugin_names(const plan::Plan& plan, bool raw) {
  std::vector<std::string> plugins;
  for (const plan::PlannedRun& run : plan.runs) plugins.push_back(run.spec.model.plugin);
  auto names = distinct_names(plugins);
  if (!raw && names.size() > 1) return names;
  for (auto& [plugin, name] : names) name = plugin;
  return names;
}

// `raw`: every digit, for programs.
render::Table plan_table(const plan::Plan& plan, bool raw) {
  std::vector<std::string> axes = axis_paths(plan);
  // The plugin has a column of its own.
  std::erase(axes, "model.plugin");
  const bool outdated = std::any_of(plan.runs.begin(), plan.runs.end(),
                                    [](const plan::PlannedRun& run) { return run.other_build.has_value(); });
  const auto plugins = plugin_names(plan, raw);
  render::Table table;
  table.columns = {{"run"}, {"state"}, {"plugin"}};
  for (const std::string& path : axes) table.columns.push_back({path, render::Align::right});
  for (const char* title : {"seed", "params", "steps", "tokens", "epochs", "flops", raw ? "memory_bytes" : "memory",
                            raw ? "hours" : "time"})
    table.columns.push_back({title, render::Align::right});
  if (outdated) table.columns.push_back({"made by another build"});
  for (const plan::PlannedRun& run : plan.runs) {
    std::vector<std::string> row{run.id, run.state, plugins.at(run.spec.model.plugin)};
    for (const std::string& path : axes) {
      const json::value* value = run.axes.if_contains(path);
      row.push_back(value == nullptr             ? ""
                    : raw && !value->is_string() ? canonical_json(*value)
                                                 : spec::axis_text(path, *value));
    }
    const auto count = [&](double value) { return raw ? canonical_json(value) : format_count(value); };
    row.push_back(std::to_string(run.spec.seed));
    row.push_back(raw ? std::to_string(run.model.params) : format_thousands(run.model.params));
    row.push_back(raw ? std::to_string(run.spec.train.steps) : format_thousands(run.spec.train.steps));
    row.push_back(count(run.tokens));
    row.push_back(epochs_text(run, raw));
    row.push_back(raw ? canonical_json(run.flops) : fmt::format("{:.2e}", run.flops));
    row.push_back(memory_text(run, raw));
    row.push_back(raw ? raw_hours(run) : time_text(run.time));
    if (outdated) row.push_back(run.other_build ? run.other_build->text() : "");
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::string totals_line(const plan::Plan& plan) {
  const plan::PlanTotals totals = plan.totals();
  const std::string memory =
      totals.memory_bytes ? fmt::format("; at most {} a run", format_bytes(static_cast<double>(*totals.memory_bytes)))
                          : "";
  const std::string disk =
      totals.checkpoint_bytes.value_or(0) > 0
          ? fmt::format(", {} of checkpoints in all", format_bytes(static_cast<double>(*totals.checkpoint_bytes)))
          : "";
  const std::string left = totals.seconds_left && *totals.seconds_left > 0
                               ? fmt::format("; {} left on one slot", format_duration(*totals.seconds_left))
                               : "";
  return fmt::format("{}: {} {}, {} already done; {} tokens, {:.2e} FLOPs of training in all{}{}{}\n", plan.sweep.name,
                     format_thousands(totals.runs), totals.runs == 1 ? "run" : "runs", format_thousands(totals.done),
                     format_count(totals.tokens), totals.flops, memory, disk, left);
}

// Parameters, FLOPs and bytes of one model by its blocks, and its memory by part.
std::string blocks_text(const plan::PlannedRun& run) {
  render::Table table;
  table.columns = {{"block"}};
  for (const char* title : {"params", "FLOPs/token forward", "training", "share", "kept for backward"})
    table.columns.push_back({title, render::Align::right});
  for (const plugin::BlockCost& block : run.model.blocks) {
    table.rows.push_back(
        {block.name, format_thousands(block.params), format_count(block.flops_forward_per_token),
         format_count(block.flops_training_per_token()),
         fmt::format("{:.1f} %", 100 * block.flops_forward_per_token / run.model.flops_forward_per_token),
         format_bytes(static_cast<double>(block.kept_bytes))});
  }
  std::string text =
      fmt::format("{}, {} parameters, {} x {} tokens\n{}", run.spec.model.plugin, format_thousands(run.model.params),
                  run.spec.train.batch / run.spec.train.accumulate, run.spec.data.context, terminal_table(table));
  if (const auto& path = run.model.path)
    text += path->own ? "a step on a CPU is computed by the model's own engine\n"
                      : fmt::format("a step on a CPU is computed by blocks: {}\n", path->because);
  if (!run.memory) return text;
  const auto bytes = [](int64_t value) { return format_bytes(static_cast<double>(value)); };
  const plugin::MemoryNeed& need = run.memory->tensors;
  return text + fmt::format(
                    "weights {}, gradients {}, optimizer {}, activations {}: {} at most at once; the process {}; "
                    "a checkpoint {}\n",
                    bytes(need.weights), bytes(need.gradients), bytes(need.optimizer), bytes(need.activations),
                    bytes(need.peak), bytes(run.memory->process_bytes), bytes(need.checkpoint()));
}

// Every kind of model of the plans, once.
void print_blocks(const std::vector<plan::Plan>& plans) {
  std::set<std::string> told;
  for (const plan::Plan& plan : plans) {
    for (const plan::PlannedRun& run : plan.runs) {
      const std::string text = blocks_text(run);
      if (told.insert(text).second) print((told.size() > 1 ? "\n" : "") + text);
    }
  }
}

void print_tables(const std::vector<plan::Plan>& plans, bool quiet) {
  const char* gap = "";
  for (const plan::Plan& plan : plans) {
    print(gap + terminal_table(plan_table(plan, false)) + "\n" + totals_line(plan));
    gap = "\n";
    if (quiet) continue;
    for (const std::string& note : plan.notes) print_error("note: " + note);
    if (const std::string note = path_note(plan); !note.empty()) print_error("note: " + note);
    const auto outdated = std::count_if(plan.runs.begin(), plan.runs.end(),
                                        [](const plan::PlannedRun& run) { return run.other_build.has_value(); });
    if (outdated > 0)
      print_error(
          fmt::format("note: {} of {} finished runs were made by another build than the one at hand: run or "
                      "submit with --again makes them anew",
                      outdated, plan.totals().done));
    const auto unknown = std::count_if(plan.runs.begin(), plan.runs.end(), [](const auto& run) { return !run.time; });
    if (unknown > 0)
      print_error(fmt::format("note: {} of {} runs have no time: --measure trains each shape for some seconds", unknown,
                              plan.runs.size()));
  }
}

void print_json(const std::vector<plan::Plan>& plans, bool lines) {
  if (lines) {
    std::string text;
    for (const plan::Plan& plan : plans) {
      for (const json::value& run : plan_json(plan).at("runs").as_array()) {
        json::object row{{"sweep", plan.sweep.name}};
        for (const auto& member : run.get_object()) row[member.key()] = member.value();
        text += compact_json(row) + "\n";
      }
    }
    return print(text);
  }
  if (plans.size() == 1) return print(pretty_json(plan_json(plans[0])) + "\n");
  json::array all;
  for (const plan::Plan& plan : plans) all.push_back(plan_json(plan));
  print(pretty_json(all) + "\n");
}

// Every key that a sweep file may have, one below the other.
void print_keys() {
  render::Table table;
  table.columns = {{"key"}, {"what it takes; what it is; default"}};
  for (const std::string& line : spec::sweep_keys()) {
    const size_t gap = line.find("  ");
    table.rows.push_back({line.substr(0, gap), line.substr(gap + 2)});
  }
  print(terminal_table(table) + "\nBelow 'model' a plugin adds its own: 'bitsweep plugins NAME' lists them.\n");
}

int do_plan(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.flag("keys", "every key that a sweep file may have, with its range and default")
      .values("set", "PATH=VALUE: overrides a key of the sweep, e.g. train.steps=2000; repeatable")
      .flag("blocks", "parameters, FLOPs and memory of each model by its blocks, in place of the runs")
      .flag("measure", "first train each shape for a few seconds, as the queue would, and keep the speeds")
      .root_option()
      .output_options()
      .quiet_option();
  declare_device_options(line);
  if (!line.parse(args, 0)) return 0;
  if (line.has("keys")) {
    print_keys();
    return 0;
  }
  if (line.positional().empty())
    throw Error(ErrorKind::input, "bitsweep plan: expected a sweep file, or --keys to see what one may hold");
  const OutputFormat format = output_format(line);
  DataTexts texts(line.root() / "data");
  PrintedNotes notes(line.has("quiet"));
  std::vector<plan::Plan> plans = plan_sweeps(line.positional(), line.all("set"), line.root(), texts, notes);
  const coordinate::WorkOptions work = work_options(line);
  if (line.has("measure")) prepare::measure_speeds(plans, line.root(), work, notes);
  prepare::add_times(plans, line.root());
  for (plan::Plan& plan : plans) prepare::note_memory(plan, work.devices);
  if (format == OutputFormat::table && line.has("blocks")) {
    print_blocks(plans);
  } else if (format == OutputFormat::table) {
    print_tables(plans, line.has("quiet"));
  } else if (format == OutputFormat::csv) {
    if (plans.size() > 1)
      throw Error(ErrorKind::input, "--csv takes one sweep: the axes of several do not share columns");
    print(csv_table(plan_table(plans[0], true)));
  } else {
    print_json(plans, format == OutputFormat::jsonl);
  }
  return 0;
}

}  // namespace

const Verb kPlanVerb{"plan", "Show what a sweep would run: exact parameters, tokens, FLOPs, memory, time",
                     "SWEEP.yaml… | --keys", "bitsweep plan sweeps/quickstart.yaml --set train.steps=500", do_plan};

}  // namespace bitsweep::cli
