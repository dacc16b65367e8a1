#include "train/profile.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/SequenceNumber.h>

#include "base/clock.h"
#include "nn/block_scope.h"

namespace bitsweep::train {
namespace {

constexpr const char* kOther = "other";

// The scope of a block or of an engine's work: "block:ffn:backward:products".
struct Scope {
  std::string block;
  bool backward = false, integers = false, products = false;
};

bool takes_off(std::string_view& name, std::string_view end) {
  if (!name.ends_with(end)) return false;
  name.remove_suffix(end.size());
  return true;
}

// Nothing of another name.
std::optional<Scope> scope_of(std::string_view name) {
  if (!name.starts_with(nn::kBlockMark)) return std::nullopt;
  name.remove_prefix(std::string_view(nn::kBlockMark).size());
  Scope scope;
  scope.integers = takes_off(name, nn::kIntegersMark);
  scope.products = takes_off(name, nn::kFloatProductsMark);
  scope.backward = takes_off(name, nn::kBackwardMark);
  scope.block = name;
  return scope;
}

bool is_product(std::string_view name) {
  constexpr std::array<std::string_view, 6> kProducts = {
      "aten::mm",     "aten::bmm",     "aten::addmm",
      "aten::addbmm", "aten::baddbmm", "aten::_scaled_dot_product_flash_attention_for_cpu"};
  return std::find(kProducts.begin(), kProducts.end(), name) != kProducts.end();
}

}  // namespace

class BlockProfile::Recorder {
 public:
  void begin(const at::RecordFunction& function) {
    Frame frame;
    if (!frames_.empty()) {
      frame.block = frames_.back().block;
      frame.backward = frames_.back().backward;
    }
    const std::string_view name = function.name();
    const auto scope = function.scope() == at::RecordScope::USER_SCOPE ? scope_of(name) : std::nullopt;
    frame.product = scope ? scope->products : is_product(name);
    if (scope) {
      frame.block = scope->block;
      frame.backward |= scope->backward;
      frame.integers = scope->integers;
      frame.named = true;
      frame.first_node = at::sequence_number::peek();
    } else if (function.scope() == at::RecordScope::BACKWARD_FUNCTION) {
      frame.backward = true;
      frame.block = block_of(function.seqNr());
    }
    frame.begin_s = system_clock().monotonic_s();
    frames_.push_back(std::move(frame));
  }

  void end() {
    if (frames_.empty()) return;  // began before we listened
    const Frame frame = std::move(frames_.back());
    frames_.pop_back();
    const double whole_s = system_clock().monotonic_s() - frame.begin_s, own_s = whole_s - frame.inside_s;
    BlockTime& time = blocks_[frame.block];
    (frame.backward ? time.backward_s : time.forward_s) += own_s;
    if (frame.product) time.products_s += own_s;
    if (frame.integers) time.integers_s += own_s;
    if (!frames_.empty()) frames_.back().inside_s += whole_s;
    const uint64_t next_node = at::sequence_number::peek();
    if (frame.named && frame.first_node < next_node) nodes_.push_back({frame.first_node, next_node, frame.block});
    if (frames_.empty()) nodes_.clear();  // a step's graph is gone with the step
  }

  const std::map<std::string, BlockTime>& blocks() const { return blocks_; }

 private:
  struct Frame {
    std::string block = kOther;
    bool backward = false, named = false, product = false, integers = false;
    uint64_t first_node = 0;
    double begin_s = 0, inside_s = 0;
  };
  // Autograd nodes that were born in a block. Inner blocks end first and so come first.
  struct Nodes {
    uint64_t first, last;
    std::string block;
  };

  std::string block_of(int64_t node) const {
    const auto number = static_cast<uint64_t>(node);
    const auto found = std::find_if(nodes_.begin(), nodes_.end(),
                                    [&](const Nodes& nodes) { return nodes.first <= number && number < nodes.last; });
    return node >= 0 && found != nodes_.end() ? found->block : kOther;
  }

  std::vector<Frame> frames_;
  std::vector<Nodes> nodes_;
  std::map<std::string, BlockTime> blocks_;

 public:
  static thread_local Recorder* current;
};

thread_local BlockProfile::Recorder* BlockProfile::Recorder::current = nullptr;

BlockProfile::BlockProfile() : recorder_(std::make_unique<Recorder>()) {
  Recorder::current = recorder_.get();
  handle_ = at::addThreadLocalCallback(at::RecordFunctionCallback(
      [](const at::RecordFunction& function) -> std::unique_ptr<at::ObserverContext> {
        if (Recorder::current != nullptr) Recorder::current->begin(function);
        return nullptr;
      },
      [](const at::RecordFunction&, at::ObserverContext*) {
        if (Recorder::current != nullptr) Recorder::current->end();
      }));
}

BlockProfile::~BlockProfile() {
  at::removeCallback(handle_);
  Recorder::current = nullptr;
}

const std::map<std::string, BlockTime>& BlockProfile::blocks() const { return recorder_->blocks(); }

}  // namespace bitsweep::train
