#include "nn/flip_rule.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <vector>

#include <ATen/ATen.h>

#include "kernels/flips.h"
#include "nn/bits.h"
#include "nn/kernel_for.h"
#include "nn/parallel.h"
#include "nn/twisted_draws.h"

namespace bitsweep::nn {
namespace {

constexpr double kMomentBeta = 0.99;
constexpr double kTiny = 1e-30;
constexpr double kEtaEnd = 0.1;  // of eta, at the end of the run
constexpr double kRangeInThresholds = 1.25;
constexpr double kFreshSd = 0.2;  // of dqt's first weights, in units of the range

double deviation(double gamma) { return std::sqrt(gamma / 2); }

double between(double start, double end, double progress) { return start + (end - start) * progress; }

// x rounded to an integer, up with the probability of its fraction.
at::Tensor round_stochastically(const at::Tensor& x, at::Generator& generator) {
  return (x + at::empty_like(x).uniform_(0.0, 1.0, generator)).floor_();
}

at::ScalarType counter_type(int64_t bits) {
  switch (bits) {
    case 4:
      return at::kByte;
    case 8:
      return at::kChar;
    case 16:
      return at::kShort;
    default:
      return at::kFloat;
  }
}

// Levels −7 … 7 in [rows, columns] <-> two of them a byte.
at::Tensor pack_nibbles(const at::Tensor& levels) {
  // By way of int8, where NaN is 0.
  const at::Tensor even = at::constant_pad_nd(levels, {0, levels.size(1) % 2}, 0).to(at::kChar).add_(8).to(at::kByte);
  const at::Tensor pairs = even.view({levels.size(0), -1, 2});
  return pairs.select(2, 0).bitwise_or(pairs.select(2, 1).bitwise_left_shift(4)).contiguous();
}
at::Tensor unpack_nibbles(const at::Tensor& bytes, int64_t columns) {
  const at::Tensor pairs = at::stack({bytes.bitwise_and(15), bytes.bitwise_right_shift(4)}, 2);
  return pairs.view({bytes.size(0), -1}).narrow(1, 0, columns).to(at::kFloat).sub_(8);
}

at::Tensor fresh_counter(const BitMatrix& matrix, int64_t bits) {
  if (bits == 4) return pack_nibbles(at::zeros({matrix.rows, matrix.columns}, at::kFloat));
  return at::zeros({matrix.rows, matrix.columns}, counter_type(bits));
}

bool is_normalised(const FlipOptions& options) {
  return options.kind != FlipKind::diode && options.norm != FlipNorm::none;
}

// What the kernels ask for: a float of each row and column, of columns where squares are summed one of each block.
int64_t scratch_floats(const FlipOptions& options, int64_t rows, int64_t columns) {
  if (options.kind == FlipKind::diode) return 0;
  return rows + (is_normalised(options) ? kernels::square_blocks(rows) : 1) * columns;
}

// x >= limit is x > this.
float just_below(double limit) {
  return std::nextafter(static_cast<float>(limit), -std::numeric_limits<float>::infinity());
}

// Where a part of the rows begins to draw.
struct PartDraws {
  kernels::Twister votes, levels;
};

// Of `parts` parts, cut at rows · part / parts. Votes of the whole matrix are drawn before the first level.
std::vector<PartDraws> draws_of_parts(const kernels::Twister& begin, const kernels::FlipUpdate& update, int64_t rows,
                                      int64_t parts) {
  std::vector<PartDraws> draws(static_cast<size_t>(parts), PartDraws{begin, begin});
  if (update.draws_votes() && update.draws_levels()) skip(draws.front().levels, rows * update.columns);
  for (int64_t part = 1; part < parts; ++part) {
    PartDraws& draw = draws[static_cast<size_t>(part)] = draws[static_cast<size_t>(part - 1)];
    const int64_t weights = (rows * part / parts - rows * (part - 1) / parts) * update.columns;
    if (update.draws_votes()) skip(draw.votes, weights);
    if (update.draws_levels()) skip(draw.levels, weights);
  }
  return draws;
}

}  // namespace

FlipBytes flip_bytes(const FlipOptions& options, int64_t rows, int64_t columns) {
  constexpr int64_t kCounts = 4 * 8;  // updates_ and last_flips_
  const int64_t weights = rows * columns;
  int64_t moments = 0;
  if (options.norm == FlipNorm::factored) moments = 4 * (rows + columns);
  if (options.norm == FlipNorm::tensor) moments = 4;
  const int64_t counters = options.state_bits == 4 ? rows * ((columns + 1) / 2) : weights * options.state_bits / 8;
  return {.bits = 8 * rows * words_of(columns),
          .state = counters + moments + kCounts,
          .moment = 4 * scratch_floats(options, rows, columns)};
}

FlipRule::FlipRule(const ParameterSink& sink, BitMatrix matrix, const FlipOptions& options)
    : matrix_(std::move(matrix)), options_(options), updates_(sink.state("updates", at::zeros({3}, at::kDouble))) {
  const int64_t bits = options.state_bits;
  counter_ = sink.state("counter", fresh_counter(matrix_, bits));
  if (options.norm == FlipNorm::factored) {
    row_square_ = sink.state("row_square", at::zeros({matrix_.rows}, at::kFloat));
    column_square_ = sink.state("column_square", at::zeros({matrix_.columns}, at::kFloat));
  } else if (options.norm == FlipNorm::tensor) {
    row_square_ = sink.state("square", at::zeros({1}, at::kFloat));
  }
  last_flips_ = sink.state("last_flips", at::zeros({1}, at::kDouble));
  if (options.kind != FlipKind::dqt) return;
  const at::Tensor size = at::empty({matrix_.rows, matrix_.columns}, at::kFloat).normal_(0.0, kFreshSd).abs_();
  at::Generator rounding = at::globalContext().defaultGenerator(at::kCPU);
  store(size.clamp_max_(1.0).mul_(unpack_signs(matrix_.bits, matrix_.columns, at::kFloat)), rounding);
}

void FlipRule::update(double progress, at::Generator generator) {
  const at::NoGradGuard no_grad;
  const at::Tensor gradient = matrix_.port.grad();
  if (!gradient.defined()) return;
  updates_.narrow(0, 0, 2).add_(1);
  FlipKernel* const kernel = kernel_for<kernels::Operation::flip>(gradient);
  if (kernel != nullptr && gradient.is_contiguous()) {
    last_flips_.fill_(flip_by(kernel, gradient, progress, generator));
  } else {
    last_flips_.copy_(flip_composed(gradient, progress, generator));
  }
  updates_.narrow(0, 2, 1).add_(last_flips_);
  matrix_.port.mutable_grad().reset();
}

int64_t FlipRule::flip_by(FlipKernel* kernel, const at::Tensor& gradient, double progress,
                          const at::Generator& generator) {
  const int64_t rows = matrix_.rows, columns = matrix_.columns;
  const at::Tensor scratch = at::empty({scratch_floats(options_, rows, columns)}, at::kFloat);
  kernels::FlipUpdate update = rule_at(progress);
  update.gradient = gradient.const_data_ptr<float>();
  if (scratch.numel() > 0) {
    float* row_factor = scratch.mutable_data_ptr<float>();
    find_factors(gradient, row_factor, row_factor + rows);
    update.row_factor = row_factor;
    update.column_factor = row_factor + rows;
  }
  constexpr int64_t kPartsOfThread = 4;
  const int64_t threads = thread_count();
  const int64_t parts = threads == 1 ? 1 : std::min(rows, threads * kPartsOfThread);
  TwistedDraws drawn(generator);
  std::vector<PartDraws> draws = draws_of_parts(drawn.begin(), update, rows, parts);
  std::atomic<int64_t> flipped = 0;
  parallel_rows(parts, weights() / parts, [&](int64_t begin, int64_t end) {
    PartDraws draw = draws[static_cast<size_t>(begin)];
    flipped += kernel(update, rows * begin / parts, rows * end / parts, &draw.votes, &draw.levels);
    if (end == parts) draws.back() = draw;
  });
  if (update.draws_levels() || update.draws_votes())
    drawn.end(update.draws_levels() ? draws.back().levels : draws.back().votes);
  return flipped;
}

// What advance() does, as the kernels have it.
kernels::FlipUpdate FlipRule::rule_at(double progress) const {
  constexpr float kInfinite = std::numeric_limits<float>::infinity();
  const double gamma = options_.gamma, z = between(options_.z_start, options_.z_end, progress);
  const auto eta = static_cast<float>(options_.eta * between(1.0, kEtaEnd, progress));
  kernels::FlipUpdate rule{.bits = reinterpret_cast<uint64_t*>(matrix_.bits.mutable_data_ptr<int64_t>()),
                           .counter = counter_.mutable_data_ptr(),
                           .columns = matrix_.columns,
                           .state_bits = static_cast<int>(options_.state_bits),
                           .low = -kInfinite,
                           .high = kInfinite,
                           .unit = static_cast<float>(range() / levels()),
                           .per_unit = static_cast<float>(levels() / range()),
                           .most = static_cast<float>(levels())};
  switch (options_.kind) {
    case FlipKind::bop:
      rule.share = static_cast<float>(gamma);
      rule.above = static_cast<float>(z * deviation(gamma));
      break;
    case FlipKind::counter:
      rule.vote = kernels::FlipVote::rounded;
      rule.above = just_below(std::min(z / std::sqrt(2 * gamma), levels()));
      break;
    case FlipKind::bold:
      rule.share = eta;
      rule.above = just_below(1);
      break;
    case FlipKind::diode:
      rule.vote = kernels::FlipVote::sign;
      rule.keep = static_cast<float>(options_.beta);
      rule.share = static_cast<float>(1 - options_.beta);
      return rule;
    case FlipKind::dqt:
      rule.share = -eta;
      rule.low = -1;
      rule.high = 1;
      rule.turned = true;
      return rule;
  }
  const double flipped = *last_flips_.const_data_ptr<double>() / static_cast<double>(weights());
  rule.keep = options_.kind == FlipKind::bold ? 1 - static_cast<float>(flipped) : static_cast<float>(1 - gamma);
  rule.reset = true;
  return rule;
}

// Moves the running squares on; normalised() is the gradient times these. row_factor [rows], column_factor [columns],
// behind which there is room for the sums of all blocks.
void FlipRule::find_factors(const at::Tensor& gradient, float* row_factor, float* column_factor) {
  const int64_t rows = matrix_.rows, columns = matrix_.columns;
  if (!is_normalised(options_)) {
    std::fill_n(row_factor, rows + columns, 1.0f);
    return;
  }
  constexpr auto kShare = static_cast<float>(1 - kMomentBeta);
  const auto unbiased = static_cast<float>(1 - std::pow(kMomentBeta, *updates_.const_data_ptr<double>()));
  const float* from = gradient.const_data_ptr<float>();
  const int64_t blocks = kernels::square_blocks(rows);
  parallel_rows(blocks, kernels::kSquareRows * columns, [&](int64_t begin, int64_t end) {
    kernels::square_sums(from, columns, begin * kernels::kSquareRows, std::min(rows, end * kernels::kSquareRows),
                         row_factor, column_factor);
  });
  float* row_square = row_square_.mutable_data_ptr<float>();
  if (options_.norm == FlipNorm::tensor) {
    kernels::follow_means(row_factor, rows, 1, weights(), kShare, row_square);
    float factor = 0;
    kernels::inverse_roots(row_square, 1, unbiased, &factor);
    std::fill_n(row_factor, rows, factor);
    std::fill_n(column_factor, columns, 1.0f);
    return;
  }
  float* column_square = column_square_.mutable_data_ptr<float>();
  kernels::follow_means(row_factor, 1, rows, columns, kShare, row_square);
  kernels::follow_means(column_factor, blocks, columns, rows, kShare, column_square);
  float mean = 0;
  kernels::follow_means(row_square, rows, 1, rows, 1.0f, &mean);
  kernels::inverse_roots(row_square, rows, mean, row_factor);
  kernels::inverse_roots(column_square, columns, unbiased, column_factor);
}

at::Tensor FlipRule::flip_composed(const at::Tensor& gradient, double progress, at::Generator& generator) {
  const at::Tensor signs = unpack_signs(matrix_.bits, matrix_.columns, at::kFloat);
  at::Tensor flips;
  const at::Tensor state = advance(load(), gradient, signs, progress, generator, flips);
  store(state, generator);
  matrix_.bits.bitwise_xor_(pack_bits(flips));
  return flips.sum().view({1});
}

// The state after the step, and which weights flip, both [rows, columns].
at::Tensor FlipRule::advance(at::Tensor state, const at::Tensor& gradient, const at::Tensor& signs, double progress,
                             at::Generator& generator, at::Tensor& flips) {
  const double gamma = options_.gamma, z = between(options_.z_start, options_.z_end, progress);
  const double eta = options_.eta * between(1.0, kEtaEnd, progress);
  switch (options_.kind) {
    case FlipKind::bop:
      state.mul_(1 - gamma).add_(normalised(gradient), gamma);
      flips = (state * signs).gt_(z * deviation(gamma)).to(at::kBool);
      return state.masked_fill_(flips, 0);
    case FlipKind::counter:
      state.mul_(1 - gamma).add_(round_stochastically(normalised(gradient), generator));
      flips = (state * signs).ge_(std::min(z / std::sqrt(2 * gamma), levels())).to(at::kBool);
      return state.masked_fill_(flips, 0);
    case FlipKind::bold:
      state.mul_(1 - last_flips_.div(static_cast<double>(weights())).to(at::kFloat)).add_(normalised(gradient), eta);
      flips = (state * signs).ge_(1).to(at::kBool);
      return state.masked_fill_(flips, 0);
    case FlipKind::diode:
      state.mul_(options_.beta).add_(gradient.sign(), 1 - options_.beta);
      flips = (state * signs).gt_(0).to(at::kBool);
      return state;
    case FlipKind::dqt:
      state.sub_(normalised(gradient), eta).clamp_(-1, 1);
      flips = (state * signs).lt_(0).to(at::kBool);
      return state;
  }
  return state;
}

at::Tensor FlipRule::normalised(const at::Tensor& gradient) {
  if (options_.norm == FlipNorm::none) return gradient;
  const at::Tensor square = gradient.square();
  const at::Tensor unbiased = 1.0 - at::pow(kMomentBeta, updates_.select(0, 0));  // stays on the device
  if (options_.norm == FlipNorm::tensor) {
    row_square_.lerp_(square.mean().view({1}), 1 - kMomentBeta);
    return gradient * row_square_.div(unbiased).clamp_min_(kTiny).rsqrt_();
  }
  row_square_.lerp_(square.mean(1), 1 - kMomentBeta);
  column_square_.lerp_(square.mean(0), 1 - kMomentBeta);
  // E g²[r, c] ≈ row[r] · column[c] / mean; a row or column without gradient so far has none to divide.
  const at::Tensor rows = (row_square_ / row_square_.mean().clamp_min_(kTiny)).clamp_min_(kTiny).rsqrt_();
  const at::Tensor columns = column_square_.div(unbiased).clamp_min_(kTiny).rsqrt_();
  return (gradient * rows.unsqueeze(1)).mul_(columns);
}

double FlipRule::range() const {
  switch (options_.kind) {
    case FlipKind::bop:
      return kRangeInThresholds * std::max(options_.z_start, options_.z_end) * deviation(options_.gamma);
    case FlipKind::counter:
      return levels();
    case FlipKind::bold:
      return kRangeInThresholds;
    default:
      return 1.0;
  }
}

double FlipRule::levels() const {
  return options_.state_bits == 32 ? 16777216.0 : std::pow(2.0, static_cast<double>(options_.state_bits - 1)) - 1;
}

at::Tensor FlipRule::load() const {
  if (options_.state_bits == 32) return counter_.clone();
  const at::Tensor state =
      options_.state_bits == 4 ? unpack_nibbles(counter_, matrix_.columns) : counter_.to(at::kFloat);
  const double unit = range() / levels();
  return unit == 1.0 ? state : state * unit;
}

void FlipRule::store(const at::Tensor& state, at::Generator& generator) {
  if (options_.state_bits == 32) {
    counter_.copy_(state);
    return;
  }
  const double most = levels();
  const at::Tensor rounded = round_stochastically(state * (most / range()), generator).clamp_(-most, most);
  counter_.copy_(options_.state_bits == 4 ? pack_nibbles(rounded) : rounded);
}

double FlipRule::take_flip_fraction() {
  const double steps = updates_[1].item<double>(), flips = updates_[2].item<double>();
  updates_.narrow(0, 1, 2).zero_();
  return steps > 0 ? flips / steps / static_cast<double>(weights()) : 0.0;
}

}  // namespace bitsweep::nn
