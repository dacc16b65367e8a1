// The data sets of a plan, opened and measured before its runs are queued.
#pragma once

#include <vector>

#include "plan/plan.h"
#include "store/store.h"

namespace bitsweep {

// Opens each distinct data set of the plan (a corpus of several sources is put together once, below ROOT/data), counts
// its n-gram yardsticks unless the store has them, and puts the record into the store. Tells on stderr what takes long.
// Throws Error{input} for what is wrong with the data, Error{environment} when the disk refuses.
void prepare_datasets(const Plan& plan, Store& store);

}  // namespace bitsweep
