// The file of examples that a run is fine-tuned on, as rows to learn and rows to be scored on.
#pragma once

#include <memory>

#include "base/files.h"
#include "data/dataset_info.h"
#include "examples/rows.h"
#include "spec/run_spec.h"
#include "tokenize/tokenizer.h"

namespace bitsweep::data {

struct ExampleData {
  std::shared_ptr<const tokenize::Tokenizer> tokenizer;
  std::shared_ptr<const examples::Rows> train, val;
  // Counts are of rows: as tokens each is data.context of them, since that is what a step takes.
  DatasetInfo info;
};

// Held out are the examples of data.val, else data.val_fraction of them, evenly spread. Throws Error{input} for what is
// wrong with the file, a tokenizer that would have to be trained, and a file that changed since the run was planned.
ExampleData open_examples(const spec::DataSpec& spec);

}  // namespace bitsweep::data
