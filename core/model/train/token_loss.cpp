#include "train/token_loss.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "nn/block_scope.h"
#include "nn/head_rows.h"
#include "nn/step_engine.h"

namespace bitsweep::train {
namespace {

void require_shape(const at::Tensor& found, const at::Tensor& inputs, const char* what, const char* letter) {
  if (found.dim() == 3 && found.size(0) == inputs.size(0) && found.size(1) == inputs.size(1)) return;
  throw Error(ErrorKind::failed,
              fmt::format("the model returned {} of shape [{}] for tokens of shape [{}]: expected [B, T, {}]", what,
                          fmt::join(found.sizes(), ", "), fmt::join(inputs.sizes(), ", "), letter));
}

// [B, T, V]
at::Tensor token_logits(nn::Model& model, const at::Tensor& inputs, const nn::StepContext& context,
                        Precision precision) {
  at::Tensor logits;
  {
    const PrecisionScope scope(inputs.device().type(), precision);
    logits = model.forward(inputs, context);
  }
  require_shape(logits, inputs, "logits", "V");
  return logits;
}

// logits [..., V], targets [N]
at::Tensor nats_of(const at::Tensor& logits, const at::Tensor& targets, at::Reduction::Reduction reduction) {
  BITSWEEP_BLOCK("loss");
  return at::cross_entropy_loss(logits.to(at::kFloat).reshape({-1, logits.size(-1)}), targets, {}, reduction,
                                kIgnoredTarget);
}

// What the head reads, row by row, and the head on some of these rows.
class PartedHead {
 public:
  PartedHead(nn::Model& model, const TokenBatch& batch, const nn::StepContext& context, Precision precision)
      : model_(model), targets_(batch.targets), precision_(precision) {
    {
      const PrecisionScope scope(batch.inputs.device().type(), precision_);
      hidden_ = model_.trunk(batch.inputs, context);
    }
    require_shape(hidden_, batch.inputs, "what its head reads", "d");
    rows_ = hidden_.detach().reshape({-1, hidden_.size(2)});
  }

  const at::Tensor& hidden() const { return hidden_; }  // [B, T, d], with its graph
  const at::Tensor& rows() const { return rows_; }      // [N, d], without

  // f(first, rows [n, d], targets [n]) for part after part.
  template <class F>
  void for_each_part(const F& f) const {
    const int64_t count = rows_.size(0), most = nn::head_rows(count, model_.head_vocab());
    for (int64_t first = 0; first < count; first += most) {
      const int64_t n = std::min(most, count - first);
      f(first, rows_.narrow(0, first, n), targets_.narrow(0, first, n));
    }
  }

  // [n, V]
  at::Tensor logits(const at::Tensor& rows) const {
    const PrecisionScope scope(rows.device().type(), precision_);
    return model_.head(rows);
  }

 private:
  nn::Model& model_;
  at::Tensor targets_, hidden_, rows_;
  Precision precision_;
};

// This micro-batch's share of the targets that the whole step scores.
double scored_share(const LossDivisor& divisor) {
  return static_cast<double>(std::max<int64_t>(1, *divisor.targets)) / static_cast<double>(divisor.parts);
}

// With its graph; the logits themselves are gone when it returns.
at::Tensor whole_loss(nn::Model& model, const TokenBatch& batch, const nn::StepContext& context, Precision precision,
                      const LossDivisor& divisor) {
  const at::Tensor logits = token_logits(model, batch.inputs, context, precision);
  if (!divisor.targets) return nats_of(logits, batch.targets, at::Reduction::Mean);
  return nats_of(logits, batch.targets, at::Reduction::Sum) / scored_share(divisor);
}

at::Tensor parted_loss_and_backward(const PartedHead& head, const TokenBatch& batch, const LossDivisor& divisor) {
  const bool into_trunk = head.hidden().requires_grad();
  const auto parts = static_cast<double>(divisor.parts);
  at::Tensor scored;  // targets of this micro-batch, or its share of the step's
  if (divisor.targets) {
    scored = at::full({}, scored_share(divisor), head.rows().options().dtype(at::kFloat));
  } else {
    scored = batch.targets.ne(kIgnoredTarget).sum().to(at::kFloat);
  }
  at::Tensor loss = at::zeros_like(scored), gradient;
  if (into_trunk) gradient = at::empty_like(head.rows());
  head.for_each_part([&](int64_t first, const at::Tensor& part, const at::Tensor& targets) {
    const at::Tensor rows = part.detach().set_requires_grad(into_trunk);
    const at::Tensor nats = nats_of(head.logits(rows), targets, at::Reduction::Sum) / scored;
    loss += nats.detach();
    (divisor.parts == 1 ? nats : nats / parts).backward();
    if (into_trunk) gradient.narrow(0, first, rows.size(0)).copy_(rows.grad());
  });
  if (into_trunk) head.hidden().backward(gradient.view_as(head.hidden()));
  return loss;
}

// f32 on the CPU alone: else null, and the blocks run.
nn::StepEngine* engine_of(nn::Model& model, const TokenBatch& batch, const nn::StepContext& context,
                          Precision precision) {
  return precision == Precision::f32 ? nn::engine_for(model, batch.inputs, context) : nullptr;
}

at::Tensor engine_loss_and_backward(nn::StepEngine& engine, const TokenBatch& batch, const nn::StepContext& context,
                                    const LossDivisor& divisor) {
  const double scored = divisor.targets ? scored_share(divisor)
                                        : static_cast<double>(batch.targets.ne(kIgnoredTarget).sum().item<int64_t>());
  const double nats =
      engine.train(batch.inputs, batch.targets, context, 1.0 / (scored * static_cast<double>(divisor.parts)));
  return at::full({}, nats / scored, at::kFloat);
}

}  // namespace

at::Tensor token_nats(nn::Model& model, const TokenBatch& batch, const nn::StepContext& context, Precision precision,
                      bool mean) {
  if (!at::GradMode::is_enabled() && !mean)
    return token_scores(model, batch, context, precision, /*likeliest=*/false).nats;
  return nats_of(token_logits(model, batch.inputs, context, precision), batch.targets,
                 mean ? at::Reduction::Mean : at::Reduction::None);
}

TokenScores token_scores(nn::Model& model, const TokenBatch& batch, const nn::StepContext& context, Precision precision,
                         bool likeliest) {
  const at::NoGradGuard no_grad;
  if (nn::StepEngine* engine = engine_of(model, batch, context, precision)) {
    nn::StepEngine::Scores scores = engine->score(batch.inputs, batch.targets, context);
    return {.nats = scores.nats, .likeliest = likeliest ? scores.likeliest : at::Tensor()};
  }
  std::vector<at::Tensor> nats, said;
  const auto score = [&](const at::Tensor& logits, const at::Tensor& targets) {
    nats.push_back(nats_of(logits, targets, at::Reduction::None));
    if (likeliest) said.push_back(logits.reshape({-1, logits.size(-1)}).argmax(/*dim=*/1));
  };
  if (nn::parts_head(model.head_vocab())) {
    const PartedHead head(model, batch, context, precision);
    head.for_each_part(
        [&](int64_t, const at::Tensor& rows, const at::Tensor& targets) { score(head.logits(rows), targets); });
  } else {
    score(token_logits(model, batch.inputs, context, precision), batch.targets);
  }
  return {.nats = at::cat(nats), .likeliest = likeliest ? at::cat(said) : at::Tensor()};
}

at::Tensor loss_and_backward(nn::Model& model, const TokenBatch& batch, const nn::StepContext& context,
                             Precision precision, const LossDivisor& divisor) {
  if (nn::StepEngine* engine = engine_of(model, batch, context, precision))
    return engine_loss_and_backward(*engine, batch, context, divisor);
  std::optional<nn::WithRounding> rounding;
  if (context.gradients != nn::Gradients::f32) {
    nn::require_roundable(batch.inputs.numel(), nn::kTokens);
    nn::require_roundable(model.head_vocab(), nn::kSymbols);
    rounding.emplace(context.gradients, nn::rounding_key(context));
  }
  if (nn::parts_head(model.head_vocab()))
    return parted_loss_and_backward(PartedHead(model, batch, context, precision), batch, divisor);
  const at::Tensor nats = whole_loss(model, batch, context, precision, divisor);
  (divisor.parts == 1 ? nats : nats / static_cast<double>(divisor.parts)).backward();
  return nats.detach();
}

plugin::StepPath step_path(nn::Model& model, c10::Device device, Precision precision,
                           const std::optional<plugin::StepPath>& described) {
  std::string because = nn::no_engine_on(device);
  if (because.empty() && precision == Precision::bf16) because = "precision bf16";
  if (because.empty() && (model.engine() == nullptr || (described && !described->own)))
    because = described ? described->because : "the model has none";
  return {.own = because.empty(), .because = std::move(because)};
}

}  // namespace bitsweep::train
