#include "worker/probe_verb.h"

#include <ostream>

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "base/error.h"
#include "train/probe.h"
#include "worker/checkpoint_weights.h"
#include "worker/run_input.h"

namespace bitsweep::worker {
namespace {

// Of the text that was asked for, else of the run's own.
data::ValidationWindows windows_of(const ProbeArguments& arguments, const RunInput& input, Notes& log) {
  if (arguments.text.empty()) return input.dataset.validation(arguments.windows);
  spec::AlsoSpec text;
  text.name = "text";
  text.corpus = arguments.text;
  text.field = arguments.field;
  return open_beside(input.spec.data, text, arguments, log).validation(arguments.windows);
}

int probe(const ProbeArguments& arguments, std::ostream& stream) {
  CollectedNotes unsaid;  // standard output is the answer alone
  const RunInput input = open_run(arguments, unsaid);
  const spec::RunSpec& spec = input.spec;
  const train::Progress progress = load_weights(arguments.checkpoint, arguments.run, spec, *input.model);
  input.model->to(input.device);
  const nn::StepContext context{
      .training = false, .step = progress.step - 1, .total_steps = spec.train.steps, .noise = {}};
  const train::Probe probe = probe_model(*input.model, windows_of(arguments, input, unsaid), input.dataset.context(),
                                         context, input.device, train::parse_precision(spec.train.precision));
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
