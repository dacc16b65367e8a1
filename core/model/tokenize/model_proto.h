// What a SentencePiece model says beside its pieces: the settings that decide whether text survives it. The library
// reads them too, and keeps them to itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bitsweep::tokenize {

struct ModelSettings {
  // Of NormalizerSpec.
  std::string normalizer;      // "identity", "nmt_nfkc", …
  std::string normalizer_map;  // compiled, "" for identity
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;
  // Of TrainerSpec.
  int64_t model_type = 1;  // 1 unigram, 2 BPE, 3 words, 4 characters
  bool byte_fallback = false;
  bool whitespace_as_suffix = false;
};

// The settings in a serialized ModelProto, by the field numbers of sentencepiece_model.proto; nothing when the bytes
// are no such message.
std::optional<ModelSettings> read_model_settings(std::string_view model);

}  // namespace bitsweep::tokenize
