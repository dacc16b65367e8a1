// `bitsweep status`: what is done, what runs where and how fast, why the rest waits.
#include <array>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/units.h"
#include "cli/options.h"
#include "coordinate/queue_view.h"
#include "query/run_columns.h"
#include "render/format.h"
#include "report/run_table.h"
#include "spec/sweep.h"

namespace bitsweep::cli {
namespace {

constexpr std::array kStates = {"queued", "starting", "running", "done", "failed", "stopped", "cancelled"};
constexpr int64_t kMostRunsListed = 20;  // queued runs told one by one …
constexpr int64_t kMostTold = 1000;      // … and in JSON

std::string live_table(const coordinate::QueueView& view) {
  render::Table table{{{"running"},
                       {"plugin"},
                       {"params", render::Align::right},
                       {"what"},
                       {"device"},
                       {"step", render::Align::right},
                       {"val_bpc", render::Align::right},
                       {"tok/s", render::Align::right},
                       {"left", render::Align::right}},
                      {}};
  for (const auto& [run, device, left, diverging] : view.live) {
    const std::string what = spec::short_point_text(run.axes, run.seed) + (diverging ? ", diverging" : "");
    table.rows.push_back({run.id, run.plugin, format_count(static_cast<double>(run.params)), what, device,
                          fmt::format("{}/{}", run.step, run.steps),
                          run.last_val_bpc ? fmt::format("{:.4f}", *run.last_val_bpc) : "-",
                          run.tokens_per_s ? format_count(*run.tokens_per_s) : "-",
                          left ? format_duration(*left) : "?"});
  }
  return terminal_table(table);
}

std::string text_of(const coordinate::QueueView& view) {
  std::string text = render::plural(view.runs(), "run", "runs") + ":";
  for (const char* state : kStates)
    if (const int64_t n = view.count(*run_state_from(state)); n > 0) text += fmt::format("  {} {}", n, state);
  const bool left = !view.is_over();
  if (left)
    text +=
        view.eta_s ? fmt::format("  about {} left", format_duration(*view.eta_s)) : "  time left not known yet";
  text += "\n";
  if (left) text += fmt::format("checkpoints of these will take about {}\n", format_bytes(view.checkpoint_bytes));
  if (left && !view.coordinator) text += "no 'bitsweep work' or 'run' holds this root now\n";
  if (left && !view.held.empty()) text += view.held + "\n";
  if (!view.live.empty()) text += "\n" + live_table(view);
  if (view.waiting.empty()) return text;
  render::Table table{{{"queued"}, {"plugin"}, {"params", render::Align::right}, {"what"}, {"why it waits"}}, {}};
  for (const coordinate::QueueView::Waiting& w : view.waiting)
    table.rows.push_back({w.run.id, w.run.plugin, format_count(static_cast<double>(w.run.params)),
                          spec::short_point_text(w.run.axes, w.run.seed), w.why});
  text += "\n" + terminal_table(table);
  const int64_t more = view.count(RunState::queued) - static_cast<int64_t>(view.waiting.size());
  if (more > 0) text += fmt::format("… and {} more\n", more);
  return text;
}

json::object json_of(const coordinate::QueueView& view) {
  json::object counts;
  for (const char* state : kStates) counts[state] = view.count(*run_state_from(state));
  json::array running, queued;
  for (const auto& [run, device, left, diverging] : view.live) {
    json::object object = run_json(run);
    object["step"] = run.step;
    object["device"] = device;
    object["eta_s"] = left ? json::value(*left) : json::value(nullptr);
    if (diverging) object["diverging"] = true;
    running.push_back(std::move(object));
  }
  for (const coordinate::QueueView::Waiting& w : view.waiting)
    queued.push_back(json::object{{"id", w.run.id}, {"why", w.why}});
  return {{"counts", std::move(counts)},
          {"working", view.coordinator},
          {"held", view.held},
          {"running", std::move(running)},
          {"queued", std::move(queued)},
          {"checkpoint_bytes", view.checkpoint_bytes},
          {"eta_s", view.eta_s ? json::value(*view.eta_s) : json::value(nullptr)}};
}

// Until nothing is queued or live: again after every commit, and every few seconds for the times.
int watch(const query::Query& query, store::Store& store, const std::vector<std::string>& sweeps) {
  for (;;) {
    const coordinate::QueueView view = coordinate::view_queue(query, store, sweeps, kMostRunsListed);
    print((stdout_is_terminal() ? "\x1b[H\x1b[2J" : "") + text_of(view));
    if (view.is_over()) return 0;
    const int64_t seen = query.data_version();
    for (int i = 0; i < 10; ++i) {
      system_clock().sleep_s(0.5);
      if (query.data_version() != seen) break;
    }
  }
}

int do_status(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.flag("watch", "again and again, until nothing is queued or running")
      .flag("json", "one JSON document")
      .root_option();
  if (!line.parse(args)) return 0;
  const query::Query query(line.root());
  std::vector<std::string> sweeps;
  for (const std::string& name : line.positional()) sweeps.push_back(query.sweep_name(name));
  store::Store store(line.root(), store::StoreMode::read_only);
  if (line.has("watch")) return watch(query, store, sweeps);
  const coordinate::QueueView view =
      coordinate::view_queue(query, store, sweeps, line.has("json") ? kMostTold : kMostRunsListed);
  print(line.has("json") ? pretty_json(json_of(view)) + "\n" : text_of(view));
  return 0;
}

}  // namespace

const Verb kStatusVerb{"status", "Counts by state, what runs where and how fast, why the rest waits", "[SWEEP…]",
                       "bitsweep status --watch", do_status};

}  // namespace bitsweep::cli
