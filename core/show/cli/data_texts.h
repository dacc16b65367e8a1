// The texts of a plan as room data reads them.
#pragma once

#include "base/files.h"
#include "prepare/texts.h"

namespace bitsweep::cli {

class DataTexts : public prepare::Texts {
 public:
  // `cache`: where corpora of several sources are put together, and splits are remembered.
  explicit DataTexts(fs::path cache) : cache_(std::move(cache)) {}
  plan::DatasetFacts probe(const spec::DataSpec& data) override;
  Measured measure(const spec::DataSpec& data, const std::vector<int64_t>& windows, Notes& notes) override;
  void check_tasks(const std::vector<spec::TaskSpec>& tasks) override;

 private:
  fs::path cache_;
};

}  // namespace bitsweep::cli
