#include "train/trainer.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <unistd.h>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/sha256.h"
#include "base/units.h"
#include "spec/best_metric.h"
#include "train/device.h"
#include "train/evaluate.h"
#include "train/freeze.h"
#include "train/probe.h"
#include "train/restore.h"
#include "train/stepper.h"

namespace bitsweep::train {
namespace {

// On a GPU, losses are looked at in groups of this many micro-batches.
constexpr int64_t kLossGroup = 16;

CheckpointOwner owner_of(const TrainJob& job, const data::Dataset& dataset) {
  return {.run = job.run,
          .spec_sha256 = sha256_hex(canonical_json(identity(job.spec))),
          .plugin = job.spec.model.plugin,
          .tokenizer_sha256 = dataset.tokenizer() != nullptr ? dataset.tokenizer()->facts().sha256 : ""};
}

MetricKind best_metric_of(const spec::RunSpec& spec) {
  if (const auto conflict = best_metric_conflict(spec)) throw Error(ErrorKind::input, "run spec: " + conflict->message);
  return *best_metric(spec);
}

nn::Model& prepared(nn::Model& model, const spec::TrainSpec& train, c10::Device device) {
  model.to(device);
  freeze_parameters(model, train.freeze);
  return model;
}

class Trainer {
 public:
  Trainer(const TrainJob& job, nn::Model& model, const data::Dataset& dataset, event::EventWriter& events, Notes& log)
      : job_(job),
        train_(job.spec.train),
        model_(prepared(model, train_, job.device)),
        dataset_(dataset),
        events_(events),
        log_(log),
        owner_(owner_of(job, dataset)),
        folder_(job.attempt_folder / "checkpoints"),
        optimizer_(make_optimizer(train_, model_.parameters())),
        losses_(job.device.is_cpu() ? 1 : kLossGroup),
        stepper_(job_.spec, dataset_, model_, *optimizer_, losses_, job.device),
        windows_(dataset.validation(job.spec.eval)),
        best_(best_metric_of(job.spec)) {
    progress_.best_metric = best_.name;
  }

  TrainOutcome run() {
    make_folder(folder_);
    restore();
    if (job_.spec.eval.before && progress_.step == 0) evaluate_before();
    begin_interval();
    while (progress_.step < train_.steps) {
      if (stop_requested()) return stop();
      stepper_.run(progress_.step);
      if (auto outcome = diverged()) return *outcome;
      ++progress_.step;
      progress_.tokens += job_.spec.tokens_per_step();
      if (auto outcome = after_step()) return *outcome;
    }
    return finish();
  }

 private:
  template <class... Args>
  void log_line(fmt::format_string<Args...> format, Args&&... args) {
    log_.progress(fmt::format(format, std::forward<Args>(args)...));
  }
  bool stop_requested() const { return job_.stop != nullptr && job_.stop->load(std::memory_order_relaxed); }
  bool is_last_step() const { return progress_.step == train_.steps; }
  double elapsed_s() const { return system_clock().monotonic_s() - started_s_; }
  fs::path last_path() const { return folder_ / "last.safetensors"; }
  fs::path best_path() const { return folder_ / "best.safetensors"; }

  void restore() {
    const auto refused = [&](const fs::path& path, const std::string& why) {
      log_line("refused checkpoint {}: {}", path.string(), why);
      events_.write("checkpoint_refused", 0, {{"path", path.string()}, {"message", why}});
    };
    const auto resumed = resume_from(job_.resume, owner_, all_tensors(model_, *optimizer_), refused);
    if (resumed) {
      progress_ = resumed->progress;
      // The spec may name another metric than it did before: then nothing is the best yet.
      if (progress_.best_metric != best_.name) {
        progress_.best_metric = best_.name;
        progress_.best_step = 0;
      }
      losses_.restore(progress_.interval_nats, progress_.interval_losses);
      earlier_s_ = progress_.elapsed_s;
      adopt_best();
      events_.write("resume", progress_.step, {{"from", resumed->from.string()}});
      log_line("resumed from {} at step {}", resumed->from.string(), progress_.step);
    } else if (!job_.init.empty()) {
      initialize_from(job_.init, model_, owner_.tokenizer_sha256);
      log_line("parameters from {}", job_.init.string());
    }
  }

  // The best checkpoint of an attempt before becomes this attempt's, so that the latest attempt always has it.
  void adopt_best() {
    std::error_code code;
    if (!job_.spec.checkpoint.keep_best) return;
    for (const fs::path& candidate : job_.resume) {
      const fs::path best = candidate.parent_path() / "best.safetensors";
      if (fs::exists(best_path(), code)) return;
      if (fs::exists(best, code)) adopt(best);
    }
  }

  void adopt(const fs::path& best) {
    try {
      const Checkpoint checkpoint(best);
      checkpoint.require_owner(owner_);
      if (checkpoint.progress().step == progress_.best_step) link_checkpoint(best, best_path());
    } catch (const Error& error) {
      log_line("left {} behind: {}", best.string(), error.what());
    }
  }

  // Evaluation and checkpoints that are due after the step just done.
  std::optional<TrainOutcome> after_step() {
    const bool evaluate_now = progress_.step % std::max<int64_t>(1, job_.spec.eval.every) == 0 || is_last_step();
    const bool last_now = job_.spec.checkpoint.keep_last &&
                          (progress_.step % std::max<int64_t>(1, job_.spec.checkpoint.every) == 0 || is_last_step());
    if (!evaluate_now && !last_now) return std::nullopt;
    end_interval();
    // What is written below must not come after a loss that was not finite.
    losses_.flush();
    if (auto outcome = diverged()) return outcome;
    bool improved = false;
    if (evaluate_now) {
      const double val_bpc = evaluate();
      if (!std::isfinite(val_bpc)) return divergence(progress_.step, "the validation loss is not finite");
      improved = progress_.best_step == progress_.step;
    }
    save(last_now, improved && job_.spec.checkpoint.keep_best);
    begin_interval();
    return std::nullopt;
  }

  bool probe_now() const {
    const std::string& when = job_.spec.eval.probes;
    return when == "every" || (when == "last" && is_last_step());
  }

  // Where attention looks, into the event and in full into a file of its own.
  void probe(const nn::StepContext& context, json::object& fields) {
    const Probe probe = probe_model(model_, dataset_.validation(kProbeWindows), dataset_.context(), context,
                                    job_.device, parse_precision(train_.precision));
    for (const nn::Metric& metric : metrics_of(probe)) fields[metric.name] = metric.value;
    if (!probe.has_attention()) return;
    write_file_atomic(job_.attempt_folder / pointer_health_file(progress_.step),
                      pretty_json(pointer_health_json(probe, job_.run, progress_.step)) + "\n");
  }

  void ask(const nn::StepContext& context, json::object& fields, bool all) {
    TaskModel model(model_, task_model_settings(job_.spec, job_.tasks, context, job_.device));
    const AskedTasks asked = ask_tasks(job_.tasks, all, model, job_.run, progress_.step, job_.attempt_folder, log_);
    for (const auto& [name, value] : asked.metrics) fields[name] = value;
  }

  // The windows one by one at the end alone: they are what comparisons of finished runs are made of.
  void tell_spread(const WindowSpread& spread, json::object& fields) const {
    constexpr double kDigits = 1e6;
    if (spread.standard_error) fields["val_bpc_se"] = *spread.standard_error;
    if (!is_last_step() || spread.blocks.empty()) return;
    json::array& blocks = fields["window_bpc"].emplace_array();
    for (const double block : spread.blocks) blocks.push_back(std::round(block * kDigits) / kDigits);
  }

  void score_also(const nn::StepContext& context, json::object& fields) {
    for (const AlsoScored& text : job_.also)
      fields[text.metric] =
          finite_or_null(validate(model_, text.windows, dataset_.context(), train_.batch / train_.accumulate, context,
                                  job_.device, parse_precision(train_.precision))
                             .bits_per_byte);
  }

  // What the run starts from, measured as its end will be; no candidate for the best checkpoint.
  void evaluate_before() {
    const nn::StepContext context{.training = false, .step = 0, .total_steps = train_.steps, .noise = {}};
    const Validation validation = validate(model_, windows_, dataset_.context(), train_.batch / train_.accumulate,
                                           context, job_.device, parse_precision(train_.precision));
    json::object fields{{"val_bpc", finite_or_null(validation.bits_per_byte)}, {"tokens", 0}};
    score_also(context, fields);
    if (job_.spec.eval.probes != "off" && std::isfinite(validation.bits_per_byte)) probe(context, fields);
    ask(context, fields, /*all=*/true);
    events_.write("eval", 0, fields);
    log_line("before the first step  val {:.4f} bits/byte", validation.bits_per_byte);
  }

  // Whether an evaluation told a better value of what decides the best checkpoint than all before it.
  bool take_best(const json::object& fields) {
    const json::value* told = fields.if_contains(best_.name);
    if (told == nullptr || !told->is_number()) return false;
    const auto value = told->to_number<double>();
    const bool better = best_.better == Better::higher ? value > progress_.best_value : value < progress_.best_value;
    if (progress_.best_step > 0 && !better) return false;
    progress_.best_value = value;
    progress_.best_step = progress_.step;
    return true;
  }

  double evaluate() {
    const nn::StepContext context{
        .training = false, .step = progress_.step - 1, .total_steps = train_.steps, .noise = {}};
    const Validation validation = validate(model_, windows_, dataset_.context(), train_.batch / train_.accumulate,
                                           context, job_.device, parse_precision(train_.precision));
    const double val_bpc = validation.bits_per_byte;
    const double train_bpc = losses_.mean_nats() / std::numbers::ln2 / dataset_.bytes_per_train_token();
    const double tokens_per_s =
        interval_s_ > 0 ? static_cast<double>(interval_steps_ * job_.spec.tokens_per_step()) / interval_s_ : 0.0;
    json::object fields{{"val_bpc", finite_or_null(val_bpc)},
                        {"train_bpc", finite_or_null(train_bpc)},
                        {"tokens", progress_.tokens},
                        {"lr", stepper_.lr()},
                        {"grad_norm", finite_or_null(stepper_.gradient_norm())},
                        {"tokens_per_s", tokens_per_s},
                        {"peak_rss_bytes", peak_rss_bytes()},
                        {"elapsed_s", elapsed_s()},
                        {"best", false}};  // decided when all is told
    if (!job_.spec.data.is_bytes()) {
      fields["val_bpt"] = finite_or_null(validation.bits_per_token);
      fields["bytes_per_token"] = static_cast<double>(windows_.target_bytes(0, windows_.count())) /
                                  static_cast<double>(windows_.targets(0, windows_.count()));
    }
    if (validation.answers) {
      fields["answer_accuracy"] = validation.answers->accuracy;
      fields["answer_loss_bits"] = finite_or_null(validation.answers->loss_bits);
    }
    tell_spread(validation.spread, fields);
    for (const nn::Metric& metric : model_.metrics()) fields[metric.name] = finite_or_null(metric.value);
    if (probe_now() && std::isfinite(val_bpc)) probe(context, fields);
    if (std::isfinite(val_bpc)) ask(context, fields, is_last_step());
    score_also(context, fields);
    fields["best"] = std::isfinite(val_bpc) && take_best(fields);
    events_.write("eval", progress_.step, fields);
    const std::string answers =
        validation.answers ? fmt::format("  answers {:.1f} %", 100 * validation.answers->accuracy) : "";
    log_line("step {}/{}  val {:.4f}  train {:.4f} bits/byte{}  lr {:.3g}  |g| {:.3g}  {} tokens/s  {}", progress_.step,
             train_.steps, val_bpc, train_bpc, answers, stepper_.lr(), stepper_.gradient_norm(),
             format_count(tokens_per_s), format_duration(elapsed_s()));
    losses_.begin_interval();
    interval_s_ = 0;
    interval_steps_ = 0;
    return val_bpc;
  }

  void save(bool last, bool best) {
    if (!last && !best) return;
    // Events first: a run that goes on from this checkpoint will not tell them again.
    events_.sync();
    progress_.elapsed_s = earlier_s_ + elapsed_s();
    progress_.interval_nats = losses_.sum_nats();
    progress_.interval_losses = losses_.count();
    const fs::path first = last ? last_path() : best_path();
    const double begin_s = system_clock().monotonic_s();
    const uint64_t bytes = write_checkpoint(first, owner_, progress_, all_tensors(model_, *optimizer_));
    tell_saved(first, bytes, begin_s);
    if (!last || !best) return;
    const double link_s = system_clock().monotonic_s();
    link_checkpoint(first, best_path());
    tell_saved(best_path(), bytes, link_s);
  }

  void tell_saved(const fs::path& path, uint64_t bytes, double begin_s) {
    events_.write("checkpoint", progress_.step,
                  {{"path", (folder_.filename() / path.filename()).string()},
                   {"bytes", bytes},
                   {"seconds", system_clock().monotonic_s() - begin_s}});
  }

  std::optional<TrainOutcome> diverged() {
    const std::optional<int64_t> step = losses_.first_non_finite();
    if (!step) return std::nullopt;
    return divergence(*step, fmt::format("the training loss of step {} is not finite", *step + 1));
  }

  TrainOutcome divergence(int64_t last_finite_step, std::string message) {
    log_line("diverged: {}", message);
    return {.status = TrainStatus::diverged,
            .step = progress_.step,
            .message = std::move(message),
            .last_finite_step = last_finite_step};
  }

  TrainOutcome stop() {
    synchronize(job_.device);
    losses_.flush();
    if (auto outcome = diverged()) return *outcome;
    save(/*last=*/true, /*best=*/false);
    log_line("stopped at step {}", progress_.step);
    return {.status = TrainStatus::stopped, .step = progress_.step, .message = "asked to stop", .last_finite_step = {}};
  }

  TrainOutcome finish() {
    // One that was left by a stop of this or an earlier attempt.
    if (!job_.spec.checkpoint.keep_last) ::unlink(last_path().c_str());
    if (progress_.best_step == 0)
      log_line("done: no evaluation told {}, so that no checkpoint is the best", best_.name);
    else if (best_.name == spec::CheckpointSpec{}.best)
      log_line("done: best {:.4f} bits/byte at step {}", progress_.best_value, progress_.best_step);
    else
      log_line("done: best {} {:.4f} at step {}", best_.name, progress_.best_value, progress_.best_step);
    return {.status = TrainStatus::done, .step = progress_.step, .message = "", .last_finite_step = {}};
  }

  // Intervals count the time of training steps alone, without evaluations and checkpoints.
  void begin_interval() {
    interval_begin_s_ = system_clock().monotonic_s();
    interval_begin_step_ = progress_.step;
  }
  void end_interval() {
    synchronize(job_.device);
    interval_s_ += system_clock().monotonic_s() - interval_begin_s_;
    interval_steps_ += progress_.step - interval_begin_step_;
  }

  const TrainJob& job_;
  const spec::TrainSpec& train_;
  nn::Model& model_;
  const data::Dataset& dataset_;
  event::EventWriter& events_;
  Notes& log_;
  const CheckpointOwner owner_;
  const fs::path folder_;
  std::unique_ptr<Optimizer> optimizer_;
  LossMeter losses_;
  Stepper stepper_;
  data::ValidationWindows windows_;
  const MetricKind best_;  // what decides the best checkpoint
  Progress progress_;
  const double started_s_ = system_clock().monotonic_s();
  double earlier_s_ = 0;  // of the attempts before
  double interval_begin_s_ = 0, interval_s_ = 0;
  int64_t interval_begin_step_ = 0, interval_steps_ = 0;
};

}  // namespace

TrainOutcome train(const TrainJob& job, nn::Model& model, const data::Dataset& dataset, event::EventWriter& events,
                   Notes& log) {
  return Trainer(job, model, dataset, events, log).run();
}

}  // namespace bitsweep::train
