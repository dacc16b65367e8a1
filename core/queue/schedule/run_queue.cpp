#include "schedule/run_queue.h"

#include <algorithm>

namespace bitsweep::schedule {
namespace {

bool base_allows(const QueuedRun& run) { return run.init_from.empty() || run.init_from_state == RunState::done; }

}  // namespace

RunQueue::Place RunQueue::place_of(const QueuedRun& run) {
  return {run.position / kBlock, run.shortest_first ? run.predicted_s : -run.predicted_s, run.position, &run};
}

size_t RunQueue::demand_of(const QueuedRun& run) {
  const Demand demand{run.device, run.slots, run.alone, run.memory_bytes};
  const auto [found, fresh] = demand_numbers_.emplace(demand, demands_.size());
  if (fresh) demands_.push_back(demand);
  return found->second;
}

void RunQueue::put(QueuedRun run) {
  auto& slot = runs_[run.id];
  if (slot) {
    unlist(*slot);
    run.passed_over = std::max(run.passed_over, slot->run.passed_over);
  } else {
    slot = std::make_unique<Kept>();
    if (run.predicted_s > 0) known_s_ += run.predicted_s, ++known_;
  }
  slot->run = std::move(run);
  slot->demand = demand_of(slot->run);
  list(*slot);
}

// Where it can be found: among what is ready, among what will be at a time, or with the run it starts from.
void RunQueue::list(Kept& kept) {
  const QueuedRun& run = kept.run;
  kept.listed = kept.waits = false;
  if (!run.init_from.empty()) wants_[run.init_from].insert(run.id);
  if (run.paused || !base_allows(run)) return;
  kept.waits = run.not_before > now_;
  if (kept.waits) {
    later_.emplace(run.not_before, run.id);
    return;
  }
  kept.listed = true;
  ready_[run.priority][run.sweep][kept.demand].insert(place_of(run));
}

void RunQueue::unlist(Kept& kept) {
  const QueuedRun& run = kept.run;
  if (!run.init_from.empty()) {
    const auto wanted = wants_.find(run.init_from);
    if (wanted != wants_.end() && wanted->second.erase(run.id) > 0 && wanted->second.empty()) wants_.erase(wanted);
  }
  if (kept.waits) later_.erase({run.not_before, run.id});
  if (kept.listed) {
    const auto level = ready_.find(run.priority);
    const auto group = level->second.find(run.sweep);
    const auto places = group->second.find(kept.demand);
    places->second.erase(place_of(run));
    if (places->second.empty()) group->second.erase(places);
    if (group->second.empty()) level->second.erase(group);
    if (level->second.empty()) ready_.erase(level);
  }
  kept.listed = kept.waits = false;
}

void RunQueue::erase(std::string_view id) {
  const auto found = runs_.find(std::string(id));
  if (found == runs_.end()) return;
  unlist(*found->second);
  runs_.erase(found);
}

void RunQueue::clear() {
  ready_.clear();
  later_.clear();
  wants_.clear();
  runs_.clear();
  demands_.clear();
  demand_numbers_.clear();
  known_s_ = 0;
  known_ = 0;
}

std::optional<QueuedRun> RunQueue::start(std::string_view id) {
  const auto found = runs_.find(std::string(id));
  if (found == runs_.end()) return std::nullopt;
  unlist(*found->second);
  QueuedRun run = std::move(found->second->run);
  runs_.erase(found);
  was_started(run.sweep, charge(run));
  return run;
}

void RunQueue::was_started(const std::string& sweep, double charge) {
  const double tag = start_tag(sweep);
  tags_[sweep] = tag + charge;
  virtual_time_ = tag;
}

void RunQueue::pass_over(std::string_view id, int64_t times) {
  if (const auto found = runs_.find(std::string(id)); found != runs_.end()) found->second->run.passed_over += times;
}

void RunQueue::base_is(const std::string& id, RunState state) {
  const auto wanted = wants_.find(id);
  if (wanted == wants_.end()) return;
  for (const std::string& run : std::set<std::string>(wanted->second)) {
    Kept& kept = *runs_.at(run);
    unlist(kept);
    kept.run.init_from_state = state;
    list(kept);
  }
}

void RunQueue::hold(const std::string& sweep, std::string why) {
  if (why.empty())
    held_.erase(sweep);
  else
    held_[sweep] = std::move(why);
}

void RunQueue::advance(double now) {
  now_ = std::max(now_, now);
  while (!later_.empty() && later_.begin()->first <= now_) {
    Kept& kept = *runs_.at(later_.begin()->second);
    unlist(kept);
    list(kept);
  }
}

const QueuedRun* RunQueue::find(std::string_view id) const {
  const auto found = runs_.find(std::string(id));
  return found == runs_.end() ? nullptr : &found->second->run;
}

Readiness RunQueue::readiness(const QueuedRun& run, double now) const {
  if (run.paused) return Readiness::paused;
  if (held_.contains(run.sweep)) return Readiness::held;
  if (!base_allows(run)) {
    const bool over = !run.init_from_state || is_terminal(*run.init_from_state);
    return over ? Readiness::dependency_failed : Readiness::dependency;
  }
  return run.not_before > std::max(now, now_) ? Readiness::back_off : Readiness::ready;
}

std::string RunQueue::why_held(const std::string& sweep) const {
  const auto found = held_.find(sweep);
  return found == held_.end() ? "" : found->second;
}

int64_t RunQueue::ready_before(const QueuedRun& run) const {
  int64_t count = 0;
  for (const auto& [priority, level] : ready_) {
    if (priority < run.priority) break;
    for (const auto& [sweep, group] : level) {
      if (is_held(sweep) || (priority == run.priority && sweep != run.sweep)) continue;
      for (const auto& [demand, places] : group)
        count += priority > run.priority ? static_cast<int64_t>(places.size())
                                         : std::distance(places.begin(), places.lower_bound(place_of(run)));
    }
  }
  return count;
}

std::optional<double> RunQueue::next_wake() const {
  if (later_.empty()) return std::nullopt;
  return later_.begin()->first;
}

double RunQueue::start_tag(const std::string& sweep) const {
  const auto found = tags_.find(sweep);
  return found == tags_.end() ? virtual_time_ : std::max(found->second, virtual_time_);
}

double RunQueue::charge(const QueuedRun& run) const {
  const double mean = known_ > 0 ? known_s_ / static_cast<double>(known_) : 1;
  return static_cast<double>(run.slots) * (run.predicted_s > 0 ? run.predicted_s : mean);
}

}  // namespace bitsweep::schedule
