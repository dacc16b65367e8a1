// The texts of a plan, as it is prepared: what is known of one without reading it whole, and what its record in the
// database says. The tokens themselves are the worker's; `bitsweep` hands in what reads them (room data).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/notes.h"
#include "plan/plan.h"
#include "store/records.h"

namespace bitsweep::prepare {

class Texts : public plan::DatasetProbe {
 public:
  struct Measured {
    store::DatasetRecord dataset;
    std::vector<store::YardstickRecord> yardsticks;  // of each that was asked for
  };
  // What runs on a text are scored on: eval.windows, or eval.bytes in their place.
  struct Scored {
    std::vector<int64_t> windows, bytes;
    bool empty() const { return windows.empty() && bytes.empty(); }
  };
  // Opens the text (a corpus of several sources is put together once, below ROOT/data) and counts its yardsticks, on
  // the whole validation part and on what `scored` names (windows of tokens that are no bytes have none). Tells what
  // takes long. Throws Error{input} for what is wrong with the text, Error{environment} when the disk refuses.
  virtual Measured measure(const spec::DataSpec& data, const Scored& scored, Notes& notes) = 0;
  // Reads the questions of tasks as a worker will. Throws Error{input} for what is wrong with any of them.
  virtual void check_tasks(const std::vector<spec::TaskSpec>& tasks) = 0;
  // A tokenizer that was trained for `data`, in its file: what decides its ids, as data.tokenizer_sha256 says of files.
  // Nothing while it is not trained.
  struct Trained {
    fs::path file;
    std::string sha256;
  };
  virtual std::optional<Trained> trained_tokenizer(const spec::DataSpec& data) = 0;
};

}  // namespace bitsweep::prepare
