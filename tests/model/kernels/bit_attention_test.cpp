#include "kernels/bit_attention.h"

#include <cmath>

#include "kernels/noise.h"
#include "model/kernels/each_isa.h"

namespace bitsweep::kernels {
namespace {

struct HeadSize {
  int64_t context, size;
};
constexpr HeadSize kSizes[] = {{1, 1},   {2, 8},    {15, 16},  {16, 16},  {17, 16}, {33, 20},  {64, 32},
                               {65, 32}, {100, 33}, {130, 64}, {97, 100}, {40, 16}, {200, 16}, {161, 32}};

class BitAttention : public EachIsa {
 protected:
  struct Head {
    SignBits queries, keys, values;
    BitHead bits;
  };
  Head random_head(HeadSize of) {
    Head head{
        random_signs(of.context, of.size), random_signs(of.context, of.size), random_signs(of.context, of.size), {}};
    return head;
  }
  static BitHead bits_of(const Head& head) {
    return {.queries = &head.queries,
            .keys = &head.keys,
            .values = &head.values,
            .context = head.queries.rows(),
            .size = head.queries.columns()};
  }

  static std::vector<float> dots_of(const Head& head) {
    const int64_t context = head.queries.rows();
    std::vector<float> dots(static_cast<size_t>(context * context));
    for (int64_t t = 0; t < context; ++t)
      for (int64_t j = 0; j < context; ++j)
        for (int64_t i = 0; i < head.queries.columns(); ++i)
          dots[static_cast<size_t>(t * context + j)] +=
              static_cast<float>(sign_at(head.queries, t, i) * sign_at(head.keys, j, i));
    return dots;
  }

  static ScoreRule rule_of(int64_t size, float slope, float tau, bool noisy) {
    return {.scale = 1 / std::sqrt(static_cast<float>(size)),
            .slope = slope,
            .inverse_tau = noisy ? 1 / tau : 1.0f,
            .noisy = noisy,
            .key = 0x123456789abcdef,
            .first_row = 40};
  }
};

TEST_P(BitAttention, ChoosesAsThoseWithAllScoresInMemoryDo) {
  for (const HeadSize& of : kSizes)
    for (const float slope : {0.0f, 0.004f, 0.5f})
      for (const float tau : {0.1f, 0.45f, 2.0f})
        for (const bool noisy : {true, false}) {
          const Head head = random_head(of);
          const ScoreRule rule = rule_of(of.size, slope, tau, noisy);
          std::vector<float> dots = dots_of(head), top(static_cast<size_t>(of.context));
          std::vector<int32_t> expected(top.size()), found(top.size());
          choose_head(dots.data(), of.context, rule, expected.data());
          choose_keys(bits_of(head), rule, found.data(), top.data());
          ASSERT_EQ(found, expected) << of.context << " x " << of.size << " slope " << slope << " tau " << tau;
        }
}

// Few keys and as many as a register has, or more; slopes so steep that few keys have a chance, and scores so far apart
// that bounds say little of who is best.
TEST_P(BitAttention, TheBestFewAreThoseOfAllScoresInMemory) {
  for (const HeadSize& of : kSizes)
    for (const int64_t keys : {1, 4, 7, 16, 19, 64})
      for (const float slope : {0.0f, 0.1f, 2.0f})
        for (const float spread : {0.01f, 1.0f, 8.0f}) {
          const Head head = random_head(of);
          ScoreRule rule = rule_of(of.size, slope, 0.5f, true);
          rule.scale *= spread;
          std::vector<float> dots = dots_of(head), p(static_cast<size_t>(of.context * keys)), q(p.size());
          std::vector<int32_t> expected(p.size()), found(p.size());
          top_keys_head(dots.data(), of.context, rule, keys, expected.data(), p.data());
          choose_top_keys(bits_of(head), rule, keys, found.data(), q.data());
          ASSERT_EQ(found, expected) << of.context << " x " << of.size << ": " << keys << " slope " << slope;
          ASSERT_EQ(p, q);
        }
}

// In double, from the definitions.
struct Reference {
  std::vector<double> dq, dk, dv;
};

class PointerBackward : public BitAttention {
 protected:
  static constexpr int64_t kStep = 150;  // from row to row of gradients

  Reference reference(const Head& head, const ScoreRule& rule, const std::vector<int32_t>& choice, double factor,
                      const std::vector<float>& g) {
    const int64_t context = head.queries.rows(), size = head.queries.columns();
    Reference out;
    out.dq.resize(static_cast<size_t>(context * size));
    out.dk = out.dv = out.dq;
    std::vector<float> noise(static_cast<size_t>(rounded_up(context, kNoiseBlock)));
    for (int64_t t = 0; t < context; ++t) {
      gumbel_row(rule.key, rule.first_row + static_cast<uint64_t>(t), noise.data(), context);
      std::vector<double> p, da;
      double top = -1e300, sum = 0, mean = 0;
      for (int64_t j = 0; j <= t; ++j) {
        double dot = 0, along = 0;
        for (int64_t i = 0; i < size; ++i) dot += sign_at(head.queries, t, i) * sign_at(head.keys, j, i);
        for (int64_t i = 0; i < size; ++i) along += g[static_cast<size_t>(t * kStep + i)] * sign_at(head.values, j, i);
        const double z = dot * rule.scale - static_cast<double>(rule.slope) * static_cast<double>(t - j);
        p.push_back((z + (rule.noisy ? noise[static_cast<size_t>(j)] : 0.0f)) * rule.inverse_tau);
        da.push_back(along);
        top = std::max(top, p.back());
      }
      for (double& z : p) sum += z = std::exp(z - top);
      for (size_t j = 0; j < p.size(); ++j) mean += (p[j] /= sum) * da[j];
      for (size_t j = 0; j < p.size(); ++j) {
        const double dz = p[j] * (da[j] - mean) * factor;
        for (int64_t i = 0; i < size; ++i) {
          out.dq[static_cast<size_t>(t * size + i)] += dz * sign_at(head.keys, static_cast<int64_t>(j), i);
          out.dk[j * static_cast<size_t>(size) + static_cast<size_t>(i)] += dz * sign_at(head.queries, t, i);
        }
      }
      for (int64_t i = 0; i < size; ++i)
        out.dv[static_cast<size_t>(choice[static_cast<size_t>(t)] * size + i)] += g[static_cast<size_t>(t * kStep + i)];
    }
    return out;
  }

  static void expect_near(const std::vector<float>& found, const std::vector<double>& expected, int64_t size,
                          const char* what) {
    double off = 0, norm = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      const size_t at = i / static_cast<size_t>(size) * kStep + i % static_cast<size_t>(size);
      off += (found[at] - expected[i]) * (found[at] - expected[i]);
      norm += expected[i] * expected[i];
    }
    EXPECT_LE(std::sqrt(off), 3e-5 * std::sqrt(norm) + 1e-7) << what << " of size " << size;
  }
};

TEST_P(PointerBackward, IsNearTheExactOne) {
  for (const HeadSize& of : kSizes)
    for (const float slope : {0.0f, 0.3f})
      for (const float tau : {0.1f, 0.45f, 2.0f})
        for (const bool noisy : {true, false}) {
          const Head head = random_head(of);
          const ScoreRule rule = rule_of(of.size, slope, tau, noisy);
          const std::vector<float> g = random_floats(of.context * kStep);
          std::vector<int32_t> choice(static_cast<size_t>(of.context));
          std::vector<float> top(choice.size()), dq(g.size(), 7), dk(dq), dv(dq);
          choose_keys(bits_of(head), rule, choice.data(), top.data());
          const float factor = rule.scale * rule.inverse_tau;
          choose_keys_backward(
              bits_of(head), rule, choice.data(), top.data(), factor,
              {.output = g.data(), .queries = dq.data(), .keys = dk.data(), .values = dv.data(), .step = kStep});
          const Reference expected = reference(head, rule, choice, factor, g);
          expect_near(dq, expected.dq, of.size, "dq");
          expect_near(dk, expected.dk, of.size, "dk");
          expect_near(dv, expected.dv, of.size, "dv");
          EXPECT_EQ(dq[static_cast<size_t>(of.size)], 7) << "nothing is written beside the head";
        }
}

// Slopes so steep that few keys matter, and scores so far apart that a row's best noise is seldom its choice's; and
// temperatures at which every key has a probability, or few have one.
TEST_P(PointerBackward, GivesTheBitsOfPlainLoops) {
  for (const HeadSize& of : kSizes)
    for (const float slope : {0.0f, 0.05f, 2.0f})
      for (const float tau : {0.1f, 0.3f, 2.0f})
        for (const float spread : {1.0f, 8.0f}) {
          const Head head = random_head(of);
          ScoreRule rule = rule_of(of.size, slope, tau, true);
          rule.scale *= spread;
          const std::vector<float> g = random_floats(of.context * kStep);
          // The choice's z behind the gradients.
          const auto gradients = [&](std::vector<int32_t>& choice) {
            std::vector<float> all(3 * g.size() + choice.size());
            float* top = all.data() + 3 * g.size();
            choose_keys(bits_of(head), rule, choice.data(), top);
            choose_keys_backward(bits_of(head), rule, choice.data(), top, 0.4f,
                                 {.output = g.data(),
                                  .queries = all.data(),
                                  .keys = all.data() + g.size(),
                                  .values = all.data() + 2 * g.size(),
                                  .step = kStep});
            return all;
          };
          std::vector<int32_t> choice(static_cast<size_t>(of.context)), expected(choice.size());
          const std::vector<float> found = gradients(choice);
          const WithIsa plain(Isa::plain);
          ASSERT_EQ(found, gradients(expected)) << of.context << " x " << of.size << " slope " << slope;
          ASSERT_EQ(choice, expected);
        }
}

BITSWEEP_FOR_EACH_ISA(BitAttention);
BITSWEEP_FOR_EACH_ISA(PointerBackward);

}  // namespace
}  // namespace bitsweep::kernels
