#include "imports/run_order.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

namespace bitsweep::imports {
namespace {

constexpr size_t kFewestOfNoOrder = 4;  // events that must fall back before they are in no order
constexpr size_t kNoOrder = 3;          // one of so many falls back
constexpr size_t kMostFalls = 1000;     // nobody takes a run up more often; each costs a look at all that is kept

bool by_step(const event::Event& a, const event::Event& b) { return a.step < b.step; }

// How many events lie before one of their kind that was said earlier, and how many behind.
struct Directions {
  size_t back = 0, forth = 0;
};

Directions directions_of(const std::vector<event::Event>& events) {
  Directions directions;
  std::map<std::string, int64_t> last;
  for (const event::Event& event : events) {
    const auto [at, fresh] = last.try_emplace(event.kind, event.step);
    if (!fresh && event.step < at->second) ++directions.back;
    if (!fresh && event.step > at->second) ++directions.forth;
    at->second = event.step;
  }
  return directions;
}

// What an event that falls back makes void of those before it.
size_t give_up(std::vector<event::Event>& kept, const event::Event& event) {
  size_t evals = 0;
  std::erase_if(kept, [&](const event::Event& earlier) {
    const bool again = earlier.step == event.step && earlier.kind == event.kind;
    if (earlier.step <= event.step && !again) return false;
    evals += earlier.kind == "eval" && !again;
    return true;
  });
  return evals;
}

std::string evaluations(size_t count) { return count == 1 ? "an evaluation" : fmt::format("{} evaluations", count); }

void take_up(ForeignRun& run, LogTally& tally) {
  std::vector<event::Event> kept;
  std::map<std::string, int64_t> last;
  for (event::Event& event : run.events) {
    const auto [at, fresh] = last.try_emplace(event.kind, event.step);
    if (!fresh && event.step < at->second) {
      const int64_t from = at->second;
      const size_t evals = give_up(kept, event);
      tally.note("falls back" + run.name, 0,
                 fmt::format("run '{}': its steps fall back from {} to {}: what lies beyond was given up, {} left out",
                             excerpt(run.name), from, event.step,
                             evals == 1 ? "an evaluation is" : evaluations(evals) + " are"));
      for (auto& [kind, step] : last) step = std::min(step, event.step);
    }
    at->second = event.step;
    kept.push_back(std::move(event));
  }
  run.events = std::move(kept);
}

// Losses of the evaluations of each step that has several.
using Repeated = std::map<int64_t, std::vector<const event::Event*>>;

Repeated repeated_steps(const ForeignRun& run) {
  Repeated steps;
  for (const event::Event& event : run.events)
    if (event.kind == "eval") steps[event.step].push_back(&event);
  std::erase_if(steps, [](const auto& step) {
    if (step.second.size() < 2) return true;
    const json::value* first = step.second[0]->fields.if_contains("val_bpc");
    return std::all_of(step.second.begin(), step.second.end(), [&](const event::Event* event) {
      const json::value* loss = event->fields.if_contains("val_bpc");
      return loss != nullptr && first != nullptr && *loss == *first;
    });
  });
  return steps;
}

// Texts that differ between the evaluations of every one of these steps; "" where no field has such.
std::string telling_field(const Repeated& steps, std::set<std::string>& values) {
  for (const auto& member : steps.begin()->second[0]->fields) {
    values.clear();
    const auto differs = [&](const auto& step) {
      std::set<std::string> here;
      for (const event::Event* event : step.second)
        if (const json::value* value = event->fields.if_contains(member.key()); value != nullptr && value->is_string())
          here.insert(std::string(value->get_string()));
      values.insert(here.begin(), here.end());
      return here.size() == step.second.size();
    };
    if (member.value().is_string() && std::all_of(steps.begin(), steps.end(), differs) && values.size() <= 16)
      return std::string(member.key());
  }
  return "";
}

}  // namespace

void put_in_order(ForeignRun& run, LogTally& tally) {
  const Directions directions = directions_of(run.events);
  if (directions.back == 0) return;
  const bool newest_first = directions.forth == 0 && directions.back > 1;
  if (newest_first) std::reverse(run.events.begin(), run.events.end());
  const bool no_order = directions.back > kMostFalls ||
                        (directions.back >= kFewestOfNoOrder && directions.back * kNoOrder > run.events.size());
  if (newest_first || no_order) {
    std::stable_sort(run.events.begin(), run.events.end(), by_step);
    tally.note("no order" + run.name, 0,
               fmt::format("run '{}': its rows are {}: read by their steps", excerpt(run.name),
                           newest_first ? "newest first" : "in no order of steps"));
    return;
  }
  take_up(run, tally);
}

void check_repeated_steps(const ForeignRun& run, LogTally& tally) {
  const Repeated steps = repeated_steps(run);
  if (steps.empty()) return;
  std::set<std::string> values;
  const std::string field = telling_field(steps, values);
  const std::string where = fmt::format(
      "run '{}': step {} is there {} times with different losses{}", excerpt(run.name), steps.begin()->first,
      steps.begin()->second.size(), steps.size() > 1 ? fmt::format(", and {} more steps are", steps.size() - 1) : "");
  if (field.empty()) return tally.note("repeated" + run.name, 0, where + ": the later one counts");
  std::string words;
  for (const std::string& value : values) words += (words.empty() ? "" : ", ") + excerpt(value);
  tally.mistake("told apart", 0, 0,
                fmt::format("{}; '{}' tells them apart ({}): keep the rows of one, or make each a run by --map run={}",
                            where, excerpt(field), words, field));
}

}  // namespace bitsweep::imports
