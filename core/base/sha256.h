// SHA-256, streaming. Run ids, validation sets, corpora and checkpoints are named by it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace bitsweep {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(const void* data, size_t bytes);
  void update(std::string_view text) { update(text.data(), text.size()); }
  // 64 lower-case hex digits; the object starts anew afterwards.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::string_view text);

}  // namespace bitsweep
