#include <cmath>
#include <numeric>

#include <gmock/gmock.h>

#include "base/rng.h"
#include "data/count_model.h"
#include "data/stories.h"
#include "data/yardsticks.h"
#include "temp_folder.h"

namespace bitsweep::data {
namespace {

const tokenize::ByteAlphabet bytes256("bytes256");
const tokenize::ByteAlphabet ascii128("ascii128");

CountModel model_of(std::string_view text, const tokenize::ByteAlphabet& tokenizer = bytes256) {
  return CountModel(bytes_of(text), {{0, text.size()}}, tokenizer);
}

std::string random_bytes(size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += static_cast<char>(random_below(1, 1, i, 256));
  return text;
}

// Too few n-grams to estimate discounts from, so each is a half.
TEST(CountModel, known_answer_on_a_tiny_text) {
  const CountModel model = model_of("abab");
  const double p_a = 1.5 / 4 + 2 * 0.5 / 4 / 256;  // c(a) = 2 of 4; two symbols give up a half each
  EXPECT_DOUBLE_EQ(model.probability(0, {}, 'a'), p_a);
  EXPECT_DOUBLE_EQ(model.probability(0, {}, 'z'), 0.25 / 256);
  const double p_b_after_a = 1.5 / 2 + 0.5 / 2 * p_a;  // "ab" twice, nothing else after a
  EXPECT_DOUBLE_EQ(model.probability(1, bytes_of("a"), 'b'), p_b_after_a);
  const double p_a_after_ab = 0.5 / 1 + 0.5 / 1 * (0.5 + 0.5 * p_a);  // "aba" once; "ba" once
  EXPECT_DOUBLE_EQ(model.probability(2, bytes_of("ab"), 'a'), p_a_after_ab);
  EXPECT_DOUBLE_EQ(model.probability(3, bytes_of("xab"), 'a'), p_a_after_ab);  // never seen: the order below
  EXPECT_DOUBLE_EQ(model.probability(3, bytes_of("aba"), 'b'), 0.5 + 0.5 * model.probability(2, bytes_of("ba"), 'b'));
}

TEST(CountModel, probabilities_sum_to_one) {
  const std::string stories = generate_stories(1, 200'000);
  const std::string noise = random_bytes(50'000);
  for (const std::string& text : {std::string("a"), std::string("abracadabra"), stories, noise})
    for (const tokenize::ByteAlphabet* tokenizer : {&bytes256, &ascii128}) {
      const CountModel model = model_of(text, *tokenizer);
      for (const std::string& history :
           {std::string("the"), std::string("qqq"), std::string("abr"), text.substr(0, 3) + "   "})
        for (int order = 0; order <= 3; ++order) {
          double sum = 0;
          for (int symbol = 0; symbol < tokenizer->vocab(); ++symbol) {
            const double p = model.probability(order, bytes_of(history), static_cast<uint8_t>(symbol));
            EXPECT_GT(p, 0);
            sum += p;
          }
          EXPECT_NEAR(sum, 1, 1e-12) << "order " << order << " after " << history;
        }
    }
}

// score() goes by buckets of 4-grams; this is the same by its definition.
TEST(CountModel, score_is_the_mean_code_length_of_probability) {
  const std::string train = generate_stories(1, 30'000), val = generate_stories(2, 2'000) + "\x01 never seen ~~~";
  const CountModel model(bytes_of(train), {{0, 10'000}, {12'000, 30'000}}, ascii128);
  const std::vector<Segment> segments{{0, 900}, {1000, 1002}, {1100, val.size()}};
  std::array<double, 4> bits{};
  uint64_t count = 0;
  for (const Segment& segment : segments)
    for (uint64_t at = segment.begin; at < segment.end; ++at, ++count)
      for (int order = 0; order < 4; ++order) {
        const auto used = static_cast<int>(std::min<uint64_t>(order, at - segment.begin));
        bits[order] -=
            std::log2(model.probability(used, bytes_of(val).subspan(at - used, used), static_cast<uint8_t>(val[at])));
      }
  const auto scored = model.score(bytes_of(val), segments);
  for (int order = 0; order < 4; ++order) EXPECT_NEAR(scored[order], bits[order] / static_cast<double>(count), 1e-9);
}

// What a model says of a window: nothing of its first byte, and of the others after what stands before them in it.
TEST(CountModel, the_first_byte_of_a_window_is_only_history) {
  const std::string train = generate_stories(1, 30'000), val = generate_stories(2, 400);
  const CountModel model(bytes_of(train), {{0, train.size()}}, bytes256);
  const std::vector<Segment> windows{{0, 17}, {17, 34}, {300, 302}};
  std::array<double, 4> bits{};
  for (const Segment& window : windows)
    for (uint64_t at = window.begin + 1; at < window.end; ++at)
      for (int order = 0; order < 4; ++order) {
        const auto used = static_cast<int>(std::min<uint64_t>(order, at - window.begin));
        bits[order] -=
            std::log2(model.probability(used, bytes_of(val).subspan(at - used, used), static_cast<uint8_t>(val[at])));
      }
  const auto scored = model.score(bytes_of(val), windows, /*first_is_given=*/true);
  for (int order = 0; order < 4; ++order) EXPECT_NEAR(scored[order], bits[order] / (16 + 16 + 1), 1e-9);
}

TEST(CountModel, n_grams_do_not_cross_segments) {
  const CountModel model(bytes_of("abXcd"), {{0, 2}, {3, 5}}, bytes256);
  EXPECT_DOUBLE_EQ(model.probability(1, bytes_of("b"), 'c'), model.probability(0, {}, 'c'));
  EXPECT_GT(model.probability(1, bytes_of("a"), 'b'), 0.5);
}

TEST(CountModel, random_bytes_cost_eight_bits) {
  const std::string noise = random_bytes(400'000);
  const CountModel model(bytes_of(noise), {{0, 300'000}}, bytes256);
  const auto bits = model.score(bytes_of(noise), {{300'000, 400'000}});
  EXPECT_NEAR(bits[0], 8, 0.01);
  for (const double order : bits) EXPECT_GT(order, 7.99);
}

TEST(CountModel, one_symbol_for_ever_costs_nothing) {
  const std::string text(100'000, 'x');
  for (const double bits : model_of(text).score(bytes_of(text), {{0, text.size()}})) EXPECT_LT(bits, 1e-3);
}

TEST(CountModel, higher_orders_are_better_on_text_with_structure) {
  const std::string text = generate_stories(3, 400'000);
  const CountModel model(bytes_of(text), {{0, 300'000}}, ascii128);
  const auto bits = model.score(bytes_of(text), {{300'000, text.size()}});
  for (int order = 1; order < 4; ++order) EXPECT_LT(bits[order], bits[order - 1] - 0.3);
  EXPECT_GT(bits[3], stories_entropy_bits_per_byte());
}

TEST(Yardsticks, say_what_was_counted) {
  const std::string text = generate_stories(4, 100'000);
  const Yardsticks yardsticks =
      compute_yardsticks(bytes_of(text), {{0, 80'000}}, bytes_of(text), {{{{80'000, 100'000}}}}, ascii128).at(0);
  EXPECT_EQ(yardsticks.sample_bytes, 80'000u);
  EXPECT_EQ(yardsticks.scored_bytes, 20'000u);
  EXPECT_EQ(yardsticks.bits_per_byte,
            CountModel(bytes_of(text), {{0, 80'000}}, ascii128).score(bytes_of(text), {{80'000, 100'000}}));
}

TEST(Yardsticks, count_once_for_the_split_and_its_windows) {
  const std::string text = generate_stories(4, 100'000);
  const std::vector<Segment> val{{80'000, 100'000}}, windows{{80'000, 80'065}, {90'000, 90'065}};
  const auto both =
      compute_yardsticks(bytes_of(text), {{0, 80'000}}, bytes_of(text), {{val}, {windows, true}}, ascii128);
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both[0].scored_bytes, 20'000u);
  EXPECT_EQ(both[1].scored_bytes, 2 * 64u);
  EXPECT_EQ(both[1].sample_bytes, 80'000u);
  const CountModel model(bytes_of(text), {{0, 80'000}}, ascii128);
  EXPECT_EQ(both[0].bits_per_byte, model.score(bytes_of(text), val));
  EXPECT_EQ(both[1].bits_per_byte, model.score(bytes_of(text), windows, true));
}

TEST(Yardsticks, json_round_trip) {
  const Yardsticks yardsticks{{4.8, 3.6, 3.0, 2.6}, "method", 1000, 50};
  const Yardsticks back = yardsticks_from_json(to_json(yardsticks));
  EXPECT_EQ(back.bits_per_byte, yardsticks.bits_per_byte);
  EXPECT_EQ(back.method, yardsticks.method);
  EXPECT_EQ(back.sample_bytes, 1000u);
  EXPECT_EQ(back.scored_bytes, 50u);
  EXPECT_THROW(yardsticks_from_json(json::object{{"bits_per_byte", json::array{1, 2, 3}}}), Error);
  EXPECT_THROW(yardsticks_from_json(json::object{{"bits_per_byte", json::array{1, 2, 3, "x"}}}), Error);
  EXPECT_THROW(yardsticks_from_json(json::object{}), Error);
}

}  // namespace
}  // namespace bitsweep::data
