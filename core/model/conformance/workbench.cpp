#include "conformance/workbench.h"

#include <algorithm>
#include <cstdlib>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "train/evaluate.h"
#include "train/randomness.h"

namespace bitsweep::conformance {
namespace {

std::optional<plugin::Manifest> manifest_beside(const fs::path& library) {
  const fs::path path = library.parent_path() / "plugin.yaml";
  std::error_code code;
  if (!fs::exists(path, code)) return std::nullopt;
  return plugin::read_manifest(path);
}

json::value small_value(const plugin::OptionSpec& option, const TrialShape& shape) {
  const std::pair<const char*, int64_t> dimensions[] = {{"d_model", shape.d_model},
                                                        {"n_layers", shape.n_layers},
                                                        {"n_heads", shape.n_heads},
                                                        {"n_kv_heads", shape.n_heads},
                                                        {"d_ff", shape.d_ff}};
  for (const auto& [name, size] : dimensions) {
    if (option.name != name) continue;
    const double least = option.min.value_or(1), most = option.max.value_or(1e15);
    return static_cast<int64_t>(std::clamp(static_cast<double>(size), least, std::max(least, most)));
  }
  if (option.type == "int") return static_cast<int64_t>(option.min.value_or(1));
  if (option.type == "float") return option.min.value_or(0.0);
  if (option.type == "bool") return false;
  if (option.type == "choice") return json::value(option.choices.front());
  return option.type == "int_list" ? json::value(json::array{}) : json::value("");
}

std::string practice_text(size_t least_bytes) {
  constexpr const char* kWords[] = {"sign", "bits", "key", "layer", "token", "pointer", "scale", "head"};
  std::string text;
  for (uint64_t state = 1; text.size() < least_bytes;) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const char* word = kWords[state >> 61];
    text += fmt::format("{0}, {0}. ", word);
  }
  return text;
}

}  // namespace

ScratchFolder::ScratchFolder() {
  std::string name = (fs::temp_directory_path() / "bitsweep-check-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    throw Error(ErrorKind::environment, fmt::format("cannot make a folder like '{}'", name));
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Workbench::Workbench(plugin::Plugin plugin, json::object given)
    : plugin_(std::move(plugin)), given_(std::move(given)), manifest_(manifest_beside(plugin_.library())) {}

plugin::DescribeRequest Workbench::request(const TrialShape& shape, int64_t vocab) const {
  plugin::DescribeRequest request{.options = given_, .vocab = vocab, .context = kCheckContext};
  if (manifest_) request.defaults = manifest_->later_defaults();
  if (!manifest_ || given_.contains("params") || given_.contains("body")) return request;
  for (const plugin::OptionSpec& option : manifest_->options) {
    if (option.default_value || request.options.contains(option.name)) continue;
    request.options[option.name] = small_value(option, shape);
  }
  return request;
}

plugin::OwnedModel Workbench::build(const plugin::DescribeRequest& request, int64_t seed) const {
  plugin::DescribeRequest resolved = request;
  resolved.options = plugin_.describe(request).options;
  train::seed_initial_weights(seed);
  return plugin_.create(resolved);
}

const data::Dataset& Workbench::dataset() const {
  if (dataset_ == nullptr) {
    const fs::path text = scratch() / "practice.txt";
    write_file_atomic(text, practice_text(100'000));
    spec::DataSpec spec;
    spec.corpus = text.string();
    spec.tokenizer = "ascii128";
    spec.context = kCheckContext;
    spec.val_fraction = 0.1;
    dataset_ = std::make_unique<const data::Dataset>(data::Dataset::open(spec, scratch() / "data"));
  }
  return *dataset_;
}

at::Generator generator_of(uint64_t seed) { return at::detail::createCPUGenerator(seed); }

void seed_default_generator(uint64_t seed) {
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  const std::lock_guard lock(generator.mutex());
  generator.set_current_seed(seed);
}

nn::StepContext training_context(uint64_t seed) {
  nn::StepContext context;
  context.training = true;
  context.step = 3;
  context.total_steps = 10;
  context.noise = generator_of(seed);
  return context;
}

at::Tensor random_tokens(int64_t sequences, uint64_t seed) {
  return at::empty({sequences, kCheckContext}, at::kLong).random_(0, kCheckVocab, generator_of(seed));
}

at::Tensor evaluation_logits(nn::Model& model, const at::Tensor& tokens) {
  const at::NoGradGuard no_grad;
  return model.forward(tokens, nn::StepContext());
}

at::Tensor training_loss(nn::Model& model, train::Precision precision) {
  const train::TokenBatch batch{.inputs = random_tokens(4, 11), .targets = random_tokens(4, 12).flatten()};
  seed_default_generator(0);
  return token_nats(model, batch, training_context(7), precision, /*mean=*/true);
}

std::string list_of(const std::vector<std::string>& names) {
  constexpr size_t kMost = 4;
  const size_t shown = std::min(names.size(), kMost);
  std::string text = fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<ptrdiff_t>(shown), ", "));
  if (names.size() > shown) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

}  // namespace bitsweep::conformance
