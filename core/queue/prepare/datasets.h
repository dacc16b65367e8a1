// The data sets of a plan, opened and measured before its runs are queued.
#pragma once

#include "plan/plan.h"
#include "prepare/texts.h"
#include "store/store.h"

namespace bitsweep::prepare {

// Puts the record of each distinct data set of the plan into the store, and the yardsticks of the bytes that its runs
// are scored on, unless they are there. Throws as Texts::measure.
void prepare_datasets(const plan::Plan& plan, store::Store& store, Texts& texts, Notes& notes);

}  // namespace bitsweep::prepare
