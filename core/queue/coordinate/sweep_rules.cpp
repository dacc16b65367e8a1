#include "coordinate/sweep_rules.h"

#include <algorithm>

#include <fmt/format.h>

#include "store/control.h"

namespace bitsweep {
namespace {

std::vector<std::string> texts(const json::object& object, std::string_view key) {
  std::vector<std::string> list;
  if (const json::value* value = object.if_contains(key); value != nullptr && value->is_array())
    for (const json::value& item : value->get_array())
      if (item.is_string()) list.emplace_back(item.get_string());
  return list;
}

std::string text_or(const json::object& object, std::string_view key, const char* otherwise) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : otherwise;
}

}  // namespace

SweepRules sweep_rules(const json::object& settings) {
  SweepRules rules;
  rules.stop_after = integer_or(settings, "stop_after", 0);
  rules.shortest_first = text_or(settings, "order", "longest") == "shortest";
  rules.after = texts(settings, "after");
  rules.on_oom = on_oom_from(text_or(settings, "on_oom", "fail")).value_or(OnOom::fail);
  rules.stop.rule = stop_rule_from(text_or(settings, "stop_rule", "none")).value_or(StopRule::none);
  const json::value* stop = settings.if_contains("stop");
  if (stop == nullptr || !stop->is_object()) return rules;
  const json::object& s = stop->get_object();
  rules.stop.grace = integer_or(s, "grace", 0);
  rules.stop.reduction = integer_or(s, "reduction", rules.stop.reduction);
  rules.stop.fewest = integer_or(s, "fewest", rules.stop.fewest);
  rules.stop.probability = number_or(s, "probability", rules.stop.probability);
  rules.stop_metric = text_or(s, "metric", "val_bpc");
  rules.stop_within = texts(s, "within");
  return rules;
}

std::string waits_for(Store& store, const SweepRules& rules) {
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

void QueueMaker::recover_shares(RunQueue& queue) {
  // By then sweeps that wait at the same time have long come even.
  constexpr int64_t kLastStarts = 10'000;
  Statement row = store_.database().prepare(
      "SELECT sweep.name, last.slots, run.flops, run.plugin FROM "
      "(SELECT run, attempt, slots, started FROM attempt ORDER BY started DESC LIMIT ?1) AS last "
      "JOIN run ON run.id = last.run JOIN sweep ON sweep.id = run.sweep ORDER BY last.started, run.position");
  for (row.bind(kLastStarts); row.step();) {
    QueuedRun run;
    run.slots = row.integer(1);
    const double flops = row.real(2);
    run.predicted_s = flops > 0 ? flops / flops_per_s(row.text(3)) : 0;
    queue.was_started(row.text(0), queue.charge(run));
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

QueuedRun QueueMaker::queued_run(const QueueEntry& entry, double latest) {
  QueuedRun run{.id = entry.id,
                .sweep = entry.sweep,
                .priority = entry.priority,
                .position = entry.position,
                .device = entry.device,
                .slots = entry.slots,
                .alone = entry.ran_out_of_memory && rules(entry.sweep).on_oom == OnOom::alone,
                .memory_bytes = entry.memory_bytes,
                .predicted_s = entry.flops > 0 ? entry.flops / flops_per_s(entry.plugin) : 0,
                .not_before = std::min(entry.not_before, latest),
                .paused = entry.paused,
                .init_from = entry.init_from,
                .init_from_state = entry.init_from_state,
                .passed_over = 0,
                .shortest_first = rules(entry.sweep).shortest_first};
  return run;
}

}  // namespace bitsweep
