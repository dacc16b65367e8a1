#include "nn/engine_workers.h"

#include <string>

#include "nn/block_scope.h"
#include "nn/products.h"

namespace bitsweep::nn {

void EngineMeter::begin(const char* block, bool backward, engine::Work work, int64_t multiply_adds) {
  if (!at::hasCallbacks()) {
    open_.emplace_back();
    return;
  }
  std::string name = std::string(kBlockMark) + block;
  if (backward) name += kBackwardMark;
  if (work == engine::Work::integers) name += kIntegersMark;
  if (work == engine::Work::products) name += kFloatProductsMark;
  open_.push_back(std::make_unique<at::RecordFunction>(at::RecordScope::USER_SCOPE));
  if (open_.back()->isActive()) open_.back()->before(name);
  if (multiply_adds > 0) say_products(multiply_adds);
}

void EngineMeter::end() { open_.pop_back(); }

}  // namespace bitsweep::nn
