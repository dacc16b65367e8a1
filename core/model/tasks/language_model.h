// What tasks ask of a language model, whatever computes it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tasks/encode.h"

namespace bitsweep::tasks {

// Tokens, of which the last `scored` are asked about, given those before each. REQUIRES scored < tokens.size() and
// tokens.size() - 1 <= context().
struct ScoredRow {
  std::vector<TokenId> tokens;
  size_t scored = 0;
};

struct RowScore {
  double nats = 0;         // log-likelihood: the sum over the scored tokens
  bool likeliest = false;  // each of them was the likeliest
};

class LanguageModel {
 public:
  virtual ~LanguageModel() = default;

  virtual int64_t context() const = 0;  // tokens that it reads at most
  virtual std::vector<RowScore> score(std::span<const ScoredRow> rows) = 0;

  // The likeliest token behind each of the rows, of 1 to context() tokens each; the first of equals. A caller asks for
  // one token after the other: rows that only grew since the last call need not be read anew.
  virtual std::vector<TokenId> likeliest(std::span<const std::vector<TokenId>> rows) = 0;
  // Rows that likeliest() should be given at a time.
  virtual size_t rows_at_once() const = 0;
};

}  // namespace bitsweep::tasks
