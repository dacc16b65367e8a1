// Names the block at work, for the profile (train/profile.h). Costs nothing while nobody listens.
#pragma once

#include <ATen/record_function.h>

namespace bitsweep::nn {

// A scope's name: the mark and the block's; of an engine's work, behind it, what else is to be known of it.
inline constexpr char kBlockMark[] = "block:";
inline constexpr char kBackwardMark[] = ":backward", kIntegersMark[] = ":integers", kFloatProductsMark[] = ":products";

}  // namespace bitsweep::nn

// Until the end of the enclosing braces; the innermost counts. The names are those of nn/cost.h.
#define BITSWEEP_BLOCK(NAME) RECORD_USER_SCOPE("block:" NAME)
