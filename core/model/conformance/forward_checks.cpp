// What a model computes.
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "conformance/checks.h"

namespace bitsweep::conformance {
namespace {

// Where sums are rounded by the batch's size, and a sum next to 0 is then signed or one next to a half rounded to 8
// bits, a few positions part. A model that mixes sequences changes nearly all.
constexpr double kNear = 1e-4, kLeastNear = 0.8;

// The share of positions whose logits are near those of `b`. a, b [B, T, V]
double share_near(const at::Tensor& a, const at::Tensor& b) {
  return at::isclose(a, b, kNear, kNear).all(2).to(at::kFloat).mean().item<double>();
}

double most_apart(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

// "" or how the halves part from the whole. logits [B, T, V] of `tokens` in `context`.
std::string halves_problem(const char* when, nn::Model& model, const at::Tensor& logits, const at::Tensor& tokens,
                           const nn::StepContext& context) {
  const at::NoGradGuard no_grad;
  seed_default_generator(0);
  const at::Tensor hidden = model.trunk(tokens, context);
  if (hidden.dim() != 3 || hidden.size(0) != tokens.size(0) || hidden.size(1) != tokens.size(1))
    return fmt::format("trunk() of tokens [{}] is of shape [{}]: expected [B, T, d]", fmt::join(tokens.sizes(), ", "),
                       fmt::join(hidden.sizes(), ", "));
  const at::Tensor whole = model.head(hidden);
  if (!whole.equal(logits))
    return fmt::format("in {}, head(trunk()) is not forward(): apart by up to {:.3g}", when, most_apart(whole, logits));
  constexpr int64_t kRows = 7;
  const at::Tensor rows = hidden.flatten(0, 1), part = model.head(rows.narrow(0, kRows, kRows)).unsqueeze(0);
  if (const double near = share_near(part, logits.flatten(0, 1).narrow(0, kRows, kRows).unsqueeze(0));
      near < kLeastNear)
    return fmt::format("in {}, rows alone have other logits than among others at {:.0f} % of them", when,
                       100 * (1 - near));
  return "";
}

at::Tensor changed_at(const at::Tensor& tokens, int64_t t) {
  at::Tensor changed = tokens.clone();
  changed.select(1, t).add_(1).remainder_(kCheckVocab);
  return changed;
}

at::Tensor training_logits(nn::Model& model, const at::Tensor& tokens) {
  const at::NoGradGuard no_grad;
  seed_default_generator(0);
  return model.forward(tokens, training_context(4));
}

constexpr int64_t kChanged[] = {1, 13, kCheckContext - 1};

// "" or what leaks. `logits` of a model as a function of tokens.
template <class Logits>
std::string leak(const char* when, const Logits& logits, int64_t& seen) {
  const at::Tensor tokens = random_tokens(3), before = logits(tokens);
  for (const int64_t t : kChanged) {
    const at::Tensor after = logits(changed_at(tokens, t));
    const at::Tensor earlier = after.narrow(1, 0, t), was = before.narrow(1, 0, t);
    if (!earlier.equal(was)) {
      const at::Tensor differs = earlier.ne(was).any(2).any(0);  // [t]
      return fmt::format("in {}, changing token {} changed logits of {} of the {} positions before it, by up to {:.3g}",
                         when, t, differs.sum().item<int64_t>(), t, most_apart(earlier, was));
    }
    seen += after.select(1, t).equal(before.select(1, t)) ? 0 : 1;
  }
  return "";
}

}  // namespace

Outcome check_logits(const Workbench& bench) {
  const plugin::OwnedModel model = bench.build_tiny();
  for (const auto& [sequences, tokens] : {std::pair<int64_t, int64_t>{3, kCheckContext}, {1, kCheckContext}, {2, 9}}) {
    const at::Tensor logits = evaluation_logits(*model, random_tokens(sequences).narrow(1, 0, tokens).contiguous());
    const std::vector<int64_t> expected{sequences, tokens, kCheckVocab};
    if (logits.sizes() != at::IntArrayRef(expected))
      return {false, fmt::format("logits of shape [{}] for tokens [{}, {}]: expected [{}]",
                                 fmt::join(logits.sizes(), ", "), sequences, tokens, fmt::join(expected, ", "))};
    if (logits.scalar_type() != at::kFloat)
      return {false, fmt::format("logits of type {}: expected float", c10::toString(logits.scalar_type()))};
    if (const int64_t bad = logits.isfinite().logical_not().sum().item<int64_t>(); bad > 0)
      return {false, fmt::format("{} of {} logits are not finite", bad, logits.numel())};
  }
  return {true,
          fmt::format("finite f32 [B, T, {}] for 1 to 3 sequences of {} and 9 tokens", kCheckVocab, kCheckContext)};
}

Outcome check_halves(const Workbench& bench) {
  const plugin::OwnedModel model = bench.build_tiny();
  const int64_t vocab = model->head_vocab();
  if (vocab == 0) return {true, "none: a large vocabulary's logits stand all at once"};
  if (vocab != kCheckVocab)
    return {false, fmt::format("head_vocab() is {} for a vocabulary of {}", vocab, kCheckVocab)};
  const at::Tensor tokens = random_tokens(3);
  std::string problem =
      halves_problem("evaluation", *model, evaluation_logits(*model, tokens), tokens, nn::StepContext());
  if (problem.empty())
    problem = halves_problem("training", *model, training_logits(*model, tokens), tokens, training_context(4));
  if (!problem.empty()) return {false, problem};
  return {true, "head(trunk()) has the bits of forward(), in evaluation and training, and rows alone are near"};
}

Outcome check_causality(const Workbench& bench) {
  const plugin::OwnedModel model = bench.build_tiny();
  int64_t seen = 0;
  const auto evaluated = [&](const at::Tensor& tokens) { return evaluation_logits(*model, tokens); };
  const auto trained = [&](const at::Tensor& tokens) { return training_logits(*model, tokens); };
  std::string leaks = leak("evaluation", evaluated, seen);
  if (leaks.empty()) leaks = leak("training", trained, seen);
  if (!leaks.empty()) return {false, leaks};
  if (seen == 0) return {false, "changing a token changed no logit at its own position either"};
  const at::Tensor tokens = random_tokens(3);
  const double near = share_near(evaluated(tokens.narrow(1, 0, 9).contiguous()), evaluated(tokens).narrow(1, 0, 9));
  if (near < kLeastNear)
    return {false, fmt::format("the first 9 tokens alone give other logits than before others, at {:.0f} % of them",
                               100 * (1 - near))};
  return {true, fmt::format("tokens {} changed: every earlier logit kept its bits, in evaluation and training",
                            fmt::join(kChanged, ", "))};
}

Outcome check_decode(const Workbench& bench) {
  constexpr int64_t kPrompt = 9, kMore = 13;  // a prompt, some tokens at once, then one by one
  const plugin::OwnedModel model = bench.build_tiny();
  const at::Tensor tokens = random_tokens(3);
  nn::DecodeCache cache;
  std::vector<at::Tensor> found, whole;
  for (int64_t first = 0; first < kCheckContext;) {
    const int64_t count = first == 0 ? kPrompt : first < kMore ? kMore - first : 1, read = first + count;
    found.push_back(model->decode(tokens.narrow(1, first, count), nn::StepContext(), cache));
    const std::vector<int64_t> expected{3, count, kCheckVocab};
    if (found.back().sizes() != at::IntArrayRef(expected) || cache.length != read)
      return {false, fmt::format(
                         "{} tokens after {} gave logits of shape [{}] and {} tokens read: expected [{}] and {}", count,
                         first, fmt::join(found.back().sizes(), ", "), cache.length, fmt::join(expected, ", "), read)};
    // Of what was read so far: whether later tokens change that is asked by `causality`.
    whole.push_back(evaluation_logits(*model, tokens.narrow(1, 0, read).contiguous()).narrow(1, first, count));
    first = read;
  }
  const at::Tensor a = at::cat(found, 1), b = at::cat(whole, 1);
  const double near = share_near(a, b);
  if (near < kLeastNear)
    return {false,
            fmt::format("decoded token by token, {:.0f} % of the positions have other logits than forward() gives",
                        100 * (1 - near))};
  if (a.equal(b)) return {true, "token by token: the bits of forward()"};
  return {true,
          fmt::format("token by token: within {:g} of forward() at {:.0f} % of the positions", kNear, 100 * near)};
}

Outcome check_evaluation(const Workbench& bench) {
  const plugin::OwnedModel model = bench.build_tiny();
  const at::Tensor tokens = random_tokens(3), first = evaluation_logits(*model, tokens);
  const auto differs = [&](const char* when) -> Outcome {
    const at::Tensor again = evaluation_logits(*model, tokens);
    if (again.equal(first)) return {true, ""};
    return {false, fmt::format("{} logits differ by up to {:.3g}", when, most_apart(again, first))};
  };
  if (const Outcome twice = differs("evaluated twice,"); !twice.passed) return twice;
  training_logits(*model, tokens);
  if (const Outcome after = differs("after a training forward pass"); !after.passed) return after;
  return {true, "three evaluations, one after a training forward pass, gave the same bits"};
}

Outcome check_batch(const Workbench& bench) {
  constexpr int64_t kSequences = 6;
  const plugin::OwnedModel model = bench.build_tiny();
  const at::Tensor tokens = random_tokens(kSequences), all = evaluation_logits(*model, tokens);
  at::Tensor others = random_tokens(kSequences, 6);
  others.select(0, 0).copy_(tokens.select(0, 0));
  const at::Tensor among_others = evaluation_logits(*model, others).select(0, 0);
  if (!among_others.equal(all.select(0, 0)))
    return {false, fmt::format("other sequences beside it changed a sequence's logits by up to {:.3g}",
                               most_apart(among_others, all.select(0, 0)))};
  std::vector<at::Tensor> alone;
  for (int64_t b = 0; b < kSequences; ++b) alone.push_back(evaluation_logits(*model, tokens.narrow(0, b, 1)));
  const at::Tensor ones = at::cat(alone);
  const double near = share_near(ones, all);
  if (near < kLeastNear)
    return {false, fmt::format("alone, sequences have other logits than among {} at {:.0f} % of the positions",
                               kSequences, 100 * (1 - near))};
  return {true, ones.equal(all) ? fmt::format("alone and among {}: the same bits", kSequences)
                                : fmt::format("alone and among {}: within {:g} at {:.0f} % of the positions",
                                              kSequences, kNear, 100 * near)};
}

}  // namespace bitsweep::conformance
