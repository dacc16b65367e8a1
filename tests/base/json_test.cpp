#include <bit>
#include <cmath>

#include <gtest/gtest.h>

#include "base/brought_json.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"

namespace bitsweep {
namespace {

TEST(Json, CanonicalFormIgnoresOrderSpacingAndNumberStyle) {
  const auto a = parse_json(R"({"b": 1.0, "a": [1e3, 0.1, true, null], "c": {"y": "é\"", "x": -2}})", "a");
  const auto b = parse_json(R"({"c":{"x":-2,"y":"é\""},"a":[1000,1e-1,true,null],"b":1})", "b");
  EXPECT_EQ(canonical_json(a), canonical_json(b));
  EXPECT_EQ(canonical_json(a), R"({"a":[1000,0.1,true,null],"b":1,"c":{"x":-2,"y":"é\""}})");
}

TEST(Json, CanonicalFormTellsDifferentValuesApart) {
  EXPECT_NE(canonical_json(parse_json("0.1", "")), canonical_json(parse_json("0.10000000000000002", "")));
  EXPECT_NE(canonical_json(parse_json("\"1\"", "")), canonical_json(parse_json("1", "")));
}

TEST(Json, NonFiniteNumbersBecomeNull) {
  EXPECT_EQ(canonical_json(json::value(NAN)), "null");
  EXPECT_EQ(canonical_json(json::value(INFINITY)), "null");
  EXPECT_TRUE(finite_or_null(NAN).is_null());
  EXPECT_EQ(finite_or_null(2.5).as_double(), 2.5);
}

TEST(Json, PrettyFormReadsBackEqual) {
  const auto value = parse_json(R"({"z": [], "a": {"k": [1, {"q": {}}]}, "s": "x\ny"})", "");
  EXPECT_EQ(parse_json(pretty_json(value), ""), value);
  EXPECT_EQ(pretty_json(parse_json(R"({"a":[1,2]})", "")), "{\n  \"a\": [\n    1,\n    2\n  ]\n}");
}

TEST(Json, ErrorsNameLineAndColumn) {
  try {
    parse_json("{\n  \"a\": 1,\n  oops\n}", "spec.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_EQ(std::string(error.what()).rfind("spec.json:3:3: not JSON", 0), 0u) << error.what();
  }
}

TEST(Json, BadTextsAreRefused) {
  std::string deep(1000, '[');
  for (const std::string& text : {std::string(), std::string("{"), std::string("1 2"), std::string("{\"a\":1}\0", 8),
                                  deep, std::string("nul"), std::string("\xff\xfe")}) {
    EXPECT_FALSE(try_parse_json(text)) << text.substr(0, 20);
    EXPECT_THROW(parse_json(text, "x"), Error);
  }
  EXPECT_TRUE(try_parse_json(" {} \n"));
  EXPECT_TRUE(try_parse_json("12"));
}

TEST(Json, BytesThatAreNoUtf8AreRefusedUnlessBrought) {
  const std::string text = "{\"a\": \"\xE9\"}";
  EXPECT_FALSE(try_parse_json(text));
  ASSERT_TRUE(try_parse_brought_json(text));
  EXPECT_EQ(parse_brought_json(text, "f").at("a").as_string(), "\xE9");
  EXPECT_FALSE(try_parse_json(text));
  EXPECT_FALSE(try_parse_brought_json("{\"a\": \xE9}"));
  EXPECT_EQ(note_on_bytes("{}\n\u00E9\n", "f"), "");
  EXPECT_EQ(note_on_bytes("\xE9", "f"),
            "f: 1 line with bytes that are no UTF-8 (the first: line 1, byte 1); they are taken as they stand.");
  EXPECT_EQ(note_on_bytes("{}\n\u00E9\n\n\u00E9\xFF\xFF\nok\n\xC3\n", "f"),
            "f: 2 lines with bytes that are no UTF-8 (the first: line 4, byte 3); they are taken as they stand.");
}

TEST(Json, MembersWithDefaults) {
  const auto value = parse_json(R"({"n": 3, "f": 2.5, "s": "x", "b": true, "null": null})", "");
  const json::object& object = value.get_object();
  EXPECT_EQ(integer_or(object, "n", 0), 3);
  EXPECT_EQ(integer_or(object, "f", 7), 7);  // not whole
  EXPECT_EQ(number_or(object, "f", 0), 2.5);
  EXPECT_EQ(number_or(object, "null", -1), -1);
  EXPECT_EQ(string_or(object, "s", ""), "x");
  EXPECT_EQ(string_or(object, "n", "d"), "d");
  EXPECT_TRUE(bool_or(object, "b", false));
  EXPECT_TRUE(bool_or(object, "gone", true));
}

// Losses and times cross files as JSON: what comes back is the same double, to the last bit.
TEST(Json, EveryDoubleComesBackBitForBit) {
  for (uint64_t i = 0; i < 20'000; ++i) {
    const double value = std::bit_cast<double>(random_bits(7, 1, i));
    if (!std::isfinite(value)) continue;
    const std::string text = compact_json(json::array{value});
    const auto back = try_parse_json(text);
    ASSERT_TRUE(back) << text;
    EXPECT_EQ(back->as_array()[0].to_number<double>(), value) << text;
    const double loss = 10 * random_unit(7, 2, i);
    EXPECT_EQ(try_parse_json(json::serialize(json::value(loss)))->to_number<double>(), loss);
  }
  EXPECT_EQ(parse_json("0.19999999999999998", "").get_double(), 0.19999999999999998);
  EXPECT_EQ(parse_json(" 1e400 ", "").to_number<double>(), INFINITY);
  EXPECT_EQ(parse_json("9223372036854775807", "").as_int64(), INT64_MAX);
  EXPECT_EQ(parse_json("18446744073709551615", "").as_uint64(), UINT64_MAX);
}

}  // namespace
}  // namespace bitsweep
