// The document of `fit --json`: the names that scripts rely on.
#include <gtest/gtest.h>

#include "fit/fit.h"
#include "simulate.h"

namespace bitsweep::fit {
namespace {

json::object document(const std::vector<Point>& points, int resamples) {
  FitOptions o;
  o.resamples = resamples;
  o.targets = {Target{300e6, 1e9, "", ""}};
  return fit_json(fit_law(points, o));
}

TEST(FitJson, HasEveryPromisedField) {
  const json::object d = document(random_points(TrueLaw{}, 20, 0.02, 1), 60);
  for (const char* name :
       {"law", "points", "params", "objective", "starts", "starts_at_best", "second_basin", "at_bound", "identified",
        "refused", "intervals", "a_opt", "aicc", "residual_sd", "predictions"})
    EXPECT_TRUE(d.contains(name)) << name;
  EXPECT_EQ(d.at("law").as_string(), "chinchilla");
  EXPECT_EQ(d.at("points").to_number<int>(), 20);
  for (const char* name : {"E", "A", "B", "alpha", "beta"}) {
    EXPECT_TRUE(d.at("params").as_object().at(name).is_number()) << name;
    EXPECT_EQ(d.at("intervals").as_object().at(name).as_array().size(), 2u) << name;
  }
  EXPECT_TRUE(d.at("intervals").as_object().contains("a_opt"));
  EXPECT_TRUE(d.at("identified").as_bool());
  EXPECT_TRUE(d.at("refused").as_array().empty());
  const json::object& p = d.at("predictions").as_array().at(0).as_object();
  EXPECT_EQ(p.at("target").as_object().at("params").to_number<double>(), 300e6);
  EXPECT_EQ(p.at("interval").as_array().size(), 2u);
  EXPECT_TRUE(p.at("loss").is_number());
  EXPECT_TRUE(p.at("extrapolation").is_number());
}

TEST(FitJson, ARefusalHasReasonsAndNulls) {
  const json::object d = document({make_point(1e6, 1e9, 2)}, 60);
  EXPECT_TRUE(d.at("params").is_null());
  EXPECT_TRUE(d.at("objective").is_null());
  EXPECT_FALSE(d.at("identified").as_bool());
  EXPECT_FALSE(d.at("refused").as_array().empty());
  EXPECT_TRUE(d.at("intervals").as_object().empty());
  EXPECT_TRUE(d.at("predictions").as_array().at(0).as_object().at("loss").is_null());
}

TEST(FitJson, ParsesBackAndIsTheSameTwice) {
  const auto points = random_points(TrueLaw{}, 12, 0.02, 2);
  const std::string text = pretty_json(document(points, 40));
  EXPECT_EQ(text, pretty_json(document(points, 40)));
  EXPECT_NO_THROW(parse_json(text, "fit"));
}

}  // namespace
}  // namespace bitsweep::fit
