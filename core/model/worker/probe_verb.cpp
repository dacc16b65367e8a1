#include "worker/probe_verb.h"

#include <ostream>

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "base/error.h"
#include "base/sha256.h"
#include "train/checkpoint.h"
#include "train/probe.h"
#include "train/restore.h"
#include "worker/run_input.h"

namespace bitsweep::worker {
namespace {

// Puts the checkpoint's weights into the model, after everything about it has been checked.
train::Progress load_weights(const ProbeArguments& arguments, const spec::RunSpec& spec, nn::Model& model) {
  const train::Checkpoint checkpoint(arguments.checkpoint);
  checkpoint.require_owner(
      {.run = arguments.run, .spec_sha256 = sha256_hex(canonical_json(identity(spec))), .plugin = spec.model.plugin});
  const std::vector<train::NamedTensor> tensors = train::model_tensors(model);
  checkpoint.require_tensors(tensors, /*exactly=*/false);
  checkpoint.verify_payload();
  checkpoint.copy_into(tensors);
  return checkpoint.progress();
}

int probe(const ProbeArguments& arguments, std::ostream& stream) {
  CollectedNotes unsaid;  // standard output is the answer alone
  const RunInput input = open_run(arguments, unsaid);
  const spec::RunSpec& spec = input.spec;
  const train::Progress progress = load_weights(arguments, spec, *input.model);
  input.model->to(input.device);
  const nn::StepContext context{
      .training = false, .step = progress.step - 1, .total_steps = spec.train.steps, .noise = {}};
  const train::Probe probe =
      probe_model(*input.model, input.dataset.validation(arguments.windows), input.dataset.context(), context,
                  input.device, train::parse_precision(spec.train.precision));
  if (!probe.has_attention())
    throw Error(ErrorKind::input, fmt::format("run {}: plugin '{}' has no attention, so there is nothing to probe",
                                              arguments.run, input.plugin.name()));
  const fs::path file = arguments.out / train::pointer_health_file(progress.step);
  write_file_atomic(file, pretty_json(pointer_health_json(probe, arguments.run, progress.step)) + "\n");
  json::object metrics;
  for (const nn::Metric& metric : metrics_of(probe)) metrics[metric.name] = metric.value;
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

}  // namespace bitsweep::worker
