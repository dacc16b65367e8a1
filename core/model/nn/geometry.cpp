#include "nn/geometry.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include <fmt/format.h>

namespace bitsweep::nn {
namespace {

constexpr int64_t kHeadSize = 32;
constexpr int64_t kMaxWidth = 65536, kMaxLayers = 1024, kMaxFf = 4 * kMaxWidth;
constexpr int64_t kSmall = 256;       // narrower models come in finer steps, with narrower heads
constexpr double kSmallTarget = 2e6;  // below it, shapes are so coarse that twice the error must do
constexpr double kLeastRatio = 0.05, kMostRatio = 16;
constexpr double kMinTarget = 1e3, kMaxTarget = 1e13;

int64_t head_size(int64_t d_model) { return d_model < kSmall ? kHeadSize / 2 : kHeadSize; }

double close_enough(double target) { return target < kSmallTarget ? 0.01 : 0.005; }

double preferred_depth(const ShapeRule& rule, int64_t d_model) {
  return std::max(4.0, static_cast<double>(d_model) / 128.0) / (rule.wide ? 2.0 : 1.0);
}

// How far a shape is from the rule's proportions.
double imbalance(const ShapeRule& rule, const Shape& shape) {
  const double depth = std::abs(std::log(static_cast<double>(shape.n_layers) / preferred_depth(rule, shape.d_model)));
  const double ff = static_cast<double>(shape.d_ff) / (rule.ffn_ratio * static_cast<double>(shape.d_model));
  return depth + std::max(0.0, std::log(ff));
}

// The widest d_ff that is tried, and the narrowest, before they are rounded to steps.
int64_t most_ff(const ShapeRule& rule, int64_t d_model) {
  return static_cast<int64_t>(4 * rule.ffn_ratio * static_cast<double>(d_model));
}
int64_t least_ff(const ShapeRule& rule, int64_t d_model) {
  return static_cast<int64_t>(0.75 * rule.ffn_ratio * static_cast<double>(d_model));
}

// The search for a target: holds the best candidate so far.
class ShapeSearch {
 public:
  ShapeSearch(double target, const Shape& fixed, const ShapeCount& params_of, const ShapeRule& rule)
      : target_(target), fixed_(fixed), params_of_(params_of), rule_(rule) {}

  Shape run() {
    if (fixed_.d_model != 0) {
      try_width(fixed_.d_model);
      return best_;
    }
    for (int64_t d = head_size(0); d <= kMaxWidth; d += head_size(d)) {
      if (!try_width(d)) break;
    }
    return best_;
  }

 private:
  // (0 when close enough else the distance, imbalance, distance, −width): less is better.
  using Rank = std::tuple<double, double, double, int64_t>;

  // False when even its smallest shape is well above the target: no wider one can be nearer.
  bool try_width(int64_t d) {
    const int64_t heads = fixed_.n_heads != 0 ? fixed_.n_heads : d / head_size(d);
    if (heads == 0 || d % heads != 0 || heads % rule_.heads_multiple != 0) return true;
    const double preferred = preferred_depth(rule_, d);
    int64_t first = std::max<int64_t>(1, static_cast<int64_t>(std::ceil(preferred / 2)));
    int64_t last = std::min(kMaxLayers, static_cast<int64_t>(std::floor(preferred * 2)));
    if (fixed_.n_layers != 0) first = last = fixed_.n_layers;
    // A width whose largest shape is too small is worth one look.
    if (largest(d, last, heads) < target_ * (1 - close_enough(target_))) first = last;
    bool reachable = false;
    for (int64_t layers = first; layers <= last; ++layers) {
      if (!try_depth({d, layers, heads, 0})) break;
      reachable = true;
    }
    return reachable;
  }

  // The count grows evenly with d_ff, so only the multiples around the target are looked at. False: too large already.
  bool try_depth(Shape shape) {
    const int64_t step = shape.d_model < kSmall ? 4 : 32;
    int64_t low = (least_ff(rule_, shape.d_model) + step - 1) / step * step;
    int64_t high = most_ff(rule_, shape.d_model) / step * step;
    if (fixed_.d_ff != 0) low = high = fixed_.d_ff;
    if (low < 1 || low > high) return true;
    const double at_low = count(shape, low), slope = count(shape, low + 1) - at_low;
    const auto nearest = [&](double params) {
      const double steps = std::round((params - at_low) / slope / static_cast<double>(step));
      return low + static_cast<int64_t>(std::clamp(steps, 0.0, static_cast<double>((high - low) / step))) * step;
    };
    const int64_t end = nearest(target_ * (1 + close_enough(target_)));
    for (int64_t d_ff = nearest(target_ * (1 - close_enough(target_))); d_ff <= end; d_ff += step) {
      shape.d_ff = d_ff;
      consider(shape);
    }
    return at_low <= 2 * target_;
  }

  double largest(int64_t d, int64_t layers, int64_t heads) const {
    return count({d, layers, heads, 0}, fixed_.d_ff != 0 ? fixed_.d_ff : most_ff(rule_, d));
  }

  double count(Shape shape, int64_t d_ff) const {
    shape.d_ff = d_ff;
    return static_cast<double>(params_of_(shape));
  }

  void consider(const Shape& shape) {
    const double distance = std::abs(std::log(static_cast<double>(params_of_(shape)) / target_));
    const double missed = distance <= close_enough(target_) ? 0.0 : distance;
    const Rank rank{missed, imbalance(rule_, shape), distance, -shape.d_model};
    if (best_.d_model != 0 && rank >= best_rank_) return;
    best_ = shape;
    best_rank_ = rank;
  }

  double target_;
  Shape fixed_;
  const ShapeCount& params_of_;
  ShapeRule rule_;
  Shape best_;
  Rank best_rank_;
};

void refuse_heads(OptionReader& reader, const Shape& shape) {
  reader.add_problem(fmt::format("n_heads: expected a divisor of d_model ({}), from 1 to {}, got {}", shape.d_model,
                                 shape.d_model, shape.n_heads));
}

Shape shape_of_target(OptionReader& reader, const char* name, double target, const Shape& given,
                      const ShapeCount& params_of, const ShapeRule& rule) {
  const Shape shape = nearest_shape(target, given, params_of, rule);
  if (shape.d_model != 0) return shape;
  if (given.d_model != 0 && given.n_heads != 0) {
    refuse_heads(reader, given);
  } else {
    reader.add_problem(fmt::format("{}: no shape has the dimensions given beside it; leave one of them out", name));
  }
  return given;
}

Shape shape_of_dimensions(OptionReader& reader, Shape shape, const ShapeRule& rule) {
  if (shape.d_model == 0) reader.add_problem("d_model: required, unless params or body names a target size");
  if (shape.n_layers == 0) reader.add_problem("n_layers: required, unless params or body names a target size");
  if (!reader.good()) return shape;
  if (shape.d_ff == 0)
    shape.d_ff = std::max<int64_t>(1, static_cast<int64_t>(rule.ffn_ratio * static_cast<double>(shape.d_model)));
  if (shape.n_heads == 0) shape.n_heads = std::max<int64_t>(1, shape.d_model / kHeadSize);
  if (shape.d_model % shape.n_heads != 0) refuse_heads(reader, shape);
  return shape;
}

ShapeRule read_rule(OptionReader& reader) {
  const ShapeRule seeds;
  ShapeRule rule;
  rule.wide = reader.choice("shape", "deep", {"deep", "wide"}) == "wide";
  rule.ffn_ratio = reader.number("ffn_ratio", seeds.ffn_ratio, kLeastRatio, kMostRatio);
  const bool sized = reader.has("params") || reader.has("body"), depth_free = sized && !reader.has("n_layers");
  if (!depth_free && !reader.has("shape")) reader.imply("shape", "deep");
  if (reader.has("d_ff") && !reader.has("ffn_ratio")) reader.imply("ffn_ratio", seeds.ffn_ratio);
  reader.leave_out_at("shape", "deep");
  reader.leave_out_at("ffn_ratio", seeds.ffn_ratio);
  return rule;
}

}  // namespace

int64_t layer_weights(const Shape& shape) { return 4 * shape.d_model * shape.d_model + 3 * shape.d_model * shape.d_ff; }

int64_t layer_thresholds(const Shape& shape) { return 5 * shape.d_model + 2 * shape.d_ff; }

json::object to_json(const Shape& shape) {
  return {{"d_model", shape.d_model}, {"n_layers", shape.n_layers}, {"n_heads", shape.n_heads}, {"d_ff", shape.d_ff}};
}

Shape nearest_shape(double target, const Shape& fixed, const ShapeCount& params_of, const ShapeRule& rule) {
  return ShapeSearch(target, fixed, params_of, rule).run();
}

Shape read_shape(OptionReader& reader, const ShapeCount& params_of, const ShapeCount& body_of, int64_t heads_multiple) {
  ShapeRule rule = read_rule(reader);
  rule.heads_multiple = heads_multiple;
  Shape shape;
  shape.d_model = reader.integer("d_model", 0, 8, kMaxWidth);
  shape.n_layers = reader.integer("n_layers", 0, 1, kMaxLayers);
  shape.n_heads = reader.integer("n_heads", 0, 1, kMaxWidth);
  shape.d_ff = reader.integer("d_ff", 0, 1, kMaxFf);
  const double params = reader.size("params", 0, kMinTarget, kMaxTarget);
  const double body = body_of ? reader.size("body", 0, kMinTarget, kMaxTarget) : 0;
  if (params > 0 && body > 0)
    reader.add_problem("body: one target is enough, and params is given; leave one of them out");
  if (!reader.good()) return shape;
  if (params > 0) {
    shape = shape_of_target(reader, "params", params, shape, params_of, rule);
  } else if (body > 0) {
    shape = shape_of_target(reader, "body", body, shape, body_of, rule);
  } else {
    shape = shape_of_dimensions(reader, shape, rule);
  }
  for (const auto& dimension : to_json(shape)) reader.resolve(dimension.key(), dimension.value());
  return shape;
}

}  // namespace bitsweep::nn
