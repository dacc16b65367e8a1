// The program's one set of threads for loops that are cut into parts. They start when they are first wanted, wait for
// the next call awake for a moment and then asleep, and last until the process ends: nothing joins them, so that no
// exit waits for them. Not LibTorch's: its threads are reached through OpenMP alone, which this program is built
// without.
#pragma once

#include <cstdint>

#include "engine/function_ref.h"

namespace bitsweep::engine {

// f(0) … f(parts − 1), each once, on this thread and up to threads − 1 others; returns when all are done. Parts are
// handed out in their order, to whoever is free first. The first exception of a part is thrown on, and parts that have
// not begun by then are left out.
//
// The calling thread does everything itself within a part of another call, while another thread's call has the pool, in
// a process that was forked, and where no thread can be started. Allocates nothing but when it starts threads.
void run_parts(int64_t threads, int64_t parts, FunctionRef<int64_t> f);

}  // namespace bitsweep::engine
