#include "weights/safetensors.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/json.h"

namespace bitsweep::weights {
namespace {

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kMaxHeaderBytes = UINT64_C(64) << 20;

class Parser {
 public:
  Parser(std::span<const uint8_t> file, std::string_view name) : file_(file), name_(name) {}

  Safetensors parse() {
    const uint64_t header_bytes = read_header_length();
    out_.payload_offset = kLengthBytes + header_bytes;
    const std::string_view text(reinterpret_cast<const char*>(file_.data()) + kLengthBytes, header_bytes);
    const std::optional<json::value> header = try_parse_json(text);
    if (!header || !header->is_object()) refuse("its header is no JSON object");
    for (const auto& member : header->get_object()) {
      if (member.key() == "__metadata__")
        read_metadata(member.value());
      else
        read_tensor(std::string(member.key()), member.value());
    }
    check_payload();
    return std::move(out_);
  }

 private:
  [[noreturn]] void refuse(std::string_view why) const {
    throw Error(ErrorKind::input, {Diagnostic{.file = std::string(name_), .message = std::string(why)}});
  }

  uint64_t read_header_length() const {
    if (file_.size() < kLengthBytes) refuse("no safetensors file: shorter than 8 bytes");
    uint64_t length = 0;
    for (uint64_t i = 0; i < kLengthBytes; ++i) length |= uint64_t{file_[i]} << (8 * i);
    if (length > kMaxHeaderBytes) refuse("no safetensors file: its header would be larger than 64 MB");
    if (length > file_.size() - kLengthBytes) refuse("truncated within its header");
    return length;
  }

  void read_metadata(const json::value& value) {
    if (!value.is_object()) refuse("__metadata__ is no object");
    for (const auto& member : value.get_object()) {
      if (!member.value().is_string()) refuse(fmt::format("__metadata__: '{}' is no text", std::string(member.key())));
      out_.metadata[std::string(member.key())] = std::string(member.value().get_string());
    }
  }

  uint64_t whole_number(const std::string& tensor, const json::value& value) const {
    boost::system::error_code code;
    const auto number = value.is_number() ? value.to_number<int64_t>(code) : -1;
    if (code || number < 0) refuse(fmt::format("tensor '{}': expected a whole number", tensor));
    return static_cast<uint64_t>(number);
  }

  const json::array& array_member(const std::string& tensor, const json::object& object, const char* key) const {
    const json::value* member = object.if_contains(key);
    if (member == nullptr || !member->is_array()) refuse(fmt::format("tensor '{}': no '{}'", tensor, key));
    return member->get_array();
  }

  void read_tensor(const std::string& name, const json::value& value) {
    if (!value.is_object()) refuse(fmt::format("tensor '{}': no object", name));
    const json::object& object = value.get_object();
    TensorEntry entry{.name = name, .dtype = string_or(object, "dtype", ""), .shape = {}};
    uint64_t bytes = dtype_bytes(entry.dtype);
    if (bytes == 0) refuse(fmt::format("tensor '{}': unknown type '{}'", name, entry.dtype));
    for (const json::value& size : array_member(name, object, "shape")) {
      const uint64_t extent = whole_number(name, size);
      if (__builtin_mul_overflow(bytes, extent, &bytes)) refuse(fmt::format("tensor '{}': absurd shape", name));
      entry.shape.push_back(static_cast<int64_t>(extent));
    }
    const json::array& offsets = array_member(name, object, "data_offsets");
    if (offsets.size() != 2) refuse(fmt::format("tensor '{}': data_offsets are not two", name));
    entry.begin = whole_number(name, offsets[0]);
    entry.end = whole_number(name, offsets[1]);
    if (entry.end < entry.begin || entry.end - entry.begin != bytes)
      refuse(fmt::format("tensor '{}': its offsets do not fit its shape", name));
    out_.tensors.push_back(std::move(entry));
  }

  // The tensors tile the payload, which ends where the file ends.
  void check_payload() {
    std::sort(out_.tensors.begin(), out_.tensors.end(), [](const TensorEntry& a, const TensorEntry& b) {
      return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
    });
    uint64_t at = 0;
    for (const TensorEntry& entry : out_.tensors) {
      if (entry.begin != at) refuse(fmt::format("tensor '{}': a gap or an overlap before it", entry.name));
      at = entry.end;
    }
    const uint64_t have = file_.size() - out_.payload_offset;
    if (have < at) refuse(fmt::format("truncated: {} of {} bytes of tensors", have, at));
    if (have > at) refuse(fmt::format("{} bytes behind its last tensor", have - at));
  }

  std::span<const uint8_t> file_;
  std::string_view name_;
  Safetensors out_;
};

}  // namespace

const TensorEntry* Safetensors::find(std::string_view name) const {
  const auto it = std::find_if(tensors.begin(), tensors.end(), [&](const TensorEntry& e) { return e.name == name; });
  return it == tensors.end() ? nullptr : &*it;
}

uint64_t dtype_bytes(std::string_view dtype) {
  static constexpr std::array<std::pair<std::string_view, uint64_t>, 10> kTypes{{{"F64", 8},
                                                                                 {"F32", 4},
                                                                                 {"F16", 2},
                                                                                 {"BF16", 2},
                                                                                 {"I64", 8},
                                                                                 {"I32", 4},
                                                                                 {"I16", 2},
                                                                                 {"I8", 1},
                                                                                 {"U8", 1},
                                                                                 {"BOOL", 1}}};
  for (const auto& [name, bytes] : kTypes)
    if (name == dtype) return bytes;
  return 0;
}

Safetensors parse_safetensors(std::span<const uint8_t> file, std::string_view name_for_message) {
  return Parser(file, name_for_message).parse();
}

std::string safetensors_header(const std::map<std::string, std::string>& metadata,
                               const std::vector<TensorEntry>& tensors) {
  json::object header;
  json::object texts;
  for (const auto& [key, value] : metadata) texts[key] = value;
  header["__metadata__"] = std::move(texts);
  for (const TensorEntry& entry : tensors) {
    json::object object;
    object["dtype"] = entry.dtype;
    object["shape"] = json::array(entry.shape.begin(), entry.shape.end());
    object["data_offsets"] = json::array{entry.begin, entry.end};
    header[entry.name] = std::move(object);
  }
  std::string text = json::serialize(header);
  while (text.size() % kLengthBytes != 0) text += ' ';
  std::string out(kLengthBytes, '\0');
  for (uint64_t i = 0; i < kLengthBytes; ++i) out[i] = static_cast<char>(text.size() >> (8 * i) & 0xff);
  return out + text;
}

}  // namespace bitsweep::weights
