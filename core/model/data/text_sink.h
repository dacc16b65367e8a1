// Where text goes as it is read: a part at a time, in order, cut anywhere.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

namespace bitsweep::data {

using TextSink = std::function<void(std::span<const uint8_t>)>;

}  // namespace bitsweep::data
