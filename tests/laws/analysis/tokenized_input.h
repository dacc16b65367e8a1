// Made-up measurements of models under several tokenizers.
#pragma once

#include <vector>

#include "analysis/report_input.h"

namespace bitsweep::analysis {

struct Tokenized {
  const char* tokenizer;
  double body, embedding, tokens, bytes_per_token;  // the last 0: not told
};

// Scored on the same bytes, so that tokenizers may be compared.
inline ReportInput tokenized_input(const std::vector<Tokenized>& runs) {
  std::vector<Made> made;
  for (const Tokenized& run : runs) made.push_back({"llama", run.body + run.embedding, run.tokens});
  ReportInput input = made_input(made);
  input.datasets[0].unknown_bytes = 0;
  for (size_t r = 0; r < runs.size(); ++r) {
    MeasuredRun& run = input.runs[r];
    run.row.params_nonembedding = static_cast<int64_t>(runs[r].body);
    run.row.spec["data"].as_object()["tokenizer"] = runs[r].tokenizer;
    run.row.spec["eval"] = json::object{{"every", 50}, {"bytes", 16384}};
    if (runs[r].bytes_per_token > 0) run.start["bytes_per_token"] = runs[r].bytes_per_token;
  }
  return input;
}

}  // namespace bitsweep::analysis
