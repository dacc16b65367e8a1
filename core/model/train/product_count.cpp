#include "train/product_count.h"

#include <atomic>
#include <string_view>

#include <ATen/ATen.h>

#include "nn/products.h"

namespace bitsweep::train {
namespace {

std::atomic<int64_t> multiply_adds{0};
thread_local bool within_product = false;  // autocast calls a product from within one of the same name

using Inputs = c10::ArrayRef<const c10::IValue>;

// [..., m, k] · [..., k, n], where n is 1 for a vector.
int64_t product(const c10::IValue& left, const c10::IValue& right) {
  const at::Tensor& second = right.toTensor();
  return left.toTensor().numel() * (second.dim() < 2 ? 1 : second.size(-1));
}

// So many products of [B, H, T, d_h] with [B, H, S, d_h].
int64_t attention(const c10::IValue& queries, const c10::IValue& keys, int64_t products) {
  return products * queries.toTensor().numel() * keys.toTensor().size(-2);
}

int64_t counted(std::string_view name, Inputs inputs) {
  if (name == nn::kProductsMark) return inputs[0].toInt();
  if (!name.starts_with("aten::")) return 0;
  name.remove_prefix(std::string_view("aten::").size());
  if (name == "mm" || name == "bmm" || name == "mv" || name == "dot") return product(inputs[0], inputs[1]);
  if (name == "addmm" || name == "addbmm" || name == "baddbmm" || name == "addmv") return product(inputs[1], inputs[2]);
  if (name == "_scaled_dot_product_flash_attention_for_cpu") return attention(inputs[0], inputs[1], 2);
  if (name == "_scaled_dot_product_flash_attention_for_cpu_backward") return attention(inputs[1], inputs[2], 4);
  return 0;
}

struct Product : at::ObserverContext {};

std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction& function) {
  const int64_t made = within_product ? 0 : counted(function.name(), function.inputs());
  if (made == 0) return nullptr;
  multiply_adds += made;
  within_product = true;
  return std::make_unique<Product>();
}

void end(const at::RecordFunction&, at::ObserverContext* product) {
  if (product != nullptr) within_product = false;
}

}  // namespace

ProductCount::ProductCount() {
  multiply_adds = 0;
  handle_ = at::addGlobalCallback(at::RecordFunctionCallback(begin, end).needsInputs(true));
}

ProductCount::~ProductCount() { at::removeCallback(handle_); }

int64_t ProductCount::flops() const { return 2 * multiply_adds; }

}  // namespace bitsweep::train
