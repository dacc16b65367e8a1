#include "worker/run_input.h"

#include <algorithm>
#include <cstdio>

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "data/token_plan.h"
#include "nn/model.h"
#include "plugin/build_id.h"
#include "train/device.h"
#include "train/randomness.h"

namespace bitsweep::worker {
namespace {

spec::RunSpec read_run_spec(const fs::path& path) {
  constexpr uint64_t kLimitBytes = 16 << 20;
  const json::value value = parse_json(read_file(path, kLimitBytes), path.string());
  if (!value.is_object()) throw Error(ErrorKind::input, fmt::format("{}: expected a JSON object", path.string()));
  return spec::run_spec_from_json(value.get_object());
}

// Within an operation; none run side by side.
void set_threads(int64_t threads) {
  at::set_num_threads(static_cast<int>(threads));
  at::set_num_interop_threads(1);
}

data::BuildOptions build_options(const RunArguments& arguments, Notes& log) {
  return {.threads = static_cast<int>(std::max<int64_t>(1, arguments.threads)), .notes = &log};
}

void check_counts(const plugin::Plugin& plugin, const plugin::Description& description, const nn::Model& model) {
  int64_t built = 0;
  for (const nn::Parameter& parameter : model.parameters()) built += parameter.tensor.numel();
  for (const nn::BitMatrix& matrix : model.bit_matrices()) built += matrix.rows * matrix.columns;
  const int64_t described = description.params + description.params_extra;
  if (built != described)
    throw Error(ErrorKind::failed, fmt::format("plugin '{}' describes {} parameters and builds {}: the plugin is wrong",
                                               plugin.name(), described, built));
}

}  // namespace

void WorkerLog::add(Kind, std::string text) {
  std::puts(text.c_str());  // fmt::print() throws where the log's disk is full, which ends no run
  std::fflush(stdout);
}

RunInput open_run(const RunArguments& arguments, Notes& log) {
  spec::RunSpec spec = read_run_spec(arguments.spec);
  const c10::Device device = open_device(train::parse_device(arguments.device));
  set_threads(arguments.threads);
  plugin::Plugin plugin = plugin::load_plugin(spec.model.plugin, arguments.plugin_dir, BITSWEEP_BUILD_ID);
  data::Dataset dataset = data::Dataset::open(spec.data, arguments.cache, build_options(arguments, log));
  std::vector<AlsoText> also;
  for (const spec::AlsoSpec& text : spec.eval.also)
    also.push_back({text.metric(), open_beside(spec.data, text, arguments, log)});
  plugin::DescribeRequest request{.options = spec.model.options,
                                  .vocab = dataset.info().vocab,
                                  .context = spec.data.context,
                                  .precision = spec.train.precision,
                                  .gradients = spec.train.gradients};
  plugin::Description description = plugin.describe(request);
  request.options = description.options;
  train::seed_initial_weights(spec.seed);
  plugin::OwnedModel model = plugin.create(request);
  check_counts(plugin, description, *model);
  return {std::move(spec),        device,          std::move(plugin), std::move(dataset), std::move(also),
          std::move(description), std::move(model)};
}

data::Dataset open_beside(const spec::DataSpec& own, const spec::AlsoSpec& text, const RunArguments& arguments,
                          Notes& log) {
  const spec::DataSpec data = data::text_beside(own, text, arguments.cache);
  if (data.tokenizer.empty() || data.tokenizer == spec::no_tokenizer)
    throw Error(
        ErrorKind::input,
        fmt::format("the run names no tokenizer for '{}' (one that is imported: bitsweep import DIR --tokenizer "
                    "FILE)",
                    text.corpus));
  return data::Dataset::open(data, arguments.cache, build_options(arguments, log));
}

}  // namespace bitsweep::worker
