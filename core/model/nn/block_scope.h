// Names the block at work, for the profile (train/profile.h). Costs nothing while nobody listens.
#pragma once

#include <ATen/record_function.h>

// Until the end of the enclosing braces; the innermost counts. The names are those of nn/cost.h.
#define BITSWEEP_BLOCK(NAME) RECORD_USER_SCOPE("block:" NAME)
