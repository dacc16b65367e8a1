#include "nn/gradients.h"

#include <optional>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "base/rng.h"
#include "base/units.h"
#include "nn/parallel.h"
#include "nn/rounding_kind.h"

namespace bitsweep::nn {
namespace {

// Of the innermost WithRounding.
struct Rounding {
  Gradients gradients = Gradients::f32;
  uint64_t key = 0;
  uint64_t matrices = 0;  // that were rounded so far
};
thread_local Rounding current;

float number_of(const kernels::QuantizedRows& rows, int64_t row, int64_t term) {
  const int q = rows.kind() == kernels::QuantizedKind::int16 ? int{rows.words(row)[term]} : int{rows.bytes(row)[term]};
  return static_cast<float>(q) * rows.scales()[row];
}

// `gradient` f32 contiguous; the rows of the product are its rows, or its columns.
at::Tensor rounded(const at::Tensor& gradient, bool columns) {
  const std::optional<kernels::QuantizedKind> kind = rounding_kind(current.gradients);
  if (!kind) return gradient;
  const at::Tensor in = gradient.contiguous();
  const int64_t height = in.size(0), width = in.size(1);
  const int64_t rows = columns ? width : height, terms = columns ? height : width;
  const uint64_t key = random_bits(current.key, current.matrices++, 0);
  const kernels::FloatRows floats{in.const_data_ptr<float>(), columns ? 1 : width, columns ? width : 1};
  thread_local kernels::QuantizedRows quantized;
  kernels::QuantizedRows& to = quantized;
  to.shape(*kind, rows, terms);
  parallel_rows(rows, terms, [&](int64_t begin, int64_t end) { kernels::round_rows(floats, key, to, begin, end); });
  at::Tensor out = at::empty_like(in);
  float* numbers = out.mutable_data_ptr<float>();
  parallel_rows(height, width, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      for (int64_t c = 0; c < width; ++c) numbers[r * width + c] = columns ? number_of(to, c, r) : number_of(to, r, c);
  });
  return out;
}

}  // namespace

Gradients parse_gradients(std::string_view word) {
  if (word == "f32") return Gradients::f32;
  if (word == "int16") return Gradients::int16;
  if (word == "s6") return Gradients::s6;
  throw Error(ErrorKind::input, fmt::format("unknown train.gradients '{}', expected f32, int16 or s6{}", word,
                                            did_you_mean(word, {"f32", "int16", "s6"})));
}

void require_roundable(int64_t count, const char* of_what) {
  if (count <= kernels::kMostQuantizedDepth) return;
  throw Error(ErrorKind::input,
              fmt::format("train.gradients int16 and s6 take up to {} {}, found {}",
                          format_thousands(kernels::kMostQuantizedDepth), of_what, format_thousands(count)));
}

WithRounding::WithRounding(Gradients gradients, uint64_t key) { current = {.gradients = gradients, .key = key}; }
WithRounding::~WithRounding() { current = {}; }

bool rounds_gradients() { return current.gradients != Gradients::f32; }
at::Tensor rounded_rows(const at::Tensor& gradient) { return rounded(gradient, /*columns=*/false); }
at::Tensor rounded_columns(const at::Tensor& gradient) { return rounded(gradient, /*columns=*/true); }

}  // namespace bitsweep::nn
