#include "weights/released_model.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/nearest.h"

namespace bitsweep::weights {
namespace {

constexpr uint64_t kLargestConfig_bytes = UINT64_C(16) << 20;
// A model of another shape differs everywhere; the first few say it.
constexpr size_t kShownTensors = 8;

class TensorCheck {
 public:
  TensorCheck(const fs::path& folder, const std::vector<ReleasedTensor>& wanted, const WeightFolder& weights)
      : folder_(folder), weights_(weights) {
    std::set<std::string> names;
    for (const ReleasedTensor& tensor : wanted) names.insert(tensor.theirs);
    for (const auto& [name, entry] : weights.tensors())
      if (!names.contains(name) && !is_no_weight(name)) extra_.push_back(name);
    for (const ReleasedTensor& tensor : wanted) check(tensor);
    for (const std::string& name : extra_)
      add(weights.file_of(name), fmt::format("tensor '{}': config.json speaks of no such tensor", name));
  }

  std::vector<Diagnostic> take() {
    if (found_.size() > kShownTensors) {
      const size_t more = found_.size() - kShownTensors;
      found_.resize(kShownTensors);
      add(folder_, fmt::format("and {} more tensors that do not fit", more));
    }
    return std::move(found_);
  }

 private:
  void check(const ReleasedTensor& wanted) {
    const auto found = weights_.tensors().find(wanted.theirs);
    if (found == weights_.tensors().end())
      return add(folder_, fmt::format("tensor '{}': expected one of shape [{}], found none{}", wanted.theirs,
                                      fmt::join(wanted.shape, ", "), did_you_mean(wanted.theirs, extra_)));
    const TensorEntry& entry = *found->second;
    const fs::path& file = weights_.file_of(wanted.theirs);
    if (entry.dtype != "F32" && entry.dtype != "F16" && entry.dtype != "BF16")
      add(file, fmt::format("tensor '{}': expected F32, F16 or BF16, found {}{}", entry.name, entry.dtype,
                            entry.dtype == "U8" ? " (packed weights must be unpacked first)" : ""));
    else if (entry.shape != wanted.shape)
      add(file, fmt::format("tensor '{}': expected the shape [{}], found [{}]", entry.name,
                            fmt::join(wanted.shape, ", "), fmt::join(entry.shape, ", ")));
  }

  void add(const fs::path& file, std::string message) {
    found_.push_back({.file = file.string(), .message = std::move(message)});
  }

  const fs::path& folder_;
  const WeightFolder& weights_;
  std::vector<std::string> extra_;
  std::vector<Diagnostic> found_;
};

}  // namespace

bool is_released(const fs::path& folder) {
  std::error_code code;
  return fs::is_regular_file(folder / "config.json", code);
}

ReleasedModel read_released(const fs::path& folder) {
  const fs::path file = folder / "config.json";
  std::vector<Diagnostic> wrong;
  const ReleasedConfig config = read_released_config(read_file(file, kLargestConfig_bytes), file.string(), wrong);
  std::vector<Diagnostic> unread;
  ReleasedModel model{config, {}, WeightFolder(folder, unread)};
  // Without a shape, or with half of the files, nearly all tensors would be wrong.
  if (config.shape_is_known && unread.empty()) {
    model.tensors = released_tensors(config);
    unread = TensorCheck(folder, model.tensors, model.weights).take();
  }
  wrong.insert(wrong.end(), unread.begin(), unread.end());
  if (!wrong.empty()) throw Error(ErrorKind::input, std::move(wrong));
  return model;
}

}  // namespace bitsweep::weights
