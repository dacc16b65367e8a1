// Who wants to know where a step's time goes is told of every stretch of work as it begins and ends.
#pragma once

#include <cstdint>

namespace bitsweep::engine {

enum class Work : uint8_t {
  integers,  // on bits and integers: products of signs, packing, choices
  products,  // products of floats with floats or signs
  floats,    // other arithmetic of floats
};

class Meter {
 public:
  virtual ~Meter() = default;
  // block: of nn/cost.h ("ffn"); a literal. multiply_adds: of the products among it.
  virtual void begin(const char* block, bool backward, Work work, int64_t multiply_adds) = 0;
  virtual void end() = 0;
};

// Until the end of the enclosing braces.
class Metered {
 public:
  Metered(Meter* meter, const char* block, bool backward, Work work, int64_t multiply_adds = 0) : meter_(meter) {
    if (meter_ != nullptr) meter_->begin(block, backward, work, multiply_adds);
  }
  ~Metered() {
    if (meter_ != nullptr) meter_->end();
  }
  Metered(const Metered&) = delete;
  Metered& operator=(const Metered&) = delete;

 private:
  Meter* meter_;
};

}  // namespace bitsweep::engine
