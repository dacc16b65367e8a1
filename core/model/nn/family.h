// What families of variants have in common beside their blocks: counts to add up, options that several take, and the
// two functions of a plugin made from a family.
//
// A family is a struct with
//   static Options read(OptionReader&, int64_t vocab, int64_t context)     every option; `shape` is one of its members
//   static ModelCount count(const Options&, int64_t vocab)
//   static std::vector<Stage> stages(const Options&, const Workload&)       what a step costs, nn/cost.h
//   static EngineCost engine(const Options&, const Workload&)               the same of its engine; without: none
//   using Built = a Model, constructible from (Options, vocab)
// and, where Built has an engine (nn/step_engine.h) for some options or for all,
// and its plugin is BITSWEEP_PLUGIN(NAME, describe_family<Family>, create_family<Family>).
#pragma once

#include <memory>
#include <string>

#include "nn/attention_rule.h"
#include "nn/cost.h"
#include "nn/geometry.h"
#include "nn/sign_linear.h"
#include "plugin/describe.h"

namespace bitsweep::nn {

// Embedding and head; tied: one matrix for both.
int64_t end_weights(const Shape& shape, int64_t vocab, bool tied = false);
// The ±1 head's bias per symbol and its scale.
int64_t sign_head_extra(int64_t vocab);
// Norms of a pre-norm stack: two a layer and one before the head, d each.
int64_t norm_gains(const Shape& shape);
// `output_ste` clipped | identity: the gradient through the sign of a linear's output.
OutputSign read_output_ste(OptionReader& reader);

// Reads the shape (read_shape) into options.shape; a shape is counted by Family::count. What else counts must be read
// before.
template <class Family, class Options>
void read_family_shape(OptionReader& reader, Options& options, int64_t vocab) {
  const auto counted = [&](const Shape& shape) {
    Options candidate = options;
    candidate.shape = shape;
    return Family::count(candidate, vocab);
  };
  options.shape = read_shape(
      reader, [&](const Shape& shape) { return counted(shape).params(); },
      [&](const Shape& shape) { return counted(shape).layers; });
}

Workload workload_of(const plugin::DescribeRequest& request);
plugin::Description describe_model(const OptionReader& options, const ModelCount& count,
                                   const std::vector<Stage>& stages, const Workload& work, const EngineCost& engine);

template <class Family, class Options>
EngineCost engine_cost_of(const Options& options, const Workload& work) {
  if constexpr (requires { Family::engine(options, work); }) {
    return Family::engine(options, work);
  } else {
    return {.none = "no engine for this family"};
  }
}

template <class Family>
plugin::Description describe_family(const plugin::DescribeRequest& request) {
  OptionReader reader(request.options, request.defaults);
  const auto options = Family::read(reader, request.vocab, request.context);
  reader.finish();
  const Workload work = workload_of(request);
  return describe_model(reader, Family::count(options, request.vocab), Family::stages(options, work), work,
                        engine_cost_of<Family>(options, work));
}

template <class Family>
std::unique_ptr<Model> create_family(const json::object& given, int64_t vocab, int64_t context) {
  OptionReader reader(given);
  const auto options = Family::read(reader, vocab, context);
  reader.finish();
  return std::make_unique<typename Family::Built>(options, vocab);
}

}  // namespace bitsweep::nn
