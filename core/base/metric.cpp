#include "base/metric.h"

#include <algorithm>
#include <cmath>

namespace bitsweep {

const std::vector<Metric>& metrics() {
  static const std::vector<Metric> kMetrics = {
      {"val_bpc",
       {"val_bpb", "valid_bpc", "eval_bpc", "bpc", "bpb", "valid_bpb", "eval_bpb", "validation_bpb", "validation_bpc",
        "val_bits_per_byte", "bits_per_byte", "test_bpb"},
       "bits per byte",
       Better::lower,
       "validation loss"},
      {"train_bpc", {"train_bpb"}, "bits per byte", Better::lower, "training loss"},
      {"val_loss",
       {"valid_loss", "validation_loss", "eval_loss", "loss_val", "test_loss", "val_ce", "tel"},
       "nats a token",
       Better::lower,
       "validation loss"},
      {"tokens",
       {"tokens_seen", "n_tokens", "num_tokens", "consumed_tokens", "num_input_tokens_seen"},
       "tokens",
       Better::neither,
       "tokens seen"},
      {"lr", {"learning_rate"}, "", Better::neither, "learning rate"},
      {"grad_norm", {"gnorm", "gradient_norm"}, "", Better::neither, "norm of the gradient before clipping"},
      {"tokens_per_s",
       {"tok_per_s", "tok_s", "tokens_per_sec", "tokens_per_second"},
       "tokens/s",
       Better::higher,
       "speed"},
      {"elapsed_s",
       {"elapsed", "wall_s", "_runtime", "train_time_s", "training_time_s", "elapsed_time_s"},
       "s",
       Better::lower,
       "training time"},
  };
  return kMetrics;
}

const Metric* find_metric(std::string_view name) {
  const auto found =
      std::find_if(metrics().begin(), metrics().end(), [&](const Metric& metric) { return metric.name == name; });
  return found == metrics().end() ? nullptr : &*found;
}

double bytes_per_token(double nats_per_token, double bits_per_byte) {
  return nats_per_token / (std::log(2.0) * bits_per_byte);
}

}  // namespace bitsweep
