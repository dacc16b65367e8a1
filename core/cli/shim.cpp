// The hidden verb `shim`: bitsweep as the small process between the coordinator and one worker (execute/shim.h).
#include <charconv>

#include "base/error.h"
#include "cli/verb.h"
#include "execute/shim.h"

namespace bitsweep {
namespace {

int run(const Verb&, const std::vector<std::string>& args) {
  int lock_fd = -1;
  if (args.size() == 2) std::from_chars(args[1].data(), args[1].data() + args[1].size(), lock_fd);
  if (lock_fd < 3) throw Error(ErrorKind::input, "bitsweep shim: for the coordinator's own use");
  return run_shim(args[0], lock_fd);
}

}  // namespace

const Verb kShimVerb{"shim", "Stand between the coordinator and a worker", "ATTEMPT_FOLDER LOCK_FD", "", run, true};

}  // namespace bitsweep
