// Checkpoints as other programs save them, for the tests of importing.
#pragma once

#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "weights/safetensors.h"

namespace bitsweep::worker {

inline const fs::path kGoldens = fs::path(BITSWEEP_SOURCE_DIR) / "tests/model/weights/goldens";

inline weights::Safetensors tensors_of(const std::string& file) {
  return weights::parse_safetensors(std::span(reinterpret_cast<const uint8_t*>(file.data()), file.size()), "file");
}

// A small model with an embedding as large as the bytes, as a folder of another program has it: a golden whose
// embedding and head are repeated.
inline fs::path folder_of_bytes(const fs::path& root) {
  const fs::path folder = root / "bytes";
  fs::create_directories(folder);
  json::object config = parse_json(read_file(kGoldens / "llama" / "config.json"), "config").as_object();
  config["vocab_size"] = 288;
  std::ofstream(folder / "config.json") << compact_json(config);
  const std::string file = read_file(kGoldens / "llama" / "model.safetensors");
  const weights::Safetensors content = tensors_of(file);
  std::vector<weights::TensorEntry> entries = content.tensors;
  std::string payload;
  for (weights::TensorEntry& entry : entries) {
    const std::string bytes = file.substr(content.payload_offset + entry.begin, entry.end - entry.begin);
    entry.begin = payload.size();
    const bool end = entry.shape[0] == 32;
    for (int i = 0; i < (end ? 9 : 1); ++i) payload += bytes;
    if (end) entry.shape[0] = 288;
    entry.end = payload.size();
  }
  std::ofstream(folder / "model.safetensors", std::ios::binary) << weights::safetensors_header({}, entries) << payload;
  return folder;
}

}  // namespace bitsweep::worker
