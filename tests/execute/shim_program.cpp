// A shim alone, as the tests start it in the place of `bitsweep shim`.
#include <cstdlib>

#include "execute/shim.h"

int main(int argc, char** argv) { return argc == 3 ? bitsweep::run_shim(argv[1], std::atoi(argv[2])) : 2; }
