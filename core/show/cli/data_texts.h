// The texts of a plan as room data reads them.
#pragma once

#include "base/error.h"
#include "base/files.h"
#include "base/notes.h"
#include "data/dataset_info.h"
#include "prepare/texts.h"

namespace bitsweep::cli {

class DataTexts : public prepare::Texts {
 public:
  // `cache`: where corpora of several sources are put together, and splits and tokens are kept. With `encoding` texts
  // are encoded as they are probed, so that what is known of them is exact, and what that takes is told there; else
  // nothing is written.
  explicit DataTexts(fs::path cache, Notes* encoding = nullptr) : cache_(std::move(cache)), encoding_(encoding) {}
  plan::DatasetFacts probe(const spec::DataSpec& data) override;
  Measured measure(const spec::DataSpec& data, const Scored& scored, Notes& notes) override;
  void check_tasks(const std::vector<spec::TaskSpec>& tasks) override;
  std::optional<Trained> trained_tokenizer(const spec::DataSpec& data) override;
  plan::DatasetFacts probe_beside(const spec::DataSpec& own, const spec::AlsoSpec& text) override;

 private:
  // `shown`: how a person knows it. `build`: a text that needs no encoding is put together all the same.
  plan::DatasetFacts look_at(const spec::DataSpec& data, const spec::DataSpec& shown, bool build) const;
  std::vector<plan::DataProblem> problems_of(const spec::DataSpec& data, const Error& whole) const;

  fs::path cache_;
  Notes* encoding_;
};

}  // namespace bitsweep::cli
