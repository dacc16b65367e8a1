// `bitsweep plugins check`.
#pragma once

#include "cli/verb.h"

namespace bitsweep::cli {

extern const Verb kPluginsCheckVerb;  // of the verb `plugins`

}  // namespace bitsweep::cli
