#include "nn/geometry.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/units.h"

namespace bitsweep::nn {
namespace {

using testing::HasSubstr;

constexpr int64_t kVocab = 128;

// The strict family's count: embedding, head, weights, thresholds.
int64_t strict_params(const Shape& shape) {
  return 2 * kVocab * shape.d_model + shape.n_layers * (layer_weights(shape) + layer_thresholds(shape));
}

struct Known {
  Shape shape;
  int64_t params;
};

class KnownCount : public testing::TestWithParam<Known> {};

TEST_P(KnownCount, IsExact) { EXPECT_EQ(strict_params(GetParam().shape), GetParam().params); }

INSTANTIATE_TEST_SUITE_P(Seed, KnownCount,
                         testing::Values(Known{{1024, 8, 32, 512}, 46'448'640}, Known{{640, 6, 20, 320}, 13'703'680},
                                         Known{{2048, 16, 32, 1024}, 369'819'648},
                                         Known{{2048, 13, 32, 1024}, 300'576'768},
                                         Known{{512, 4, 16, 192}, 5'516'800}));

TEST(NearestShape, FindsTheSeedsOwnShapes) {
  EXPECT_EQ(nearest_shape(5.5e6, {}, strict_params), (Shape{512, 4, 16, 192}));
  EXPECT_EQ(nearest_shape(13.7e6, {}, strict_params), (Shape{640, 6, 20, 320}));
  EXPECT_EQ(nearest_shape(46.4e6, {}, strict_params), (Shape{1024, 8, 32, 512}));
}

class Target : public testing::TestWithParam<double> {};

TEST_P(Target, IsMetWithinOnePercentByAReasonableShape) {
  const Shape shape = nearest_shape(GetParam(), {}, strict_params);
  EXPECT_NEAR(static_cast<double>(strict_params(shape)) / GetParam(), 1, 0.01);
  EXPECT_EQ(shape.head_size(), shape.d_model < 256 ? 16 : 32);
  EXPECT_EQ(shape.d_ff % 4, 0);
  EXPECT_GE(shape.n_layers, 2);
  EXPECT_LE(shape.d_ff, 2 * shape.d_model);
  EXPECT_GE(8 * shape.d_ff, 3 * shape.d_model);
}

INSTANTIATE_TEST_SUITE_P(Sizes, Target,
                         testing::Values(1e5, 1.5e5, 2e5, 3e5, 5e5, 7e5, 1e6, 2e6, 3e6, 1e7, 14e6, 3e7, 75e6, 1e8, 3e8,
                                         1e9, 7e9));

class WideTarget : public testing::TestWithParam<double> {};

TEST_P(WideTarget, IsMetWithTheRatioAskedForAndFewerLayers) {
  const ShapeRule rule{.ffn_ratio = 8.0 / 3, .wide = true};
  const Shape shape = nearest_shape(GetParam(), {}, strict_params, rule),
              deep = nearest_shape(GetParam(), {}, strict_params);
  EXPECT_NEAR(static_cast<double>(strict_params(shape)) / GetParam(), 1, 0.01);
  const double ratio = static_cast<double>(shape.d_ff) / static_cast<double>(shape.d_model);
  EXPECT_GE(ratio, 0.75 * rule.ffn_ratio);
  EXPECT_LE(ratio, 4 * rule.ffn_ratio);
  EXPECT_LT(shape.n_layers, deep.n_layers);
}

INSTANTIATE_TEST_SUITE_P(Sizes, WideTarget, testing::Values(2e5, 5e5, 1e6, 3e6, 14e6, 1e8, 1e9));

// Resolved and implied.
std::pair<std::string, std::string> read_to_text(const char* options, const char* defaults = "{}") {
  const json::object given = parse_json(options, "options").as_object();
  OptionReader reader(given, parse_json(defaults, "defaults").as_object());
  read_shape(reader, strict_params);
  reader.finish();
  return {canonical_json(reader.resolved()), canonical_json(reader.implied())};
}

TEST(ShapeRule, IsRecordedWhereItMattersAndIsNotTheSeeds) {
  constexpr const char* kNew = R"({"shape":"wide","ffn_ratio":2})";
  constexpr const char* kAll = R"({"d_model":64,"n_layers":2,"n_heads":2,"d_ff":32})";
  // As older specs are, and as they stay where the dimensions say all.
  const std::string dimensions = canonical_json(parse_json(kAll, "all"));
  const std::string both = R"({"ffn_ratio":0.5,"shape":"deep"})";
  EXPECT_EQ(read_to_text(kAll), std::pair(dimensions, both));
  EXPECT_EQ(read_to_text(kAll, kNew), std::pair(dimensions, both));
  // A missing d_ff follows the ratio.
  const auto [ratio, no_depth] = read_to_text(R"({"d_model":64,"n_layers":2})", kNew);
  EXPECT_EQ(ratio, R"({"d_ff":128,"d_model":64,"ffn_ratio":2,"n_heads":2,"n_layers":2})");
  EXPECT_EQ(no_depth, R"({"shape":"deep"})");
  // A target follows both, and the answer describes itself.
  const auto [sized, nothing] = read_to_text(R"({"params":"1M"})", kNew);
  EXPECT_THAT(sized, testing::AllOf(HasSubstr(R"("ffn_ratio":2)"), HasSubstr(R"("shape":"wide")")));
  EXPECT_EQ(nothing, "{}");
  EXPECT_EQ(read_to_text(sized.c_str()), std::pair(sized, nothing));
}

TEST(NearestShape, KeepsGivenDimensions) {
  const Shape shape = nearest_shape(1e6, {0, 3, 0, 0}, strict_params);
  EXPECT_EQ(shape.n_layers, 3);
  EXPECT_NEAR(static_cast<double>(strict_params(shape)) / 1e6, 1, 0.02);
  EXPECT_EQ(nearest_shape(1e6, {160, 4, 10, 320}, strict_params), (Shape{160, 4, 10, 320}));
  EXPECT_EQ(nearest_shape(1e6, {160, 0, 7, 0}, strict_params), Shape{});
}

int64_t strict_body(const Shape& shape) { return strict_params(shape) - 2 * kVocab * shape.d_model; }

Shape read_sized(const json::object& options, int64_t heads_multiple = 1) {
  OptionReader reader(options);
  const Shape shape = read_shape(reader, strict_params, strict_body, heads_multiple);
  reader.finish();
  return shape;
}

TEST(Body, AimsAtWhatTheEndsLeave) {
  for (const char* target : {"300k", "5M", "40M"}) {
    const Shape shape = read_sized({{"body", target}});
    const double size = parse_size(target).value();
    EXPECT_NEAR(static_cast<double>(strict_body(shape)) / size, 1, 0.01) << target;
    EXPECT_EQ(shape, nearest_shape(size, {}, strict_body)) << target;
  }
}

TEST(Body, IsOneOfTwoTargets) {
  try {
    read_sized({{"body", "1M"}, {"params", "1M"}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("body: one target is enough, and params is given"));
  }
  try {
    read_sized({{"body", "1M"}, {"n_heads", 7}, {"d_model", 64}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("n_heads: expected a divisor of d_model (64)"));
  }
}

TEST(NearestShape, TakesHeadsThatCanBeShared) {
  for (const int64_t multiple : {2, 3, 8}) {
    const Shape shape = read_sized({{"params", "5.5M"}}, multiple);
    EXPECT_EQ(shape.n_heads % multiple, 0);
    EXPECT_NEAR(static_cast<double>(strict_params(shape)) / 5.5e6, 1, 0.02);
  }
}

TEST(NearestShape, FarTargetsGiveTheNearestShape) {
  const Shape smallest = nearest_shape(1e3, {}, strict_params);
  EXPECT_EQ(smallest.d_model, 16);
  EXPECT_EQ(smallest.n_layers, 2);
  EXPECT_NEAR(static_cast<double>(strict_params(nearest_shape(1e13, {}, strict_params))) / 1e13, 1, 0.01);
}

std::string problem_of(const json::object& options) {
  try {
    OptionReader reader(options);
    read_shape(reader, strict_params);
    reader.boolean("alibi", true);
    reader.number("tau", 1, 0.001, 100);
    reader.choice("kind", "a", {"a", "bee"});
    reader.finish();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "";
}

struct Bad {
  const char* options;
  const char* says;
};

class BadOptions : public testing::TestWithParam<Bad> {};

TEST_P(BadOptions, AreRefusedByNameAndRange) {
  EXPECT_THAT(problem_of(parse_json(GetParam().options, "options").as_object()), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadOptions,
    testing::Values(
        Bad{R"({"d_model":160,"n_layers":4,"n_heads":7})", "n_heads: expected a divisor of d_model (160)"},
        Bad{R"({"d_model":160,"params":"1M","n_heads":7})", "n_heads: expected a divisor of d_model (160)"},
        Bad{R"({"d_model":0,"n_layers":4})", "d_model: expected an integer from 8 to 65536, got 0"},
        Bad{R"({"d_model":-8,"n_layers":4})", "d_model: expected an integer from 8"},
        Bad{R"({"d_model":1e300,"n_layers":4})", "d_model: expected an integer from 8"},
        Bad{R"({"d_model":160.5,"n_layers":4})", "d_model: expected an integer"},
        Bad{R"({"d_model":"160","n_layers":4})", "d_model: expected an integer"},
        Bad{R"({"n_layers":4})", "d_model: required, unless params"},
        Bad{R"({"d_model":64})", "n_layers: required, unless params"},
        Bad{R"({"d_model":33,"n_layers":1,"n_heads":0})", "n_heads: expected an integer from 1"},
        Bad{R"({"params":"5.5Q"})", "params: expected a size from"}, Bad{R"({"params":-1})", "params: expected a size"},
        Bad{R"({"params":[1]})", "params: expected a size"},
        Bad{R"({"params":"1M","alibi":1})", "alibi: expected true"},
        Bad{R"({"params":"1M","tau":0})", "tau: expected a number from 0.001 to 100"},
        Bad{R"({"params":"1M","kind":"be"})", "did you mean 'bee'?"},
        Bad{R"({"params":"1M","n_head":2})", "unknown option 'n_head'; did you mean 'n_heads'?"}));

TEST(OptionReader, ReportsEverythingAtOnce) {
  const std::string text = problem_of(parse_json(R"({"d_model":1,"n_layers":0,"tau":"x"})", "o").as_object());
  EXPECT_THAT(text, HasSubstr("d_model"));
  EXPECT_THAT(text, HasSubstr("n_layers"));
  EXPECT_THAT(text, HasSubstr("tau"));
}

TEST(OptionReader, NullCountsAsAbsentAndWholeDoublesAsIntegers) {
  EXPECT_EQ(problem_of(parse_json(R"({"params":null,"d_model":64.0,"n_layers":2,"alibi":null})", "o").as_object()), "");
}

}  // namespace
}  // namespace bitsweep::nn
