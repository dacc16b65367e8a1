// The texts of a plan as room data reads them.
#pragma once

#include "base/files.h"
#include "prepare/texts.h"

namespace bitsweep {

class DataTexts : public Texts {
 public:
  // `cache`: where corpora of several sources are put together, and splits are remembered.
  explicit DataTexts(fs::path cache) : cache_(std::move(cache)) {}
  DatasetFacts probe(const DataSpec& data) override;
  DatasetRecord measure(const DataSpec& data, Notes& notes) override;

 private:
  fs::path cache_;
};

}  // namespace bitsweep
