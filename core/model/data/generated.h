// The built-in corpora that are made and not read: `stories` and the induction tasks.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace bitsweep::data {

struct GeneratedCorpus {
  std::string_view name;  // as in data.corpus
  int version = 0;        // raised with every change of the text
  uint64_t seed = 0, bytes = 0;
  std::string (*text)() = nullptr;
  double (*entropy_bits_per_byte)() = nullptr;  // of the source
};

std::span<const GeneratedCorpus> generated_corpora();
const GeneratedCorpus* find_generated_corpus(std::string_view name);  // nullptr: unknown

}  // namespace bitsweep::data
