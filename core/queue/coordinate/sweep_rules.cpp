#include "coordinate/sweep_rules.h"

#include <algorithm>

#include <fmt/format.h>

#include "spec/tokenizer_value.h"
#include "store/control.h"
#include "store/sweep_settings.h"

namespace bitsweep::coordinate {

SweepRules sweep_rules(const json::object& object) {
  const store::SweepSettings settings = store::sweep_settings_from(object);
  SweepRules rules;
  rules.stop_after = settings.stop_after;
  rules.shortest_first = settings.order == "shortest";
  rules.after = settings.after;
  rules.on_oom = schedule::on_oom_from(settings.on_oom).value_or(schedule::OnOom::fail);
  rules.stop = {.rule = schedule::stop_rule_from(settings.stop_rule).value_or(schedule::StopRule::none),
                .grace = settings.stop.grace,
                .reduction = settings.stop.reduction,
                .fewest = settings.stop.fewest,
                .probability = settings.stop.probability};
  rules.stop_metric = settings.stop.metric;
  rules.stop_within = settings.stop.within;
  rules.diverged = settings.stop.diverged;
  return rules;
}

schedule::DivergenceRule divergence_rule(const SweepRules& rules, const store::RunRecord& run) {
  const auto section = [&](const char* key) {
    const json::value* value = run.spec.if_contains(key);
    return value != nullptr && value->is_object() ? value->get_object() : json::object();
  };
  return {.uniform_bpc = spec::uniform_bits_per_byte(section("data")).value_or(0),
          .multiple = rules.diverged,
          .warmup = integer_or(section("train"), "warmup", 0),
          .steps = run.steps,
          .unit = spec::loss_unit(section("data"))};
}

std::string waits_for(store::Store& store, const SweepRules& rules) {
  for (const std::string& name : rules.after) {
    if (store.sweep_settings(name)) {
      int64_t left = 0;
      const std::vector<std::string> names{name};
      for (const auto& [state, count] : store.counts(names))
        if (!is_terminal(state)) left += count;
      if (left > 0)
        return fmt::format("comes after sweep {}, of which {} run{} not ended", name, left,
                           left == 1 ? " has" : "s have");
    } else if (const auto state = store.state(name)) {
      if (!is_terminal(*state)) return fmt::format("comes after run {}, which is {}", name, to_text(*state));
    } else {
      return fmt::format("comes after {}, which is no sweep or run of this root", name);
    }
  }
  return "";
}

double QueueMaker::flops_per_s(const std::string& plugin) {
  const auto [known, fresh] = rates_.emplace(plugin, 0);
  if (fresh) known->second = measured_flops_per_s(store_, plugin).value_or(0);
  if (known->second > 0) return known->second;
  for (const auto& [name, rate] : rates_)
    if (rate > 0) return rate;
  return 1;
}

void QueueMaker::recover_shares(schedule::RunQueue& queue) {
  // By then sweeps that wait at the same time have long come even.
  constexpr int64_t kLastStarts = 10'000;
  for (const store::PastStart& start : last_starts(store_, kLastStarts)) {
    schedule::QueuedRun run;
    run.slots = start.slots;
    run.predicted_s = start.flops > 0 ? start.flops / flops_per_s(start.plugin) : 0;
    queue.was_started(start.sweep, queue.charge(run));
  }
}

const SweepRules& QueueMaker::rules(const std::string& sweep) {
  const auto known = rules_.find(sweep);
  if (known != rules_.end()) return known->second;
  return rules_.emplace(sweep, sweep_rules(store_.sweep_settings(sweep).value_or(json::object{}))).first->second;
}

void QueueMaker::forget() {
  rules_.clear();
  rates_.clear();
}

schedule::QueuedRun QueueMaker::queued_run(const store::QueueEntry& entry, double ready_at) {
  schedule::QueuedRun run{.id = entry.id,
                          .sweep = entry.sweep,
                          .priority = entry.priority,
                          .position = entry.position,
                          .device = entry.device,
                          .slots = entry.slots,
                          .alone = entry.ran_out_of_memory && rules(entry.sweep).on_oom == schedule::OnOom::alone,
                          .memory_bytes = entry.memory_bytes,
                          .predicted_s = entry.flops > 0 ? entry.flops / flops_per_s(entry.plugin) : 0,
                          .not_before = ready_at,
                          .paused = entry.paused,
                          .init_from = entry.init_from,
                          .init_from_state = entry.init_from_state,
                          .passed_over = 0,
                          .shortest_first = rules(entry.sweep).shortest_first};
  return run;
}

}  // namespace bitsweep::coordinate
