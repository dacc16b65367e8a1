#include "engine/function_ref.h"

#include <gtest/gtest.h>

namespace bitsweep::engine {
namespace {

int called_with(FunctionRef<int, int&> f) {
  int out = 0;
  f(3, out);
  return out;
}

TEST(FunctionRefs, CallWhatTheyReferTo) {
  int add = 4;
  const auto sum = [&](int value, int& out) { out = value + add; };
  const FunctionRef<int, int&> reference = sum;
  EXPECT_EQ(called_with(reference), 7);
  add = 5;
  EXPECT_EQ(called_with(reference), 8);
}

TEST(FunctionRefs, TakeALambdaOfTheCall) {
  EXPECT_EQ(called_with([](int value, int& out) { out = 2 * value; }), 6);
}

}  // namespace
}  // namespace bitsweep::engine
