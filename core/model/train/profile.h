// Where the time of training steps goes: by block, forward and backward, and how much of it is products of floats,
// other work on floats, and work on integers (the goal is under 10 % of the wall-clock in operations on floats).
//
// LibTorch tells of every operation that begins and ends on this thread; a backward operation belongs to the block in
// whose forward pass it was born, which its sequence number tells. Work inside an operation of our own counts for its
// block too. An engine says of every stretch of its work what it is (nn/block_scope.h); of LibTorch's operations none
// is on integers. What no block claims is "other". A step is one scope around all of it (Stepper::run).
#pragma once

#include <map>
#include <string>

#include <ATen/record_function.h>

namespace bitsweep::train {

struct BlockTime {
  double forward_s = 0, backward_s = 0;
  // Of both: products of floats with floats or signs; work on bits and integers. What is left is other work on floats.
  double products_s = 0, integers_s = 0;
  double total_s() const { return forward_s + backward_s; }
};

// Listens to the calling thread while it lives. One at a time on a thread.
class BlockProfile {
 public:
  BlockProfile();
  ~BlockProfile();
  BlockProfile(const BlockProfile&) = delete;
  BlockProfile& operator=(const BlockProfile&) = delete;

  const std::map<std::string, BlockTime>& blocks() const;

 private:
  class Recorder;
  std::unique_ptr<Recorder> recorder_;
  at::CallbackHandle handle_;
};

}  // namespace bitsweep::train
