// Short names for paths that may end alike.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace bitsweep {

// By text of `names`: the last component of a path ("mine.so"), or as much of its end as tells it from the others that
// end so, without a ".so": "a/mine", "b/mine". A text without '/' stays.
std::map<std::string, std::string> distinct_names(const std::vector<std::string>& names);

}  // namespace bitsweep
