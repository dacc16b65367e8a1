#include "tokenize/open.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "spec/tokenizers.h"
#include "tokenize/byte_tokenizer.h"
#include "tokenize/sentence_piece.h"
#include "tokenize/tokenizer_json.h"

namespace bitsweep::tokenize {
namespace {

constexpr uint64_t kMostBytes = UINT64_C(1) << 30;

}  // namespace

std::shared_ptr<const Tokenizer> open_tokenizer(const std::string& name) {
  if (spec::vocabulary_of(name) || name.find_first_of("./") == std::string::npos) return make_byte_tokenizer(name);
  const fs::path path = name;
  std::error_code unreadable;
  if (fs::is_directory(path, unreadable))
    throw Error(ErrorKind::input, fmt::format("{} is a folder; name its tokenizer.json or its .model", name));
  const std::string bytes = read_file(path, kMostBytes);
  // A JSON document opens with a brace, a model with the tag of its first piece.
  const size_t first = bytes.find_first_not_of(" \t\r\n");
  const std::string shown = path.has_parent_path() ? (path.parent_path().filename() / path.filename()).string() : name;
  if (first != std::string::npos && bytes[first] == '{') return read_tokenizer_json(bytes, shown);
  return read_sentence_piece(bytes, shown);
}

}  // namespace bitsweep::tokenize
