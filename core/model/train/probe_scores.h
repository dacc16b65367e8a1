// What a window of tokens asks of induction, and what a head's attention makes of it: from weights and tokens to
// numbers. Pure.
//
// A query at place t whose token occurred earlier at s < t could look at s + 1, at what followed: its matches are all
// such s + 1, t itself among them when s = t − 1. Induction heads do that (Olsson et al. 2022, "In-context learning and
// induction heads").
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "base/attention_probes.h"

namespace bitsweep::train {

// tokens [B, T] int64 -> [B, T, T] bool: whether key j is a match of query t.
at::Tensor induction_matches(const at::Tensor& tokens);

// weights [B, H, T, T] -> [B, H, T] int64: the key that each query takes most of; the most recent of equals.
at::Tensor most_attended(const at::Tensor& weights);

struct HeadScores {
  // IPMR, induction pointer match rate: over queries that have matches, the fraction that takes most of one.
  double ipmr = 0;
  // Attention on matches over all attention, that of queries without matches included (as in TransformerLens's
  // head_detector).
  double induction = 0;
  // Probability that the head, at one place of two different windows, takes most of the same key: 1 for a head that
  // goes by position alone. NaN of fewer than two windows.
  double agreement = 0;

  bool locked() const { return agreement >= kLockedAgreement; }
  bool content_driven() const { return agreement < kContentAgreement; }
};

struct LayerScores {
  std::vector<HeadScores> heads;
  double hdr = 0;  // distinct keys taken most of, over all heads, per head; mean over queries
};

// A text's scores, window by window:
//   tally.begin(tokens);  tally.layer(weights) for each layer;  … ;  tally.scores()
class AttentionTally {
 public:
  // tokens [B, T] int64, on the device of the weights to come. T is the same each time.
  void begin(const at::Tensor& tokens);
  // The next layer's weights [B, H, T, T]. Throws Error{failed} for another shape, or other heads than before.
  void layer(const at::Tensor& weights);

  // Throws Error{failed} when the last forward pass had fewer layers than the one before.
  std::vector<LayerScores> layers() const;
  int64_t windows() const { return windows_; }
  int64_t queries() const { return queries_; }  // that have matches
  // What `ipmr` and `induction` would be if every query took one of its keys (its own or an earlier one) at random, all
  // with the same probability: the mean of (matches of t) / (t + 1).
  double ipmr_chance() const;
  double induction_chance() const;

 private:
  struct Layer {
    at::Tensor hits, mass;             // [H] f64, sums so far
    double distinct = 0;               // keys per head, summed over queries
    std::vector<at::Tensor> pointers;  // [B, H, T] int32 on the CPU
  };
  void require_whole() const;
  static double agreement(const at::Tensor& pointers, int64_t head);
  int64_t places() const { return windows_ * context_; }

  at::Tensor matches_;  // of the windows at hand
  size_t next_ = 0;     // layer
  int64_t windows_ = 0, context_ = 0, queries_ = 0;
  double chance_ = 0;  // (matches of t) / (t + 1), summed
  std::vector<Layer> layers_;
};

}  // namespace bitsweep::train
