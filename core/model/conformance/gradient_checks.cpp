// What a model's backward pass gives, and what it draws on.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <unordered_set>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/csrc/autograd/custom_function.h>

#include "conformance/checks.h"
#include "conformance/trial.h"
#include "spec/run_spec.h"
#include "train/evaluate.h"
#include "train/gradients.h"
#include "train/optimizer.h"
#include "train/restore.h"

namespace bitsweep::conformance {
namespace {

using torch::autograd::Node;

// Everything that a step from one noise leaves behind, with LibTorch's default generator at `default_seed` before it.
struct Traces {
  std::vector<train::NamedTensor> tensors;
  bool drew_from_default = false;
};

Traces step_traces(const Workbench& bench, uint64_t default_seed) {
  const plugin::OwnedModel model = bench.build_tiny();
  const train::TokenBatch batch{.inputs = random_tokens(4, 11), .targets = random_tokens(4, 12).flatten()};
  seed_default_generator(default_seed);
  const at::Tensor before = at::detail::getDefaultCPUGenerator().get_state();
  const at::Tensor logits = model->forward(batch.inputs, training_context(7));
  at::cross_entropy_loss(logits.to(at::kFloat).flatten(0, 1), batch.targets).backward();
  Traces traces;
  traces.tensors.push_back({"the logits", logits.detach()});
  for (const nn::Parameter& parameter : model->parameters()) {
    if (const at::Tensor& gradient = parameter.tensor.grad(); gradient.defined())
      traces.tensors.push_back({"the gradient of " + parameter.name, gradient.clone()});
  }
  model->update(training_context(8));
  for (const nn::Buffer& buffer : model->buffers())
    traces.tensors.push_back({buffer.name + " after the update", buffer.tensor.clone()});
  traces.drew_from_default = !before.equal(at::detail::getDefaultCPUGenerator().get_state());
  return traces;
}

// Shapes of the leaves that a gradient of `loss` goes to and that are none of `known`.
std::vector<std::string> unknown_leaves(const at::Tensor& loss, const std::unordered_set<const Node*>& known) {
  std::vector<std::string> unknown;
  std::unordered_set<const Node*> seen;
  std::vector<std::shared_ptr<Node>> open{loss.grad_fn()};
  while (!open.empty()) {
    const std::shared_ptr<Node> node = std::move(open.back());
    open.pop_back();
    if (node == nullptr || !seen.insert(node.get()).second) continue;
    const bool is_leaf = node->num_inputs() == 1 && node->next_edges().empty() &&
                         node->name().find("AccumulateGrad") != std::string::npos;
    if (is_leaf && !known.contains(node.get()))
      unknown.push_back(
          fmt::format("[{}]", fmt::join(C10_AS_INTARRAYREF_SLOW(node->input_metadata(0).shape_as_dim_vector()), ", ")));
    for (const torch::autograd::Edge& edge : node->next_edges()) open.push_back(edge.function);
  }
  return unknown;
}

// How often the optimizer's state has each parameter.
std::map<std::string, int> groups_of(const nn::Model& model) {
  std::map<std::string, int> times;
  constexpr std::string_view kMoment = "exp_avg.";
  for (const train::NamedTensor& named : train::make_optimizer(spec::TrainSpec(), model.parameters())->state()) {
    if (named.name.starts_with(kMoment)) ++times[named.name.substr(kMoment.size())];
  }
  return times;
}

// The loss along one direction of one parameter.
struct Slope {
  bool smooth = false;
  double finite = 0, gradient = 0;  // per unit of the direction
  double apart() const { return std::abs(finite - gradient) / std::max(std::abs(finite), std::abs(gradient)); }
};

// In double from the logits on, so that small differences of it are worth something.
double exact_loss(nn::Model& model) {
  const at::NoGradGuard no_grad;
  seed_default_generator(0);
  const at::Tensor logits = model.forward(random_tokens(4, 11), training_context(7));
  return at::cross_entropy_loss(logits.to(at::kDouble).flatten(0, 1), random_tokens(4, 12).flatten()).item<double>();
}

// Central differences over steps that are far apart: equal where the loss is smooth; where signs, roundings and
// choices lie between, small steps see none of them and large steps many, and they part.
Slope slope_along(nn::Model& model, const at::Tensor& parameter, const at::Tensor& gradient,
                  const at::Tensor& direction) {
  constexpr double kSteps[] = {0.003, 0.01, 0.03, 0.1};
  constexpr double kAgree = 0.01, kLeastChange = 2e-6;
  const at::NoGradGuard no_grad;
  at::Tensor values = parameter.detach();
  const at::Tensor start = values.clone();
  std::vector<double> slopes;
  for (const double step : kSteps) {
    values.copy_(start + direction * step);
    const double above = exact_loss(model);
    values.copy_(start - direction * step);
    slopes.push_back((above - exact_loss(model)) / (2 * step));
  }
  values.copy_(start);
  const auto [least, most] = std::minmax_element(slopes.begin(), slopes.end());
  const double size = std::max(std::abs(*least), std::abs(*most));
  return {.smooth = *most - *least <= kAgree * size && size * kSteps[0] >= kLeastChange,
          .finite = slopes.front(),
          .gradient = (gradient * direction).sum(at::kDouble).item<double>()};
}

// Along the gradient, and along random signs; as long as the parameter itself.
std::vector<at::Tensor> directions_of(const at::Tensor& parameter, const at::Tensor& gradient) {
  const double root = std::sqrt(static_cast<double>(parameter.numel()));
  const double norm = parameter.detach().norm().item<double>();
  const double length = norm > 0 ? norm : 0.1 * root;
  at::Tensor signs = at::empty_like(parameter.detach()).uniform_(-1, 1, generator_of(3)).sign_();
  std::vector<at::Tensor> directions;
  directions.push_back(signs * (length / root));
  const double steepness = gradient.norm().item<double>();
  if (steepness > 0) directions.push_back(gradient * (length / steepness));
  return directions;
}

}  // namespace

Outcome check_noise(const Workbench& bench) {
  const Traces one = step_traces(bench, 1), two = step_traces(bench, 2);
  if (one.tensors.size() != two.tensors.size()) return {false, "equal noise reached other parameters"};
  std::vector<std::string> differ;
  for (size_t i = 0; i < one.tensors.size(); ++i) {
    const at::Tensor &a = one.tensors[i].tensor, &b = two.tensors[i].tensor;
    if (!a.equal(b)) differ.push_back(one.tensors[i].name);
  }
  if (!differ.empty())
    return {false, fmt::format("with equal noise, LibTorch's default generator decides {}", list_of(differ))};
  if (one.drew_from_default) return {false, "a step drew from LibTorch's default generator"};
  return {true,
          fmt::format("equal noise gave {} equal tensors, whatever the default generator was", one.tensors.size())};
}

Outcome check_registered(const Workbench& bench) {
  const plugin::OwnedModel model = bench.build_tiny();
  const at::Tensor loss = training_loss(*model);
  std::unordered_set<const Node*> known;
  std::set<const void*> memory;
  std::vector<std::string> frozen, shared, ungrouped;
  const std::map<std::string, int> groups = groups_of(*model);
  // Kept alive: nothing else holds the accumulator of a parameter that the loss does not reach.
  std::vector<std::shared_ptr<Node>> accumulators;
  const auto know = [&](const at::Tensor& tensor) {
    accumulators.push_back(torch::autograd::impl::grad_accumulator(tensor));
    known.insert(accumulators.back().get());
  };
  for (const nn::Parameter& parameter : model->parameters()) {
    const auto& [name, tensor] = std::tie(parameter.name, parameter.tensor);
    if (!tensor.requires_grad()) {
      frozen.push_back(name);
      continue;
    }
    if (!tensor.is_leaf() || !tensor.is_contiguous() || tensor.scalar_type() != at::kFloat)
      return {false, fmt::format("{} is no contiguous f32 leaf", name)};
    know(tensor);
    if (!memory.insert(tensor.const_data_ptr()).second) shared.push_back(name);
    const auto found = groups.find(name);
    if (found == groups.end() || found->second != 1) ungrouped.push_back(name);
  }
  for (const nn::BitMatrix& matrix : model->bit_matrices()) know(matrix.port);
  if (!frozen.empty()) return {false, fmt::format("requires no gradient, so no optimizer has it: {}", list_of(frozen))};
  if (!shared.empty()) return {false, fmt::format("registered under two names: {}", list_of(shared))};
  if (!ungrouped.empty()) return {false, fmt::format("not in exactly one optimizer group: {}", list_of(ungrouped))};
  if (const std::vector<std::string> unknown = unknown_leaves(loss, known); !unknown.empty())
    return {false, fmt::format("the loss depends on tensors that are trained and not registered, of shape {}",
                               list_of(unknown))};
  return {true, fmt::format("{} parameters, each in one optimizer group, and {} bit matrices: nothing else is trained",
                            model->parameters().size(), model->bit_matrices().size())};
}

Outcome check_gradients(const Workbench& bench) {
  constexpr double kMostOff = 0.05;  // of the loss, by bf16's rounding
  const plugin::OwnedModel model = bench.build_tiny();
  std::vector<double> losses;
  for (const train::Precision precision : {train::Precision::f32, train::Precision::bf16}) {
    const char* name = precision == train::Precision::f32 ? "f32" : "bf16";
    train::drop_gradients(model->parameters());
    const at::Tensor loss = training_loss(*model, precision);
    losses.push_back(loss.item<double>());
    if (!std::isfinite(losses.back())) return {false, fmt::format("in {} the loss is {}", name, losses.back())};
    loss.backward();
    for (const nn::Parameter& parameter : model->parameters()) {
      const at::Tensor& gradient = parameter.tensor.grad();
      if (!gradient.defined()) continue;
      if (gradient.scalar_type() != at::kFloat)
        return {false, fmt::format("in {} the gradient of {} is {}: expected float", name, parameter.name,
                                   c10::toString(gradient.scalar_type()))};
      if (const int64_t bad = gradient.isfinite().logical_not().sum().item<int64_t>(); bad > 0)
        return {false, fmt::format("in {} {} of {} elements of the gradient of {} are not finite", name, bad,
                                   gradient.numel(), parameter.name)};
    }
    model->update(training_context(8));  // which takes the gradients of bits
  }
  const std::string figures = fmt::format("loss {:.4f} in f32, {:.4f} in bf16", losses[0], losses[1]);
  if (std::abs(losses[1] - losses[0]) > kMostOff * losses[0]) return {false, figures + ": too far apart"};
  return {true, "all finite; " + figures};
}

Outcome check_slopes(const Workbench& bench) {
  // A straight-through gradient of many signs comes near the average slope, so that it can look smooth: by up to a
  // tenth in tries. A gradient that is wrong is seldom wrong by less.
  constexpr double kMostApart = 0.25;
  // Some steps from the start, where most blocks have no effect on the loss yet.
  constexpr int64_t kSteps = 30;
  Trial trial(bench, {.steps = kSteps});
  for (int64_t i = 0; i < kSteps; ++i) trial.step();
  nn::Model& model = trial.model();
  train::drop_gradients(model.parameters());
  training_loss(model).backward();
  int64_t tried = 0, smooth = 0;
  std::string worst_name;
  Slope worst;
  for (const nn::Parameter& parameter : model.parameters()) {
    if (!parameter.tensor.grad().defined()) continue;
    const at::Tensor gradient = parameter.tensor.grad().clone();
    ++tried;
    bool any = false;
    for (const at::Tensor& direction : directions_of(parameter.tensor, gradient)) {
      const Slope slope = slope_along(model, parameter.tensor, gradient, direction);
      if (!slope.smooth) continue;
      any = true;
      if (worst_name.empty() || slope.apart() > worst.apart()) {
        worst = slope;
        worst_name = parameter.name;
      }
    }
    smooth += any ? 1 : 0;
  }
  if (smooth == 0) return {true, fmt::format("the loss is smooth in none of {} parameters", tried)};
  const std::string figures =
      fmt::format("finite differences {:.4g}, gradient {:.4g} along {}", worst.finite, worst.gradient, worst_name);
  if (worst.apart() > kMostApart) return {false, figures};
  return {true, fmt::format("smooth in {} of {} parameters; furthest apart by {:.1f} %: {}", smooth, tried,
                            100 * worst.apart(), figures)};
}

}  // namespace bitsweep::conformance
