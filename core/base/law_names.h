// The laws that a report may be asked for, by name: the one list. A sweep file is checked against it before anything of
// `fit` is there.
#pragma once

#include <string>
#include <vector>

namespace bitsweep {

inline const std::vector<std::string>& known_law_names() {
  static const std::vector<std::string> names{"power", "chinchilla", "repeated", "precision", "grouped", "curve"};
  return names;
}

}  // namespace bitsweep
