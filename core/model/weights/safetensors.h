// The safetensors container (https://github.com/huggingface/safetensors): what checkpoints are written in, so that any
// tool opens them.
//
//   8 bytes   length of the header, little-endian
//   header    JSON: {"__metadata__": {text: text}, NAME: {"dtype": "F32", "shape": [2, 3], "data_offsets": [b, e]}},
//             padded with spaces so that the payload is aligned to 8 bytes
//   payload   the tensors one behind the other, row-major, without gaps; offsets count from its start
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bitsweep::weights {

struct TensorEntry {
  std::string name;
  std::string dtype;  // F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0;  // bytes of the payload
};

struct Safetensors {
  std::map<std::string, std::string> metadata;
  std::vector<TensorEntry> tensors;  // in the payload's order
  uint64_t payload_offset = 0;       // in the file

  const TensorEntry* find(std::string_view name) const;
};

// Bytes of one element; 0 for a type that is not known.
uint64_t dtype_bytes(std::string_view dtype);

// Checks everything: the header's length and syntax, each entry's type, shape and offsets, and that the entries fill
// the file exactly. Throws Error{input} "FILE: why" otherwise.
Safetensors parse_safetensors(std::span<const uint8_t> file, std::string_view name_for_message);

// The bytes before the payload. Entries must lie one behind the other from 0.
std::string safetensors_header(const std::map<std::string, std::string>& metadata,
                               const std::vector<TensorEntry>& tensors);

}  // namespace bitsweep::weights
