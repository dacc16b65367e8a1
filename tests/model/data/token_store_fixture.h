// Texts that are encoded into a store of tokens in a folder of the test's own.
#pragma once

#include <fmt/format.h>

#include "base/files.h"
#include "data/dataset.h"
#include "temp_folder.h"

namespace bitsweep::data {

inline std::string golden(const char* name) {
  return std::string(BITSWEEP_SOURCE_DIR) + "/tests/model/tokenize/goldens/" + name;
}

class TokenStoreTest : public TempFolder {
 protected:
  spec::DataSpec spec(const fs::path& corpus, const char* tokenizer = "gpt2.json") const {
    spec::DataSpec data;
    data.corpus = corpus;
    data.tokenizer = golden(tokenizer);
    data.context = 32;
    return data;
  }
  spec::DataSpec numbered(const char* tokenizer = "gpt2.json") {
    return spec(write("n.txt", numbered_text(200'000)), tokenizer);
  }
  spec::DataSpec lines_of(const std::vector<std::string>& texts, const char* tokenizer) {
    std::string lines;
    for (const std::string& text : texts) lines += json::serialize(json::object{{"text", text}}) + "\n";
    spec::DataSpec data = spec(write("d.jsonl", lines), tokenizer);
    data.field = "text";
    return data;
  }
  Dataset open(const spec::DataSpec& data, int threads = 1) const {
    return Dataset::open(data, root / "cache", {.threads = threads});
  }
  fs::path folder() const {
    for (const auto& entry : fs::directory_iterator(root / "cache/tokens")) return entry.path();
    return {};
  }
  // Every shard's bytes, one behind the other.
  std::string shards(const fs::path& of) const {
    std::string all;
    for (int i = 0;; ++i) {
      const fs::path path = of / fmt::format("{:06}.bin", i);
      if (!fs::exists(path)) return all;
      all += read_file(path);
    }
  }
};

}  // namespace bitsweep::data
