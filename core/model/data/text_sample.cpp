#include "data/text_sample.h"

#include <algorithm>

namespace bitsweep::data {

void TextSample::add(std::span<const uint8_t> text) {
  while (!text.empty()) {
    const bool keep = block_ % every_ == 0;
    if (filled_ == 0 && keep) {
      if (kept_.size() == most_blocks) thin();
      if (block_ % every_ == 0) kept_.emplace_back();
    }
    const auto part = text.first(std::min(text.size(), block_bytes - filled_));
    if (block_ % every_ == 0) kept_.back().append(reinterpret_cast<const char*>(part.data()), part.size());
    filled_ += part.size();
    text = text.subspan(part.size());
    if (filled_ < block_bytes) continue;
    filled_ = 0;
    ++block_;
  }
}

void TextSample::thin() {
  for (size_t i = 0; 2 * i < kept_.size(); ++i) kept_[i].swap(kept_[2 * i]);
  kept_.resize((kept_.size() + 1) / 2);
  every_ *= 2;
}

}  // namespace bitsweep::data
