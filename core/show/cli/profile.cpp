// `bitsweep profile`: where the time of a training step goes, block by block, for every kind of model of a sweep.
#include <set>

#include <fmt/format.h>

#include "base/error.h"
#include "base/units.h"
#include "cli/data_texts.h"
#include "cli/options.h"
#include "cli/work_options.h"
#include "plan/speed.h"
#include "prepare/ask_worker.h"
#include "prepare/planning.h"
#include "prepare/scratch_folder.h"
#include "render/table.h"

namespace bitsweep::cli {
namespace {

struct StepTime {
  double forward_s = 0, backward_s = 0, products_s = 0, integers_s = 0;
  double total_s() const { return forward_s + backward_s; }
  double other_s() const { return total_s() - products_s - integers_s; }  // other work on floats
};

double seconds(const json::object& object, const char* key) { return object.at(key).to_number<double>(); }

StepTime time_of(const json::object& block) {
  return {seconds(block, "forward_s"), seconds(block, "backward_s"), seconds(block, "products_s"),
          seconds(block, "integers_s")};
}

// The worker's answer, profile_verb.h.
json::object profile(const plan::PlannedRun& run, const fs::path& root, const coordinate::WorkOptions& work,
                     int64_t steps, bool reference) {
  const prepare::ScratchFolder scratch(root, "profile");
  const fs::path spec = scratch.path() / "spec.json";
  write_file_atomic(spec, canonical_json(to_json(run.spec)));
  std::vector<std::string> extra{"--steps", std::to_string(steps)};
  if (reference) extra.push_back("--reference");
  return prepare::ask_worker(work, "profile", spec, root / "data", extra);
}

std::string heading(const plan::PlannedRun& run) {
  return fmt::format("{}, {} parameters, {} x {} tokens", run.spec.model.plugin, format_thousands(run.model.params),
                     run.spec.train.batch / run.spec.train.accumulate, run.spec.data.context);
}

std::string percent(double part_s, const StepTime& of) {
  return fmt::format("{:.1f} %", 100 * part_s / std::max(1e-12, of.total_s()));
}

// "by the model's own engine (AVX2)", or "by the model's blocks (precision bf16)"
std::string path_text(const json::object& profile) {
  const auto path = plugin::step_path_from_json(profile);
  if (path && path->own) return fmt::format("by the model's own engine ({})", string_or(profile, "instructions", ""));
  return fmt::format("by the model's blocks ({})", path ? path->because : "");
}

std::string profile_text(const plan::PlannedRun& run, const json::object& profile) {
  render::Table table;
  table.columns = {{"block"}};
  for (const char* title :
       {"forward ms", "backward ms", "share", "of it products of floats", "other on floats", "on integers"})
    table.columns.push_back({title, render::Align::right});
  StepTime sum;
  std::vector<std::pair<std::string, StepTime>> blocks;
  for (const json::value& block : profile.at("blocks").as_array()) {
    const StepTime time = time_of(block.as_object());
    blocks.emplace_back(string_or(block.as_object(), "name", ""), time);
    sum.forward_s += time.forward_s, sum.backward_s += time.backward_s;
    sum.products_s += time.products_s, sum.integers_s += time.integers_s;
  }
  const auto row = [&](const std::string& name, const StepTime& time) {
    table.rows.push_back({name, fmt::format("{:.2f}", 1e3 * time.forward_s),
                          fmt::format("{:.2f}", 1e3 * time.backward_s), percent(time.total_s(), sum),
                          percent(time.products_s, time), percent(time.other_s(), time),
                          percent(time.integers_s, time)});
  };
  for (const auto& [name, time] : blocks) row(name, time);
  row("all", sum);
  const double step_s = seconds(profile, "step_s");
  return fmt::format(
      "{}\n{}a step takes {:.1f} ms: {} tokens/s; computed {}; {} of it in products of floats, {} in other work on "
      "floats, {} on integers; tensors hold {} at most\n",
      heading(run), terminal_table(table), 1e3 * step_s,
      format_count(static_cast<double>(run.spec.tokens_per_step()) / step_s), path_text(profile),
      percent(sum.products_s, sum), percent(sum.other_s(), sum), percent(sum.integers_s, sum),
      format_bytes(seconds(profile, "peak_tensor_bytes")));
}

json::object profile_json(const plan::PlannedRun& run, json::object profile) {
  json::object row{{"plugin", run.spec.model.plugin},
                   {"params", run.model.params},
                   {"batch", run.spec.train.batch},
                   {"context", run.spec.data.context},
                   {"tokens_per_s", static_cast<double>(run.spec.tokens_per_step()) / seconds(profile, "step_s")}};
  for (const auto& member : profile) row[member.key()] = member.value();
  return row;
}

int do_profile(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.values("set", "PATH=VALUE: overrides a key of the sweep, e.g. model.params=10M; repeatable")
      .value("steps", "steps to time, after three to warm up (default 20)")
      .flag("reference",
            "with every block as a plain composition of LibTorch's operations: what ours is measured against")
      .root_option()
      .flag("json", "one JSON document");
  declare_device_options(line);
  if (!line.parse(args, 1)) return 0;
  const auto steps = static_cast<int64_t>(line.number("steps", 1, 100000).value_or(20));
  const coordinate::WorkOptions work = work_options(line);
  DataTexts texts(line.root() / "data");
  PrintedNotes notes;
  const std::vector<plan::Plan> plans = plan_sweeps(line.positional(), line.all("set"), line.root(), texts, notes);
  std::set<std::string> seen;
  json::array rows;
  for (const plan::Plan& plan : plans) {
    for (const plan::PlannedRun& planned : plan.runs) {
      if (!seen.insert(plan::speed_key(planned.spec)).second) continue;
      const json::object answer = profile(planned, line.root(), work, steps, line.has("reference"));
      if (line.has("json")) {
        rows.push_back(profile_json(planned, answer));
      } else {
        print((seen.size() > 1 ? "\n" : "") + profile_text(planned, answer));
      }
    }
  }
  if (line.has("json")) print(pretty_json(rows) + "\n");
  return 0;
}

}  // namespace

const Verb kProfileVerb{"profile", "Show where the time of a training step goes, block by block", "SWEEP.yaml…",
                        "bitsweep profile sweeps/quickstart.yaml --set model.params=500k", do_profile};

}  // namespace bitsweep::cli
