#include "base/yaml.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bitsweep {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string error_of(const std::string& text, const YamlLimits& limits = {}) {
  try {
    parse_yaml(text, "f.yaml", limits);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  ADD_FAILURE() << "accepted: " << text.substr(0, 200);
  return "";
}

Yaml parse(const std::string& text) { return parse_yaml(text, "f.yaml"); }

TEST(Yaml, RemembersWhereThingsWereWritten) {
  const Yaml root = parse("name: a\ntrain:\n  lr: 1e-3\n  list: [1, two]\n");
  ASSERT_EQ(root->kind, YamlKind::map);
  const YamlEntry* train = root->find("train");
  ASSERT_NE(train, nullptr);
  const YamlEntry* lr = train->value->find("lr");
  EXPECT_EQ(lr->key_place.to_string(), "f.yaml:3:3");
  EXPECT_EQ(lr->value->place.to_string(), "f.yaml:3:7");
  EXPECT_EQ(train->value->find("list")->value->items[1]->place.to_string(), "f.yaml:4:13");
}

TEST(Yaml, KeepsWordsAsWords) {
  const Yaml root = parse("a: no\nb: '5'\nc: 1.10\nd: 12e3456789ab\ne: on\nf: inf\ng: 0x10\n");
  EXPECT_FALSE(yaml_bool(*root->find("a")->value));
  EXPECT_FALSE(yaml_number(*root->find("b")->value));
  EXPECT_EQ(root->find("c")->value->text, "1.10");
  EXPECT_FALSE(yaml_number(*root->find("d")->value));
  EXPECT_EQ(yaml_to_json(*root->find("e")->value), json::value("on"));
  EXPECT_FALSE(yaml_number(*root->find("f")->value));
  EXPECT_FALSE(yaml_number(*root->find("g")->value));
}

TEST(Yaml, ReadsNumbersAndSizes) {
  const Yaml root = parse("[4_000_000, 5.5M, -1.5e-3, .inf, .nan, true, ~, 300k, 1.5, +2]");
  EXPECT_EQ(yaml_integer(*root->items[0]), 4'000'000);
  EXPECT_EQ(yaml_integer(*root->items[1]), 5'500'000);
  EXPECT_FALSE(yaml_number(*root->items[1]));
  EXPECT_EQ(yaml_number(*root->items[2]), -1.5e-3);
  EXPECT_TRUE(std::isinf(*yaml_number(*root->items[3])));
  EXPECT_TRUE(std::isnan(*yaml_number(*root->items[4])));
  EXPECT_FALSE(yaml_integer(*root->items[4]));
  EXPECT_EQ(yaml_bool(*root->items[5]), true);
  EXPECT_EQ(root->items[6]->kind, YamlKind::null);
  EXPECT_EQ(yaml_integer(*root->items[7]), 300'000);
  EXPECT_FALSE(yaml_integer(*root->items[8]));
  EXPECT_EQ(yaml_integer(*root->items[9]), 2);
}

TEST(Yaml, RefusesDuplicateKeys) {
  EXPECT_EQ(error_of("a: 1\nb: 2\na: 3\n"), "f.yaml:3:1: duplicate key 'a'; first given in line 1");
  EXPECT_THAT(error_of("{a: {x: 1, x: 2}}"), HasSubstr("duplicate key 'x'"));
}

TEST(Yaml, SyntaxErrorsNameTheirPlace) {
  EXPECT_THAT(error_of("a: [1, 2\nb: 3\n"), StartsWith("f.yaml:2:"));
  EXPECT_EQ(error_of("a: 'it''s\n"), "f.yaml:1:4: this quote is not closed");
  EXPECT_EQ(error_of("a: \"x\\\"\n"), "f.yaml:1:4: this quote is not closed");
  EXPECT_EQ(parse("a: 'it''s'")->find("a")->value->text, "it's");
  EXPECT_THAT(error_of("a: b: c\n"), StartsWith("f.yaml:1:"));
  EXPECT_THAT(error_of("a: *nowhere\n"), StartsWith("f.yaml:1:"));
}

TEST(Yaml, AliasesShareAndMergeKeysYield) {
  const Yaml root =
      parse("base: &b { x: 1, y: 2 }\nmore: &m { y: 5, z: 6 }\nuse:\n  <<: [*b, *m]\n  x: 9\nagain: *b\n");
  const Yaml use = root->find("use")->value;
  EXPECT_EQ(use->find("x")->value->text, "9");
  EXPECT_EQ(use->find("y")->value->text, "2");
  EXPECT_EQ(use->find("z")->value->text, "6");
  EXPECT_EQ(root->find("again")->value, root->find("base")->value);
  EXPECT_THAT(error_of("a: &a 1\nb: { <<: *a }\n"), HasSubstr("'<<' takes a map"));
}

TEST(Yaml, AnAliasCannotHoldItself) { EXPECT_THAT(error_of("a: &a [1, *a]\n"), HasSubstr("f.yaml:1:")); }

TEST(Yaml, AliasBombsAreRefused) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 40; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 9; ++k) text += before + ", ";
    text += before + "]\n";
  }
  EXPECT_THAT(error_of(text), HasSubstr("holds more than 200000 values"));
}

TEST(Yaml, MergeBombsAreRefused) {
  // Every level merges two copies and adds keys: linear in keys, but counted.
  std::string text = "a0: &a0 { k0: 1 }\n";
  for (int i = 1; i < 300; ++i)
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " { <<: *a" + std::to_string(i - 1) + ", k" +
            std::to_string(i) + ": [*a" + std::to_string(i - 1) + ", *a" + std::to_string(i - 1) + "] }\n";
  EXPECT_THAT(error_of(text), HasSubstr("holds more than"));
}

TEST(Yaml, LargeFilesAreRefused) {
  EXPECT_THAT(error_of(std::string(10 << 20, 'a')), HasSubstr("larger than the 1048576 bytes"));
  std::string many = "[";
  for (int i = 0; i < 300'000; ++i) many += "1,";
  EXPECT_THAT(error_of(many + "1]"), HasSubstr("more than 200000 values"));
}

TEST(Yaml, DepthIsLimited) {
  EXPECT_THAT(error_of(std::string(100, '[') + std::string(100, ']')), HasSubstr("nested more than 64 deep"));
  EXPECT_THAT(error_of(std::string(200'000, '[')), StartsWith("f.yaml:1:"));
  EXPECT_THAT(error_of(std::string(200'000, '{')), StartsWith("f.yaml:1:"));
}

TEST(Yaml, RefusesWhatIsNoText) {
  EXPECT_EQ(error_of(std::string("a: 1\nb: \0x\n", 11)), "f.yaml:2:4: a NUL byte: this is not a text file");
  EXPECT_EQ(error_of("a: \xff\n"), "f.yaml:1:4: not UTF-8 text");
  EXPECT_EQ(error_of("a: \xc0\xaf\n"), "f.yaml:1:4: not UTF-8 text");
  EXPECT_EQ(error_of("a: \xed\xa0\x80\n"), "f.yaml:1:4: not UTF-8 text");
  EXPECT_THAT(error_of("a: \x01\n"), HasSubstr("control character"));
  EXPECT_EQ(error_of("a:\n\tb: 1\n"), "f.yaml:2:1: a tab cannot indent YAML; use spaces");
}

TEST(Yaml, RefusesSecondDocumentsAndTags) {
  EXPECT_THAT(error_of("a: 1\n---\nb: 2\n"), HasSubstr("a second document"));
  EXPECT_THAT(error_of("a: !!python/object x\n"), HasSubstr("is not known here"));
  EXPECT_EQ(parse("a: !!str 5\n")->find("a")->value->is_text, true);
  EXPECT_THAT(error_of("? [1, 2]\n: 3\n"), HasSubstr("a key must be a word"));
}

TEST(Yaml, EmptyAndMarkedTextsAreFine) {
  EXPECT_EQ(parse("")->kind, YamlKind::null);
  EXPECT_EQ(parse("# only a remark\n")->kind, YamlKind::null);
  EXPECT_EQ(parse("\xEF\xBB\xBF"
                  "a: 1\r\nb: 2\r\n")
                ->find("b")
                ->value->text,
            "2");
}

TEST(Yaml, PlacesInsideTexts) {
  const Yaml root = parse("a: \"one two\"\nb: one two\nc: |\n  one two\nd: \"a\\tb two\"\n");
  EXPECT_EQ(root->find("a")->value->place_in_text(4).column, 9);
  EXPECT_EQ(root->find("b")->value->place_in_text(4).column, 8);
  EXPECT_EQ(root->find("c")->value->place_in_text(4).to_string(), root->find("c")->value->place.to_string());
}

TEST(Yaml, FilesThatCannotBeRead) {
  EXPECT_THROW(read_yaml("/nonexistent/x.yaml"), Error);
  EXPECT_THROW(read_yaml("/"), Error);
  EXPECT_THROW(read_yaml("/dev/zero"), Error);  // endless: refused at the limit
}

}  // namespace
}  // namespace bitsweep
