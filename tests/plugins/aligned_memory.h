// Bytes of memory that asked for more than the usual alignment, in this program and every library in it: the buffers of
// the kernels (kernels/buffer.h), an engine's among them.
#pragma once

#include <cstdint>

namespace bitsweep {

int64_t live_aligned_bytes();

}  // namespace bitsweep
