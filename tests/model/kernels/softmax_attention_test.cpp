#include "kernels/softmax_attention.h"

#include <cmath>
#include <limits>

#include "model/kernels/each_isa.h"

namespace bitsweep::kernels {
namespace {

struct HeadOfFloats {
  int64_t context, size, step;
  std::vector<float> queries, keys, values, gradient;
  float scale, slope;

  FloatHead head() const {
    return {.queries = queries.data(),
            .keys = keys.data(),
            .values = values.data(),
            .query_step = step,
            .key_step = step + 1,
            .context = context,
            .size = size,
            .scale = scale,
            .slope = slope};
  }
  size_t query(int64_t t, int64_t c) const { return static_cast<size_t>(t * step + c); }
  size_t key(int64_t t, int64_t c) const { return static_cast<size_t>(t * (step + 1) + c); }
};

struct Attended {
  std::vector<float> top, inverse, out, dq, dk, dv;
};

// By the definition, in doubles.
struct Expected {
  std::vector<double> out, dq, dk, dv;

  explicit Expected(const HeadOfFloats& of)
      : out(of.queries.size()), dq(of.queries.size()), dk(of.keys.size()), dv(of.keys.size()) {
    for (int64_t t = 0; t < of.context; ++t) add_query(of, t);
  }

 private:
  void add_query(const HeadOfFloats& of, int64_t t) {
    const auto keys = static_cast<size_t>(t + 1);
    std::vector<double> p(keys), along(keys);
    double sum = 0, dot = 0;
    for (int64_t j = 0; j <= t; ++j) {
      double z = 0;
      for (int64_t c = 0; c < of.size; ++c) z += double{of.queries[of.query(t, c)]} * double{of.keys[of.key(j, c)]};
      p[static_cast<size_t>(j)] = std::exp(z * double{of.scale} - double{of.slope} * static_cast<double>(t - j));
      sum += p[static_cast<size_t>(j)];
    }
    for (int64_t j = 0; j <= t; ++j) {
      double& pj = p[static_cast<size_t>(j)];
      pj /= sum;
      for (int64_t c = 0; c < of.size; ++c) {
        const double g = double{of.gradient[of.query(t, c)]}, v = double{of.values[of.key(j, c)]};
        out[of.query(t, c)] += pj * v;
        dv[of.key(j, c)] += pj * g;
        along[static_cast<size_t>(j)] += g * v;
      }
      dot += pj * along[static_cast<size_t>(j)];
    }
    for (int64_t j = 0; j <= t; ++j) {
      const double dz = p[static_cast<size_t>(j)] * (along[static_cast<size_t>(j)] - dot) * double{of.scale};
      for (int64_t c = 0; c < of.size; ++c) {
        dq[of.query(t, c)] += dz * double{of.keys[of.key(j, c)]};
        dk[of.key(j, c)] += dz * double{of.queries[of.query(t, c)]};
      }
    }
  }
};

void expect_near(const std::vector<float>& found, const std::vector<double>& expected, const char* what) {
  double off = 0, norm = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    off += (double{found[i]} - expected[i]) * (double{found[i]} - expected[i]);
    norm += expected[i] * expected[i];
  }
  EXPECT_LE(std::sqrt(off), 2e-6 * std::sqrt(norm) + 1e-9) << what;
}

class SoftmaxAttention : public EachIsa {
 protected:
  HeadOfFloats head_of(int64_t context, int64_t size, int64_t gap, float slope) {
    const int64_t step = size + gap;
    return {context,
            size,
            step,
            with_gaps(context, size, step),
            with_gaps(context, size, step + 1),
            with_gaps(context, size, step + 1),
            with_gaps(context, size, step),
            0.4f,
            slope};
  }

  static Attended attend(const HeadOfFloats& of, bool add = false) {
    Attended made{std::vector<float>(static_cast<size_t>(of.context)),
                  std::vector<float>(static_cast<size_t>(of.context)),
                  std::vector<float>(of.queries.size()),
                  std::vector<float>(of.queries.size()),
                  std::vector<float>(of.keys.size(), add ? 1.0f : 0),
                  std::vector<float>(of.keys.size(), add ? 1.0f : 0)};
    const SoftmaxRows rows{made.top.data(), made.inverse.data()};
    attend_softmax(of.head(), rows, made.out.data(), of.step);
    attend_softmax_backward(of.head(), rows,
                            {.output = of.gradient.data(),
                             .queries = made.dq.data(),
                             .keys = made.dk.data(),
                             .values = made.dv.data(),
                             .add = add});
    return made;
  }

  void expect_right(const HeadOfFloats& of) {
    const Attended found = attend(of);
    const Expected expected(of);
    expect_near(found.out, expected.out, "out");
    expect_near(found.dq, expected.dq, "queries");
    expect_near(found.dk, expected.dk, "keys");
    expect_near(found.dv, expected.dv, "values");
  }

 private:
  std::vector<float> with_gaps(int64_t context, int64_t size, int64_t step) {
    std::vector<float> rows = random_floats(context * step);
    for (int64_t t = 0; t < context; ++t)
      for (int64_t c = size; c < step; ++c) rows[static_cast<size_t>(t * step + c)] = 0;
    return rows;
  }
};

TEST_P(SoftmaxAttention, IsThatOfItsDefinitionAtEverySize) {
  for (int trial = 0; trial < 12; ++trial)
    expect_right(head_of(random_size(70), random_size(40), trial % 3, trial % 2 == 0 ? 0.0f : 0.25f));
  expect_right(head_of(1, 1, 0, 0));
  expect_right(head_of(32, 16, 5, 0.5f));
  expect_right(head_of(64, 64, 0, 0));
  expect_right(head_of(33, 100, 0, 0));
}

TEST_P(SoftmaxAttention, TakesContextsOfMoreThanOneChain) { expect_right(head_of(300, 12, 1, 0.01f)); }

TEST_P(SoftmaxAttention, AddsForHeadsThatShareKeys) {
  const HeadOfFloats of = head_of(45, 20, 0, 0.1f);
  const Attended alone = attend(of), added = attend(of, /*add=*/true);
  for (size_t i = 0; i < of.keys.size(); ++i) {
    const bool gap = i % static_cast<size_t>(of.step + 1) >= static_cast<size_t>(of.size);
    EXPECT_EQ(added.dk[i], gap ? 1 : 1 + alone.dk[i]) << i;
    EXPECT_EQ(added.dv[i], gap ? 1 : 1 + alone.dv[i]) << i;
  }
}

TEST_P(SoftmaxAttention, GivesTheBitsOfThePlainOne) {
  for (const int64_t size : {8, 16, 33}) {
    const HeadOfFloats of = head_of(77, size, 1, 0.2f);
    const Attended found = attend(of);
    const WithIsa plain(Isa::plain);
    const Attended expected = attend(of);
    EXPECT_EQ(found.top, expected.top);
    EXPECT_EQ(found.inverse, expected.inverse);
    EXPECT_EQ(found.out, expected.out);
    EXPECT_EQ(found.dq, expected.dq);
    EXPECT_EQ(found.dk, expected.dk);
    EXPECT_EQ(found.dv, expected.dv);
  }
}

TEST_P(SoftmaxAttention, KeepsWhatIsNotFiniteFromEarlierQueries) {
  HeadOfFloats of = head_of(50, 8, 0, 0);
  of.keys[of.key(40, 3)] = std::numeric_limits<float>::quiet_NaN();
  const Attended found = attend(of);
  for (int64_t t = 0; t < 50; ++t)
    for (int64_t c = 0; c < 8; ++c) EXPECT_EQ(std::isnan(found.out[of.query(t, c)]), t >= 40) << t;
}

TEST_P(SoftmaxAttention, StandsScoresFarApart) {
  HeadOfFloats of = head_of(40, 8, 0, 0);
  for (float& x : of.keys) x *= 1e4f;
  const Attended found = attend(of);
  for (const float x : found.out) EXPECT_TRUE(std::isfinite(x));
  for (const float x : found.dk) EXPECT_TRUE(std::isfinite(x));
}

BITSWEEP_FOR_EACH_ISA(SoftmaxAttention);

}  // namespace
}  // namespace bitsweep::kernels
