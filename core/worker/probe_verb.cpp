#include "worker/probe_verb.h"

#include <ostream>

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "base/error.h"
#include "base/sha256.h"
#include "plugin/build_id.h"
#include "plugin/loader.h"
#include "train/checkpoint.h"
#include "train/device.h"
#include "train/probe.h"
#include "train/randomness.h"
#include "train/restore.h"
#include "worker/run_input.h"

namespace bitsweep {
namespace {

// Puts the checkpoint's weights into the model, after everything about it has been checked.
Progress load_weights(const ProbeArguments& arguments, const RunSpec& spec, Model& model) {
  const Checkpoint checkpoint(arguments.checkpoint);
  checkpoint.require_owner(
      {.run = arguments.run, .spec_sha256 = sha256_hex(canonical_json(identity(spec))), .plugin = spec.model.plugin});
  const std::vector<NamedTensor> tensors = model_tensors(model);
  checkpoint.require_tensors(tensors, /*exactly=*/false);
  checkpoint.verify_payload();
  checkpoint.copy_into(tensors);
  return checkpoint.progress();
}

int probe(const ProbeArguments& arguments, std::ostream& stream) {
  const RunSpec spec = read_run_spec(arguments.spec);
  const c10::Device device = open_device(parse_device(arguments.device));
  set_threads(arguments.threads);
  const Plugin plugin = load_plugin(spec.model.plugin, arguments.plugin_dir, BITSWEEP_BUILD_ID);
  const Dataset dataset = Dataset::open(spec.data, arguments.cache);
  DescribeRequest request{.options = spec.model.options, .vocab = dataset.info().vocab, .context = spec.data.context};
  request.options = plugin.describe(request).options;
  seed_initial_weights(spec.seed);
  const OwnedModel model = plugin.create(request);
  const Progress progress = load_weights(arguments, spec, *model);
  model->to(device);
  const StepContext context{.training = false, .step = progress.step - 1, .total_steps = spec.train.steps, .noise = {}};
  const Probe probe = probe_model(*model, dataset.validation(arguments.windows), dataset.context(), context, device,
                                  parse_precision(spec.train.precision));
  if (!probe.has_attention())
    throw Error(ErrorKind::input, fmt::format("run {}: plugin '{}' has no attention, so there is nothing to probe",
                                              arguments.run, plugin.name()));
  const fs::path file = arguments.out / pointer_health_file(progress.step);
  write_file_atomic(file, pretty_json(pointer_health_json(probe, arguments.run, progress.step)) + "\n");
  json::object metrics;
  for (const Metric& metric : metrics_of(probe)) metrics[metric.name] = metric.value;
  stream << json::serialize(
                json::object{{"step", progress.step}, {"file", file.string()}, {"metrics", std::move(metrics)}})
         << '\n'
         << std::flush;
  return 0;
}

}  // namespace

int probe_verb(const ProbeArguments& arguments, std::ostream& stream) {
  try {
    return probe(arguments, stream);
  } catch (const c10::Error& error) {
    throw Error(ErrorKind::failed, error.what_without_backtrace());
  }
}

}  // namespace bitsweep
