// `bitsweep-worker describe`: answers what plugins say of models, without building any.
//
// stdin, one request a line:  {"plugin": NAME or path of a .so, "request": DescribeRequest}
// stdout, one answer a line:  {"description": Description}  or  {"error": message, "kind":
// "input"|"environment"|"failed"}
//
// "plugin" may be left out when --plugin names exactly one. A request that cannot be answered costs its line alone,
// unless the plugin crashes the process: the requests answered so far are then out.
#pragma once

#include <iosfwd>

#include "worker/arguments.h"

namespace bitsweep::worker {

// Until `in` ends. 0.
int describe_verb(const DescribeArguments& arguments, std::istream& in, std::ostream& out);

}  // namespace bitsweep::worker
