// The text under one key of one JSON object on a line. Reads what it must of the object and no more: what stands under
// other keys only has to end, so that NaN, numbers of any length, nesting of any depth or bytes that are no UTF-8 in
// what nobody reads do no harm.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bitsweep::data {

class JsonLine {
 public:
  explicit JsonLine(std::string field) : field_(std::move(field)) {}

  enum class Found {
    text,        // text() holds it
    null,        // the field is null
    missing,     // no such key
    not_text,    // the field holds something else
    not_object,  // the line holds something else
    no_json,
  };
  // A key that comes twice counts where it comes last. `text()` and the rest are valid until the next call.
  Found read(std::string_view line);

  // Escapes decoded to UTF-8, each half of a surrogate pair without its other half as U+FFFD; every other byte as it
  // stands.
  const std::string& text() const { return text_; }
  const std::string& field() const { return field_; }
  uint64_t lone_surrogates() const { return lone_surrogates_; }
  // Of a line that gave no text: why, and the column from 1 where it is known, else 0.
  const std::string& why() const { return why_; }
  int64_t column() const { return column_; }
  // Of a line that is no JSON: whether more of it could make it some.
  bool incomplete() const { return incomplete_; }

 private:
  Found read_members();
  bool skip_members();
  bool read_member();
  bool read_key();
  bool skip_value();
  bool skip_nested();
  bool skip_string();
  bool skip_word();
  void skip_blanks();
  void remember_value(std::string_view value);
  Found conclude();
  bool decode(std::string_view raw, std::string& out);
  bool decode_escape(std::string_view raw, size_t& at, std::string& out);
  bool fail(std::string why);
  bool fail_incomplete(std::string why);
  char next() const { return at_ < line_.size() ? line_[at_] : '\0'; }

  std::string field_;
  std::string_view line_;
  size_t at_ = 0;
  std::string key_;                // decoded, of the member being read
  std::vector<std::string> keys_;  // the first ones, for a line without the field
  size_t more_keys_ = 0;
  Found value_ = Found::missing;  // of the field, so far
  std::string_view field_value_;  // as it stands on the line
  std::string nesting_;           // the brackets that are open
  std::string text_, why_;
  uint64_t lone_surrogates_ = 0;
  int64_t column_ = 0;
  bool incomplete_ = false;
};

}  // namespace bitsweep::data
