#include "coordinate/live_attempt.h"

#include <algorithm>

#include "spec/sweep.h"
#include "spec/tokenizer_value.h"

namespace bitsweep::coordinate {
namespace {

bool decided_by_itself(const execute::Outcome& outcome) {
  return outcome.state == RunState::done || outcome.cause == ExitCause::diverged ||
         outcome.cause == ExitCause::bad_input;
}

execute::Outcome found(const Evidence& evidence) {
  if (evidence.poll.exit) return decode_exit(*evidence.poll.exit, evidence.end.status, evidence.end.message);
  // No record, but its last word was that all is done and saved: evidence is evidence, however late.
  if (evidence.end.status == "done") return {RunState::done, ExitCause::none, ""};
  if (evidence.poll.liveness == execute::Liveness::never_began)
    return {RunState::stopped, ExitCause::preempted, "the coordinator ended before it was started"};
  if (evidence.poll.liveness == execute::Liveness::lost_with_machine)
    return {RunState::stopped, ExitCause::preempted, "the machine was restarted"};
  return {RunState::failed, ExitCause::lost, "it vanished with its shim and left no record"};
}

std::string short_unit(const store::RunRecord& run) {
  const json::value* data = run.spec.if_contains("data");
  const bool tokens = data != nullptr && data->is_object() && spec::loss_unit(data->get_object()) == "bits per token";
  return tokens ? "bpt" : "bpc";
}

}  // namespace

void LiveAttempt::learn(const event::Event& event, double now) {
  progress.step = event.step;
  if (event.kind == "eval") {
    // Many that are read at once came one after another: their own count of time tells how far apart.
    const double elapsed = number_or(event.fields, "elapsed_s", 0);
    longest_gap = std::max({longest_gap, now - last_event, elapsed - elapsed_s});
    elapsed_s = elapsed;
    ++gaps;
  }
  last_event = now;
  cpu_s = -1;
  if (event.kind == "checkpoint") has_checkpoint = true;
  peak_bytes = std::max(peak_bytes, integer_or(event.fields, "peak_rss_bytes", 0));
  if (const double rate = number_or(event.fields, "tokens_per_s", 0); rate > 0) progress.tokens_per_s = rate;
  if (const json::value* loss = event.fields.if_contains("val_bpc"); loss != nullptr && loss->is_number())
    progress.val_bpc = loss->to_number<double>();
}

std::optional<double> LiveAttempt::eta_s(double now) const {
  if (!progress.tokens_per_s || run.steps <= 0) return std::nullopt;
  const double tokens_per_step = static_cast<double>(run.tokens) / static_cast<double>(run.steps);
  const double left = static_cast<double>(run.steps - progress.step) * tokens_per_step / *progress.tokens_per_s;
  return std::max(0.0, left - (now - last_event));
}

std::optional<double> LiveAttempt::flops_per_s() const {
  if (!progress.tokens_per_s || run.tokens <= 0 || run.flops <= 0) return std::nullopt;
  return *progress.tokens_per_s * run.flops / static_cast<double>(run.tokens);
}

double LiveAttempt::flops_left() const {
  if (run.steps <= 0) return 0;
  return run.flops * std::max(0.0, 1.0 - static_cast<double>(progress.step) / static_cast<double>(run.steps));
}

bool LiveAttempt::is_hung(double now, double after_s, execute::Executor& executor) {
  constexpr int64_t kEnoughGaps = 3;
  constexpr double kTimesLongest = 20;
  if (after_s <= 0 || now - last_event < after_s) return false;
  if (gaps >= kEnoughGaps && now - last_event > kTimesLongest * longest_gap) return true;
  if (!marked_running) return false;
  const double used = executor.cpu_seconds(run.id).value_or(cpu_s);
  if (cpu_s < 0 || used > cpu_s) {
    cpu_s = used;
    cpu_moved = now;
  }
  return now - cpu_moved > after_s;
}

LiveAttempt make_live(store::RunRecord run, store::AttemptRecord attempt, const fs::path& attempt_folder, double now) {
  store::EventTail tail(attempt_folder / "events.jsonl", attempt.events_offset, attempt.events_file);
  RunProgress progress{.run = run.id,
                       .sweep = run.sweep,
                       .plugin = run.plugin,
                       .point = spec::short_point_text(run.axes, run.seed),
                       .device = attempt.device,
                       .attempt = attempt.attempt,
                       .step = run.step,
                       .steps = run.steps,
                       .val_bpc = run.last_val_bpc,
                       .tokens_per_s = {},
                       .unit = short_unit(run),
                       .eta_s = {}};
  const bool running = attempt.state == RunState::running;
  return {.run = std::move(run),
          .attempt = std::move(attempt),
          .tail = std::move(tail),
          .progress = std::move(progress),
          .since = now,
          .last_event = now,
          .marked_running = running};
}

execute::Outcome judge(const Evidence& evidence) {
  const execute::Outcome outcome = found(evidence);
  const bool to_its_end = outcome.state == RunState::done;
  // Whether it was stopped in time or came to its end first is a matter of how fast the machine is.
  if (evidence.stop == StopReason::diverged && (to_its_end || !decided_by_itself(outcome)))
    return {RunState::failed, ExitCause::diverged, evidence.stop_words};
  if (decided_by_itself(outcome)) return outcome;
  switch (evidence.stop) {
    case StopReason::interrupt:
      return {RunState::stopped, ExitCause::stopped, "interrupted"};
    case StopReason::cancel:
      return {RunState::cancelled, ExitCause::cancelled, "cancelled"};
    case StopReason::timeout:
      return {RunState::failed, ExitCause::timeout, "longer than its time limit"};
    case StopReason::pause:
      return {RunState::stopped, ExitCause::stopped, "paused"};
    case StopReason::hung:
      return {RunState::failed, ExitCause::hung, "alive, but it told nothing and did nothing for too long"};
    case StopReason::disk:
      return {RunState::stopped, ExitCause::stopped, "the disk is full; it goes on when there is room"};
    case StopReason::rule:
      return {RunState::stopped, ExitCause::stopped, evidence.stop_words};
    default:
      return outcome;
  }
}

store::AttemptEnd end_of(const execute::Outcome& outcome, const std::optional<execute::ExitRecord>& exit,
                         double unix_s) {
  store::AttemptEnd end{.state = outcome.state,
                        .cause = outcome.cause,
                        .message = outcome.message,
                        .exit_code = {},
                        .signal = {},
                        .peak_rss_bytes = {},
                        .ended = exit ? exit->ended : unix_s};
  if (exit) {
    end.exit_code = exit->exit_code;
    end.signal = exit->signal;
    end.peak_rss_bytes = exit->peak_rss_bytes;
  }
  return end;
}

}  // namespace bitsweep::coordinate
