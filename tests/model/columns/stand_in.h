// Programs in place of bitsweep-parquet, and what it would write.
#pragma once

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/little_endian.h"
#include "columns/frames.h"

namespace bitsweep::columns {

using Value = std::optional<std::string_view>;

inline std::string frame(const Value& value) {
  std::string bytes;
  append_little_endian(bytes, value ? static_cast<uint32_t>(value->size()) : null_length);
  return bytes + std::string(value.value_or(""));
}

inline std::string stream_end(uint64_t values) {
  std::string bytes;
  append_little_endian(bytes, end_length);
  append_little_endian(bytes, values);
  return bytes;
}

inline std::string stream_of(std::initializer_list<Value> values) {
  std::string bytes(stream_begin);
  for (const Value& value : values) bytes += frame(value);
  return bytes + stream_end(values.size());
}

// A program in `folder` that writes `stream` to its standard output and goes on with `then`, in the words of sh.
inline std::filesystem::path stand_in(const std::filesystem::path& folder, std::string_view stream,
                                      const std::string& then = "") {
  std::ofstream(folder / "stream", std::ios::binary) << stream;
  const auto program = folder / "stand-in";
  std::ofstream(program) << "#!/bin/sh\ncat \"${0%/*}/stream\"\n" << then << "\n";
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  return program;
}

}  // namespace bitsweep::columns
