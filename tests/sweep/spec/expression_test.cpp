#include "spec/expression.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bitsweep::spec {
namespace {

using testing::HasSubstr;

std::optional<ExpressionValue> lookup(const std::string& name) {
  if (name == "train.batch") return 64.0;
  if (name == "train.steps") return 1000.0;
  if (name == "model.plugin") return std::string("v57");
  if (name == "model.alibi") return true;
  return std::nullopt;
}

double number(const std::string& text) { return std::get<double>(Expression::parse(text).evaluate(lookup)); }
bool truth(const std::string& text) { return std::get<bool>(Expression::parse(text).evaluate(lookup)); }

struct Failure {
  size_t offset;
  std::string message;
};
Failure failure(const std::string& text) {
  try {
    Expression::parse(text).evaluate(lookup);
  } catch (const ExpressionError& error) {
    return {error.offset, error.what()};
  }
  ADD_FAILURE() << "accepted: " << text;
  return {};
}

TEST(Expression, Precedence) {
  EXPECT_EQ(number("1 + 2 * 3"), 7);
  EXPECT_EQ(number("(1 + 2) * 3"), 9);
  EXPECT_EQ(number("2 ** 3 ** 2"), 512);
  EXPECT_EQ(number("-2 ** 2"), -4);
  EXPECT_EQ(number("2 ** -1"), 0.5);
  EXPECT_EQ(number("8 / 2 / 2"), 2);
  EXPECT_EQ(number("10 - 3 - 2"), 5);
  EXPECT_EQ(number("-7 % 3"), 2);
  EXPECT_TRUE(truth("1 + 1 == 2 and not 1 > 2 or false"));
  EXPECT_TRUE(truth("false and false or true"));
  EXPECT_TRUE(truth("not 1 > 2 and 2 > 1"));
}

TEST(Expression, NumbersAndSizes) {
  EXPECT_EQ(number("4_000_000"), 4e6);
  EXPECT_EQ(number("5.5M"), 5.5e6);
  EXPECT_EQ(number("3e-4 * sqrt(train.batch / 64)"), 3e-4);
  EXPECT_EQ(number("1B + 300k"), 1'000'300'000);
  EXPECT_EQ(number(".5"), 0.5);
}

TEST(Expression, Functions) {
  EXPECT_EQ(number("max(1, 2, 3) + min(4, 5)"), 7);
  EXPECT_EQ(number("round(2.5) + floor(2.5) + ceil(2.5)"), 8);
  EXPECT_EQ(number("log2(8) + pow(2, 3) + abs(-1) + log10(100)"), 14);
  EXPECT_NEAR(number("log(exp(1))"), 1, 1e-15);
}

TEST(Expression, TextsAndTruths) {
  EXPECT_TRUE(truth("model.plugin == 'v57'"));
  EXPECT_TRUE(truth("model.plugin != \"llama\" and model.alibi"));
  EXPECT_TRUE(truth("model.alibi == true"));
  EXPECT_THAT(failure("model.plugin == 5").message, HasSubstr("a text cannot equal a number"));
  EXPECT_THAT(failure("model.plugin + 1").message, HasSubstr("a number was expected here, this is a text"));
  EXPECT_THAT(failure("train.batch and true").message, HasSubstr("a condition was expected"));
}

TEST(Expression, TheDecidingSideAloneIsLookedAt) {
  EXPECT_FALSE(truth("train.batch > 100 and 1 / 0 > 1"));
  EXPECT_TRUE(truth("train.batch < 100 or unknown.name > 1"));
}

TEST(Expression, ErrorsHaveTheirColumn) {
  EXPECT_EQ(failure("train.batch *").offset, 13u);
  EXPECT_EQ(failure("1 + (2 * 3").offset, 4u);
  EXPECT_EQ(failure("1 + foo(2)").offset, 4u);
  EXPECT_THAT(failure("sqrtt(2)").message, HasSubstr("did you mean 'sqrt'?"));
  EXPECT_THAT(failure("sqrt(1, 2)").message, HasSubstr("takes one value, given 2"));
  EXPECT_THAT(failure("max(1)").message, HasSubstr("two values or more"));
  EXPECT_THAT(failure("1 && 2").message, HasSubstr("use 'and'"));
  EXPECT_THAT(failure("train.batch = 64").message, HasSubstr("use '=='"));
  EXPECT_THAT(failure("2 ^ 3").message, HasSubstr("use '**'"));
  EXPECT_THAT(failure("1 < 2 < 3").message, HasSubstr("not chained"));
  EXPECT_THAT(failure("1 2").message, HasSubstr("not expected"));
  EXPECT_THAT(failure("'open").message, HasSubstr("not closed"));
  EXPECT_THAT(failure("5 * and").message, HasSubstr("'and' needs a value before it"));
  EXPECT_THAT(failure("3x").message, HasSubstr("'3x' is not a number"));
  EXPECT_THAT(failure("").message, HasSubstr("ends here"));
  EXPECT_THAT(failure("nowhere.name").message, HasSubstr("has no value here"));
}

TEST(Expression, WhatIsNotFiniteIsAnError) {
  EXPECT_THAT(failure("1 / 0").message, HasSubstr("division by zero"));
  EXPECT_THAT(failure("1 % 0").message, HasSubstr("division by zero"));
  EXPECT_THAT(failure("sqrt(0 - 1)").message, HasSubstr("sqrt(-1) is not a number"));
  EXPECT_THAT(failure("log(0)").message, HasSubstr("not finite"));
  EXPECT_THAT(failure("1e300 * 1e300").message, HasSubstr("not finite"));
  EXPECT_THAT(failure("(0-8) ** 0.5").message, HasSubstr("not a number"));
  EXPECT_THAT(failure("1e999").message, HasSubstr("too large"));
}

TEST(Expression, DepthAndLengthAreLimited) {
  EXPECT_THAT(failure(std::string(2000, '(') + "1" + std::string(2000, ')')).message, HasSubstr("nested more than"));
  EXPECT_THAT(failure(std::string(4000, '-') + "1").message, HasSubstr("nested more than"));
  EXPECT_THAT(failure(std::string(5000, ' ')).message, HasSubstr("4096 bytes"));
  std::string sum = "1";
  for (int i = 0; i < 2000; ++i) sum += "+1";
  EXPECT_EQ(number(sum), 2001);
}

TEST(Expression, NamesAreListedOnce) {
  const Expression expression = Expression::parse("train.batch * train.steps + train.batch");
  ASSERT_EQ(expression.names().size(), 2u);
  EXPECT_EQ(expression.names()[1].name, "train.steps");
  EXPECT_EQ(expression.names()[1].offset, 14u);
}

}  // namespace
}  // namespace bitsweep::spec
