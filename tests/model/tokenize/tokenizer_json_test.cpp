#include "tokenize/tokenizer_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace bitsweep::tokenize {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// A whole one to change: letters of all bytes, one merge.
json::object document() {
  static const json::value golden =
      parse_json(read_file(fs::path(BITSWEEP_SOURCE_DIR) / "tests/model/tokenize/goldens/gpt2.json"), "gpt2.json");
  return golden.get_object();
}

std::shared_ptr<const Tokenizer> read(const json::object& changed) {
  return read_tokenizer_json(json::serialize(changed), "t.json");
}

std::string refusal(const json::object& changed) {
  try {
    read(changed);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "";
}

TEST(TokenizerJson, names_all_that_it_does_not_read) {
  json::object changed = document();
  changed["normalizer"] = {{"type", "Sequence"},
                           {"normalizers", {{{"type", "NFC"}}, {{"type", "Lowercase"}}, {{"type", "Strip"}}}}};
  changed["pre_tokenizer"] = {{"type", "Metaspace"}, {"replacement", "_"}};
  changed["model"].as_object()["dropout"] = 0.1;
  changed["model"].as_object()["byte_fallback"] = true;
  changed["model"].as_object()["end_of_word_suffix"] = "</w>";
  EXPECT_THAT(refusal(changed),
              AllOf(HasSubstr("t.json: normalizer 'Lowercase' is not read: NFC and none are"),
                    HasSubstr("normalizer 'Strip'"), HasSubstr("pre-tokenizer 'Metaspace' is not read"),
                    HasSubstr("there is no pre-tokenizer ByteLevel"), HasSubstr("model.dropout is not read"),
                    HasSubstr("model.byte_fallback"), HasSubstr("model.end_of_word_suffix")));
}

TEST(TokenizerJson, refuses_other_models_and_shapes) {
  json::object changed = document();
  changed["model"].as_object()["type"] = "WordPiece";
  EXPECT_THAT(refusal(changed), HasSubstr("model 'WordPiece' is not read: BPE is"));
  changed["model"] = 3;
  EXPECT_THAT(refusal(changed), HasSubstr("'model' is not there, or no object"));
  EXPECT_THAT(refusal({}), HasSubstr("'model' is not there"));
  changed = document();
  changed["model"].as_object()["vocab"] = json::object();
  EXPECT_THAT(refusal(changed), HasSubstr("'model.vocab' holds no token"));
}

TEST(TokenizerJson, refuses_ids_that_cannot_be) {
  json::object changed = document();
  json::object& vocab = changed["model"].as_object()["vocab"].as_object();
  vocab["a"] = UINT64_C(5'000'000'000);
  vocab["b"] = -1;
  vocab["c"] = 2'000'000'000;
  EXPECT_THAT(refusal(changed),
              AllOf(HasSubstr("the id of 'a' is no integer from 0 to 2,147,483,647"),
                    HasSubstr("the id of 'b' is no integer"), HasSubstr("the id of 'c', 2000000000, lies far beyond")));
}

TEST(TokenizerJson, refuses_merges_of_tokens_that_are_not_there) {
  json::object changed = document();
  changed["model"].as_object()["merges"].as_array().push_back("no such");
  changed["model"].as_object()["merges"].as_array().push_back("nospace");
  EXPECT_THAT(refusal(changed), HasSubstr("merges whose tokens are not all in model.vocab: 2, the first \"no such\""));
}

TEST(TokenizerJson, refuses_splits_that_it_does_not_do) {
  json::object changed = document();
  const json::value level{{"type", "ByteLevel"}, {"add_prefix_space", true}, {"use_regex", false}};
  changed["pre_tokenizer"] = {
      {"type", "Sequence"},
      {"pretokenizers",
       {{{"type", "Split"}, {"pattern", {{"Regex", "("}}}, {"behavior", "Removed"}, {"invert", true}}, level}}};
  EXPECT_THAT(refusal(changed),
              AllOf(HasSubstr("behavior 'Removed' is not read"), HasSubstr("invert is not read"),
                    HasSubstr("regular expression '(' is wrong"), HasSubstr("add_prefix_space is not read")));
}

TEST(TokenizerJson, splits_by_text_and_by_digits) {
  json::object changed = document();
  const json::value level{{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  changed["pre_tokenizer"] = {
      {"type", "Sequence"},
      {"pretokenizers",
       {{{"type", "Split"}, {"pattern", {{"String", "."}}}, {"behavior", "Isolated"}, {"invert", false}},
        {{"type", "Digits"}, {"individual_digits", true}},
        level}}};
  json::object& model = changed["model"].as_object();
  model["merges"] = {"1 2", "1 ."};
  model["vocab"].as_object()["12"] = 384;
  model["vocab"].as_object()["1."] = 385;
  const auto tokenizer = read(changed);
  EXPECT_EQ(tokenizer->encode("12.1.").size(), 5u);  // neither across digits nor across the point
}

TEST(TokenizerJson, takes_merges_in_both_forms) {
  json::object changed = document();
  json::array pairs;
  for (const json::value& merge : changed["model"].at("merges").as_array()) {
    if (merge.is_array()) {
      pairs.push_back(json::value(std::string(merge.at(0).as_string()) + " " + std::string(merge.at(1).as_string())));
    } else {
      const std::string_view text = merge.as_string();
      pairs.push_back({text.substr(0, text.find(' ')), text.substr(text.find(' ') + 1)});
    }
  }
  changed["model"].as_object()["merges"] = pairs;
  EXPECT_EQ(read(changed)->facts().sha256, read(document())->facts().sha256);
}

TEST(TokenizerJson, identity_is_over_what_decides_ids) {
  const std::string before = read(document())->facts().sha256;
  json::object changed = document();
  changed["truncation"] = {{"max_length", 512}};
  changed["decoder"] = nullptr;
  EXPECT_EQ(read(changed)->facts().sha256, before);
  changed["model"].as_object()["merges"].as_array().pop_back();
  EXPECT_NE(read(changed)->facts().sha256, before);
  changed = document();
  changed["normalizer"] = {{"type", "NFC"}};
  EXPECT_NE(read(changed)->facts().sha256, before);
}

// The later one would take the bytes of the other.
TEST(TokenizerJson, refuses_an_id_that_two_tokens_have) {
  json::object changed = document();
  json::array& added = changed["added_tokens"].as_array();
  const json::object first = added.at(0).as_object();
  added.push_back({{"id", 300}, {"content", "<a>"}, {"special", false}});
  added.push_back(first);  // the same once more does no harm
  EXPECT_THAT(refusal(changed), testing::ContainsRegex("added token '<a>' has the id 300 of '[^']+'"));
  EXPECT_THAT(refusal(changed), testing::Not(HasSubstr("endoftext")));
  changed = document();
  changed["model"].as_object()["vocab"].as_object()["twin"] = 300;
  EXPECT_THAT(refusal(changed), testing::ContainsRegex("the tokens '[^']+' and 'twin' have one id, 300"));
}

TEST(TokenizerJson, added_tokens_match_leftmost_and_longest) {
  json::object changed = document();
  json::array& added = changed["added_tokens"].as_array();
  const auto token = [](int id, const char* content) {
    return json::value{{"id", id}, {"content", content}, {"special", false}};
  };
  added.push_back(token(384, "<a>"));
  added.push_back(token(385, "<a><a>"));
  const auto tokenizer = read(changed);
  EXPECT_THAT(tokenizer->encode("<a><a><a>"), ElementsAre(385, 384));
  EXPECT_EQ(tokenizer->decode(tokenizer->encode("x<a>y")), "x<a>y");
  added.push_back({{"id", 386}, {"content", "<b>"}, {"special", false}, {"lstrip", true}});
  EXPECT_THAT(refusal(changed), HasSubstr("added token '<b>': lstrip is not read"));
}

}  // namespace
}  // namespace bitsweep::tokenize
