// Every law against finite differences, and what it tells people against what it was given.
#include "fit/law.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "fit/objective.h"
#include "simulate.h"

namespace bitsweep::fit {
namespace {

using Eigen::VectorXd;

class EachLaw : public testing::TestWithParam<const char*> {
 protected:
  std::vector<Point> points_ = labelled_points();
  std::unique_ptr<Law> law_ = make_law(GetParam(), points_, {"", "", ""});

  // Every factor that some law reads has a value, and there are labels to tell apart.
  static std::vector<Point> labelled_points() {
    std::vector<Point> points = random_points(TrueLaw{}, 25, 0.02, 3);
    const char* variants[] = {"bitnet", "llama", "truebit"};
    for (size_t i = 0; i < points.size(); ++i) {
      Point& p = points[i];
      p.unique_tokens = p.tokens / (0.5 + 12 * random_unit(9, 1, i));
      p.variant = variants[i % 3];
      p.dataset = i % 2 ? "headers" : "stories";
      p.lr_area = 0.1 + static_cast<double>(i);
      p.annealing = 0.02 * random_unit(9, 2, i);
    }
    return points;
  }

  VectorXd theta(uint64_t seed) const {
    VectorXd values(law_->dimension());
    const int k = static_cast<int>(law_->terms().size());
    for (int i = 0; i < values.size(); ++i)
      values[i] = i < k ? -1 + 2 * random_unit(seed, 1, i) : 0.1 + random_unit(seed, 2, i);
    return values;
  }
};

TEST_P(EachLaw, BasisDerivativesMatchFiniteDifferences) {
  const auto x = law_->coordinates(points_);
  const int k = static_cast<int>(law_->terms().size()), s = static_cast<int>(law_->shapes().size());
  const VectorXd at = theta(1).tail(s);
  Basis exact, up, down;
  law_->evaluate(x, at, 2, exact);
  const double h = 1e-5;
  for (int j = 0; j < s; ++j) {
    law_->evaluate(x, at + h * VectorXd::Unit(s, j), 1, up);
    law_->evaluate(x, at - h * VectorXd::Unit(s, j), 1, down);
    EXPECT_LT((exact.first[j] - (up.value - down.value) / (2 * h)).abs().maxCoeff(), 1e-7);
    for (int l = 0; l <= j; ++l)
      EXPECT_LT((exact.second[j * (j + 1) / 2 + l] - (up.first[l] - down.first[l]) / (2 * h)).abs().maxCoeff(), 1e-6);
  }
  EXPECT_EQ(exact.value.cols(), k);
}

TEST_P(EachLaw, GradientMatchesFiniteDifferences) {
  for (const double delta : {1e-3, 0.1, HUGE_VAL}) {
    Objective objective(*law_, points_, delta);
    const VectorXd at = theta(2);
    VectorXd gradient;
    Eigen::MatrixXd hessian, majoriser;
    const double value = objective.derivatives(at, gradient, hessian, majoriser);
    EXPECT_DOUBLE_EQ(value, objective.value(at));
    for (int i = 0; i < at.size(); ++i) {
      const VectorXd step = 1e-6 * VectorXd::Unit(at.size(), i);
      const double numeric = (objective.value(at + step) - objective.value(at - step)) / 2e-6;
      EXPECT_NEAR(gradient[i], numeric, 1e-6 * (1 + std::abs(numeric))) << i << " delta " << delta;
    }
  }
}

TEST_P(EachLaw, HessianMatchesFiniteDifferencesOfTheGradient) {
  for (const double delta : {0.5, HUGE_VAL}) {
    Objective objective(*law_, points_, delta);
    const VectorXd at = theta(3);
    VectorXd gradient, up, down;
    Eigen::MatrixXd hessian, majoriser, unused;
    objective.derivatives(at, gradient, hessian, majoriser);
    for (int i = 0; i < at.size(); ++i) {
      const VectorXd step = 1e-6 * VectorXd::Unit(at.size(), i);
      objective.derivatives(at + step, up, unused, majoriser);
      objective.derivatives(at - step, down, unused, majoriser);
      EXPECT_LT((hessian.col(i) - (up - down) / 2e-6).cwiseAbs().maxCoeff(), 1e-5) << i;
    }
  }
}

TEST_P(EachLaw, NamedValuesGoThereAndBack) {
  const VectorXd at = theta(4);
  Objective objective(*law_, points_, 1e-3);
  std::vector<double> values;
  for (const NamedValue& v : law_->named(objective.amplitudes(at), objective.shapes(at))) values.push_back(v.value);
  VectorXd amplitudes, shapes;
  law_->from_named(values, amplitudes, shapes);
  EXPECT_LT((objective.join(amplitudes, shapes) - at).cwiseAbs().maxCoeff(), 1e-12);
}

TEST_P(EachLaw, SharesSumToOne) {
  for (const auto& share : law_->share_starts()) {
    double sum = 0;
    for (const double s : share) sum += s;
    EXPECT_GT(sum, 0.9);  // of a law with labels, over the terms of all of them
  }
}

TEST_P(EachLaw, HasFourAndAHalfThousandStarts) {
  size_t starts = law_->share_starts().size();
  for (const Shape& shape : law_->shapes()) starts *= shape.starts.size();
  EXPECT_GE(starts, 4500u);
}

TEST_P(EachLaw, ANamedValueIsThePlaneItSaysItIs) {
  const VectorXd at = theta(5);
  Objective objective(*law_, points_, 1e-3);
  const auto named = law_->named(objective.amplitudes(at), objective.shapes(at));
  for (size_t i = 0; i < named.size(); ++i) {
    const auto plane = law_->level(static_cast<int>(i), named[i].value);
    ASSERT_TRUE(plane) << named[i].name;
    EXPECT_NEAR(plane->normal.dot(at), plane->offset, 1e-9 * (1 + std::abs(plane->offset))) << named[i].name;
    const auto away = law_->level(static_cast<int>(i), 1.5 * named[i].value);
    EXPECT_GT(std::abs(away->normal.dot(at) - away->offset), 1e-3) << named[i].name;
  }
}

INSTANTIATE_TEST_SUITE_P(Laws, EachLaw,
                         testing::Values("power", "chinchilla", "repeated", "precision", "grouped", "curve"));

TEST(Laws, UnknownNameAndAxisNameTheNearest) {
  const auto message = [](const char* law, const char* axis) -> std::string {
    try {
      make_law(law, {}, {axis, "", ""});
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      return error.what();
    }
    return "";
  };
  EXPECT_NE(message("chinchila", "").find("did you mean 'chinchilla'"), std::string::npos);
  EXPECT_NE(message("power", "token").find("did you mean 'tokens'"), std::string::npos);
  EXPECT_NE(message("chinchilla", "params"), "");
}

TEST(Laws, PowerTakesTheAxisThatVaries) {
  const TrueLaw law;
  EXPECT_EQ(make_law("power", grid_points(law, {1e6, 3e6, 1e7}, {1e9}))->axis(), "params");
  EXPECT_EQ(make_law("power", grid_points(law, {1e6}, {1e8, 3e8, 1e9}))->axis(), "tokens");
  EXPECT_EQ(make_law("power", grid_points(law, {1e6, 2e6}, {1e8, 2e8}), {"tokens", "", ""})->axis(), "tokens");
}

TEST(Huber, IsQuadraticInsideAndLinearOutside) {
  EXPECT_DOUBLE_EQ(huber(5e-4, 1e-3), 1.25e-7);
  EXPECT_DOUBLE_EQ(huber(-0.01, 1e-3), 1e-3 * (0.01 - 5e-4));
  EXPECT_DOUBLE_EQ(huber(3, HUGE_VAL), 4.5);
}

// A sweep file is checked against the list of names before there is a law.
TEST(LawNames, EachMakesItsLaw) {
  EXPECT_FALSE(law_names().empty());
  for (const std::string& name : law_names()) EXPECT_EQ(make_law(name, {}, {})->name(), name);
}

}  // namespace
}  // namespace bitsweep::fit
