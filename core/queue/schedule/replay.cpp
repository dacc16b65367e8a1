#include "schedule/replay.h"

#include <algorithm>

namespace bitsweep::schedule {
namespace {

struct Replay {
  std::vector<RunCurve> curves;  // as far as each has come
  std::vector<bool> stopped;
  std::vector<size_t> live;
};

std::vector<const RunCurve*> peers_of(const Replay& replay, size_t self) {
  std::vector<const RunCurve*> peers;
  for (size_t i = 0; i < replay.curves.size(); ++i)
    if (i != self && !replay.curves[i].losses.empty()) peers.push_back(&replay.curves[i]);
  return peers;
}

// Takes the next evaluation; false when the run is over, one way or the other.
bool go_on(Replay& replay, size_t i, const RunCurve& whole, const StopSettings& settings,
           const Extrapolate& extrapolate) {
  RunCurve& run = replay.curves[i];
  if (run.losses.size() < whole.losses.size()) run.losses.push_back(whole.losses[run.losses.size()]);
  if (run.losses.size() == whole.losses.size()) return run.done = true, false;
  replay.stopped[i] = should_stop(settings, run, peers_of(replay, i), extrapolate).stop;
  return !replay.stopped[i];
}

ReplayResult summary(const Replay& replay, std::span<const RunCurve> recorded) {
  ReplayResult result;
  std::vector<size_t> order;
  for (size_t i = 0; i < recorded.size(); ++i)
    if (!recorded[i].losses.empty()) order.push_back(i);
  const auto last = [&](size_t i) { return recorded[i].losses.back().loss; };
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return std::pair(last(a), a) < std::pair(last(b), b); });
  result.runs = static_cast<int64_t>(order.size());
  result.top = std::min<int64_t>(result.runs, std::max<int64_t>(1, result.runs / 10));
  bool found = false;
  for (size_t rank = 0; rank < order.size(); ++rank) {
    const size_t i = order[rank];
    const bool stopped = replay.stopped[i];
    result.steps += recorded[i].reached();
    result.steps_saved += recorded[i].reached() - replay.curves[i].reached();
    result.stopped += stopped;
    result.top_stopped += stopped && static_cast<int64_t>(rank) < result.top;
    if (!stopped && !found) {
      result.regret = last(i) - last(order.front());
      found = true;
    }
  }
  result.best_stopped = !order.empty() && replay.stopped[order.front()];
  return result;
}

}  // namespace

ReplayResult replay_stopping(const StopSettings& settings, std::span<const RunCurve> recorded, int64_t slots,
                             const Extrapolate& extrapolate) {
  Replay replay{{}, std::vector<bool>(recorded.size(), false), {}};
  for (const RunCurve& whole : recorded) replay.curves.push_back({whole.id, whole.steps, {}, false});
  size_t next = 0;
  while (next < recorded.size() || !replay.live.empty()) {
    while (next < recorded.size() && static_cast<int64_t>(replay.live.size()) < slots) replay.live.push_back(next++);
    std::erase_if(replay.live, [&](size_t i) { return !go_on(replay, i, recorded[i], settings, extrapolate); });
  }
  return summary(replay, recorded);
}

}  // namespace bitsweep::schedule
