#include "model.h"

#include <map>

namespace bitsweep {
namespace {

// "layers.3.ffn.up.weight" -> "layers.3"; "head.weight" -> "head"
std::string layer_of(const std::string& name) {
  const size_t first = name.find('.');
  if (name.compare(0, first, "layers") != 0) return name.substr(0, first);
  return name.substr(0, name.find('.', first + 1));
}

}  // namespace

Truebit::Truebit(const TruebitOptions& options, int64_t vocab) : StrictStack(options, vocab), flip_(options.flip) {
  for (const nn::BitMatrix& matrix : bit_matrices()) {
    rules_.emplace_back(nn::ParameterSink(*this, matrix.name), matrix, flip_);
  }
}

void Truebit::update(const nn::StepContext& context) {
  for (nn::FlipRule& rule : rules_) rule.update(context.progress(), context.noise);
}

std::vector<nn::Metric> Truebit::metrics() {
  struct Sum {
    double flips = 0, weights = 0;
  };
  std::map<std::string, Sum> layers;
  Sum all;
  double bytes = 0;
  for (size_t i = 0; i < rules_.size(); ++i) {
    const double weights = static_cast<double>(rules_[i].weights()), flips = rules_[i].take_flip_fraction() * weights;
    for (Sum* sum : {&layers[layer_of(rules_[i].name())], &all}) {
      sum->flips += flips;
      sum->weights += weights;
    }
    const nn::FlipBytes need = flip_bytes(flip_, bit_matrices()[i].rows, bit_matrices()[i].columns);
    bytes += static_cast<double>(need.bits + need.state);
  }
  std::vector<nn::Metric> metrics{{"flip_fraction", all.flips / all.weights},
                                  {"state_bytes_per_weight", bytes / all.weights}};
  for (const auto& [layer, sum] : layers) metrics.push_back({"flip_fraction." + layer, sum.flips / sum.weights});
  return metrics;
}

std::vector<MetricKind> Truebit::metric_kinds() const {
  return known_metric_kinds({"flip_fraction", "state_bytes_per_weight"});
}

}  // namespace bitsweep
