// What is wrong with several things, told at once.
#pragma once

#include <utility>
#include <vector>

#include "base/error.h"

namespace bitsweep::data {

class Findings {
 public:
  // Keeps what `act` throws as Error{input}; passes on anything else.
  template <class Act>
  void collect(const Act& act) {
    try {
      act();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::input) throw;
      wrong_.insert(wrong_.end(), error.diagnostics().begin(), error.diagnostics().end());
    }
  }
  void throw_if_any() {
    if (!wrong_.empty()) throw Error(ErrorKind::input, std::move(wrong_));
  }

 private:
  std::vector<Diagnostic> wrong_;
};

}  // namespace bitsweep::data
