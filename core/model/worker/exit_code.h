// How `bitsweep-worker train` ends, besides base's ErrorKind (1 failed, 2 bad input, 3 environment). The launcher
// decides by these whether a run is retried; 75 is EX_TEMPFAIL of sysexits.h.
#pragma once

namespace bitsweep::worker {

inline constexpr int kExitDone = 0;
inline constexpr int kExitDiverged = 5;
inline constexpr int kExitOutOfMemory = 6;
inline constexpr int kExitStopped = 75;

}  // namespace bitsweep::worker
