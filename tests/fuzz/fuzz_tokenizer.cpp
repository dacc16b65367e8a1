// Tokenizers' files, and texts under those of the goldens: the first byte says which. A refusal must be an Error; a
// text must come back from a tokenizer that loses nothing, and count as many bytes as it has.
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "tokenize/model_proto.h"
#include "tokenize/open.h"
#include "tokenize/tokenizer_json.h"

namespace {

using namespace bitsweep;

// A golden with one encoder for all texts, as a store's thread has it: to make one takes a hundred times as long as a
// short text.
struct Golden {
  explicit Golden(const std::string& name)
      : tokenizer(tokenize::open_tokenizer(std::string(BITSWEEP_SOURCE_DIR) + "/tests/model/tokenize/goldens/" + name)),
        encoder(tokenizer->make_encoder()),
        counter(*tokenizer) {}

  std::shared_ptr<const tokenize::Tokenizer> tokenizer;
  std::unique_ptr<tokenize::Encoder> encoder;
  tokenize::ByteCounter counter;
};

const std::vector<Golden>& goldens() {
  static const auto all = [] {
    std::vector<Golden> found;
    for (const char* name : {"gpt2.json", "llama3.json", "qwen.json", "neox.json"}) found.emplace_back(name);
    return found;
  }();
  return all;
}

void encode(const Golden& golden, const std::string& text) {
  const tokenize::Tokenizer& tokenizer = *golden.tokenizer;
  std::vector<tokenize::TokenId> ids;
  golden.encoder->encode(text, ids);
  for (const tokenize::TokenId id : ids)
    if (id >= tokenizer.vocab()) std::abort();
  if (!tokenizer.facts().lossless) return;
  if (tokenizer.decode(ids) != text) std::abort();
  if (golden.counter.count(std::span<const tokenize::TokenId>(ids), std::nullopt) != text.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 8 == 0) {
    try {
      tokenize::read_tokenizer_json(text, "fuzz");
    } catch (const Error&) {
    }
  } else if (data[0] % 8 == 1) {
    tokenize::read_model_settings(text);
  } else {
    encode(goldens()[data[0] % goldens().size()], text);
  }
  return 0;
}
