// Where text goes as it is read: a part at a time, in order, cut anywhere.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

namespace bitsweep::data {

using TextSink = std::function<void(std::span<const uint8_t>)>;

// Told where a document of it ends, after its last part.
using DocumentEnd = std::function<void()>;

}  // namespace bitsweep::data
