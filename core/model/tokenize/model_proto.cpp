#include "tokenize/model_proto.h"

namespace bitsweep::tokenize {
namespace {

// The wire form of protocol buffers: a varint of field number and type, then a varint, eight, four or counted bytes.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}

  // The next field; false at the end, or where the bytes are no such form.
  bool next() {
    const auto key = varint();
    if (!key) return false;
    field_ = static_cast<uint32_t>(*key >> 3);
    text_ = {};
    number_ = 0;
    switch (*key & 7) {
      case 0: {
        const auto value = varint();
        number_ = value.value_or(0);
        return value.has_value();
      }
      case 1:
        return skip(8);
      case 2: {
        const auto length = varint();
        if (!length || *length > rest_.size()) return fail();
        text_ = rest_.substr(0, *length);
        return skip(*length);
      }
      case 5:
        return skip(4);
      default:
        return fail();
    }
  }
  uint32_t field() const { return field_; }
  uint64_t number() const { return number_; }
  std::string_view text() const { return text_; }
  bool sound() const { return !failed_; }

 private:
  bool fail() {
    failed_ = true;
    return false;
  }
  bool skip(size_t bytes) {
    if (bytes > rest_.size()) return fail();
    rest_.remove_prefix(bytes);
    return true;
  }
  std::optional<uint64_t> varint() {
    if (rest_.empty()) return std::nullopt;
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) break;
      const auto byte = static_cast<uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      value |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
    }
    fail();
    return std::nullopt;
  }

  std::string_view rest_, text_;
  uint32_t field_ = 0;
  uint64_t number_ = 0;
  bool failed_ = false;
};

bool read_trainer(std::string_view bytes, ModelSettings& settings) {
  WireReader reader(bytes);
  while (reader.next()) {
    if (reader.field() == 3) settings.model_type = static_cast<int64_t>(reader.number());
    if (reader.field() == 24) settings.whitespace_as_suffix = reader.number() != 0;
    if (reader.field() == 35) settings.byte_fallback = reader.number() != 0;
  }
  return reader.sound();
}

bool read_normalizer(std::string_view bytes, ModelSettings& settings) {
  WireReader reader(bytes);
  while (reader.next()) {
    if (reader.field() == 1) settings.normalizer = reader.text();
    if (reader.field() == 2) settings.normalizer_map = reader.text();
    if (reader.field() == 3) settings.add_dummy_prefix = reader.number() != 0;
    if (reader.field() == 4) settings.remove_extra_whitespaces = reader.number() != 0;
    if (reader.field() == 5) settings.escape_whitespaces = reader.number() != 0;
  }
  return reader.sound();
}

}  // namespace

std::optional<ModelSettings> read_model_settings(std::string_view model) {
  constexpr uint32_t kPieces = 1, kTrainer = 2, kNormalizer = 3;
  ModelSettings settings;
  bool pieces = false, sound = true;
  WireReader reader(model);
  while (reader.next()) {
    if (reader.field() == kPieces) pieces = true;
    if (reader.field() == kTrainer) sound = sound && read_trainer(reader.text(), settings);
    if (reader.field() == kNormalizer) sound = sound && read_normalizer(reader.text(), settings);
  }
  if (!pieces || !sound || !reader.sound()) return std::nullopt;
  return settings;
}

}  // namespace bitsweep::tokenize
