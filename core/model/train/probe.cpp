#include "train/probe.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "base/rng.h"
#include "train/evaluate.h"

namespace bitsweep::train {
namespace {

constexpr int64_t kPlacesAtOnce = 65536;  // windows · T² of a forward pass: less than training holds

class Watch final : public nn::AttentionObserver {
 public:
  explicit Watch(AttentionTally& tally) : tally_(tally) {}
  void attention(const at::Tensor& weights) override { tally_.layer(weights); }

 private:
  AttentionTally& tally_;
};

// nats [T], each the mean of its place.
double in_context_bits(const at::Tensor& nats) {
  const int64_t context = nats.size(0), tenth = std::max<int64_t>(1, context / 10);
  if (context < 2) return std::numeric_limits<double>::quiet_NaN();
  const auto mean_from = [&](int64_t first) { return nats.narrow(0, first, tenth).mean().item<double>(); };
  return (mean_from(context - tenth) - mean_from(context < 20 ? 0 : tenth)) / std::numbers::ln2;
}

struct Summary {
  double ipmr_mean = 0, ipmr_max = 0, induction_max = 0, hdr = 0;
  int64_t heads = 0, specialist = 0, locked = 0, content = 0;
  std::string top;  // the head with the highest IPMR
};

bool is_specialist(const TextProbe& text, const HeadScores& head) {
  return bitsweep::is_specialist(head.ipmr, text.ipmr_chance, static_cast<double>(text.queries));
}

Summary summary_of(const TextProbe& text) {
  Summary sum;
  for (size_t layer = 0; layer < text.layers.size(); ++layer) {
    const std::vector<HeadScores>& heads = text.layers[layer].heads;
    sum.hdr += text.layers[layer].hdr / static_cast<double>(text.layers.size());
    for (size_t h = 0; h < heads.size(); ++h) {
      if (sum.heads++ == 0 || heads[h].ipmr > sum.ipmr_max) sum.top = head_name(layer, h);
      sum.ipmr_max = std::max(sum.ipmr_max, heads[h].ipmr);
      sum.ipmr_mean += heads[h].ipmr;
      sum.induction_max = std::max(sum.induction_max, heads[h].induction);
      sum.specialist += is_specialist(text, heads[h]) ? 1 : 0;
      sum.locked += heads[h].locked() ? 1 : 0;
      sum.content += heads[h].content_driven() ? 1 : 0;
    }
  }
  sum.ipmr_mean /= static_cast<double>(std::max<int64_t>(1, sum.heads));
  return sum;
}

void add_text_metrics(const TextProbe& text, const std::string& prefix, std::vector<nn::Metric>& out) {
  const auto add = [&](const std::string& name, double value) { out.push_back({prefix + name, value}); };
  add("in_context_bits", text.in_context_bits);
  if (text.layers.empty()) return;
  const Summary sum = summary_of(text);
  add("ipmr_queries", static_cast<double>(text.queries));
  add("ipmr_chance", text.ipmr_chance);
  add("ipmr_mean", sum.ipmr_mean);
  add("ipmr_max", sum.ipmr_max);
  add("induction_chance", text.induction_chance);
  add("induction_max", sum.induction_max);
  add("hdr", sum.hdr);
  add("specialist_heads", static_cast<double>(sum.specialist));
  if (text.windows > 1) {
    add("locked_heads", static_cast<double>(sum.locked));
    add("content_heads", static_cast<double>(sum.content));
  }
  for (size_t layer = 0; layer < text.layers.size(); ++layer) {
    add(fmt::format("hdr.L{}", layer), text.layers[layer].hdr);
    for (size_t h = 0; h < text.layers[layer].heads.size(); ++h) {
      const HeadScores& head = text.layers[layer].heads[h];
      const std::string name = head_name(layer, h);
      add("ipmr." + name, head.ipmr);
      add("induction." + name, head.induction);
      add("agreement." + name, head.agreement);
    }
  }
}

json::array matrix_of(const TextProbe& text, double HeadScores::*score) {
  json::array rows;
  for (const LayerScores& layer : text.layers) {
    json::array row;
    for (const HeadScores& head : layer.heads) row.push_back(finite_or_null(head.*score));
    rows.push_back(std::move(row));
  }
  return rows;
}

json::array specialists_of(const TextProbe& text) {
  json::array out;
  for (size_t layer = 0; layer < text.layers.size(); ++layer)
    for (size_t h = 0; h < text.layers[layer].heads.size(); ++h)
      if (is_specialist(text, text.layers[layer].heads[h])) out.emplace_back(head_name(layer, h));
  return out;
}

json::object text_json(const TextProbe& text) {
  const Summary sum = summary_of(text);
  json::array hdr;
  for (const LayerScores& layer : text.layers) hdr.push_back(finite_or_null(layer.hdr));
  return {{"windows", text.windows},
          {"queries", text.queries},
          {"ipmr_chance", finite_or_null(text.ipmr_chance)},
          {"induction_chance", finite_or_null(text.induction_chance)},
          {"in_context_bits", finite_or_null(text.in_context_bits)},
          {"ipmr", matrix_of(text, &HeadScores::ipmr)},
          {"induction", matrix_of(text, &HeadScores::induction)},
          {"agreement", matrix_of(text, &HeadScores::agreement)},
          {"hdr", std::move(hdr)},
          {"specialists", specialists_of(text)},
          {"top_head", sum.top},
          {"locked_heads", sum.locked},
          {"content_heads", sum.content}};
}

}  // namespace

at::Tensor repeated_windows(const at::Tensor& windows) {
  const int64_t count = windows.size(0), length = windows.size(1), half = std::max<int64_t>(1, length / 2);
  const at::Tensor alphabet = std::get<0>(at::_unique(windows.contiguous(), /*sorted=*/true));
  at::Tensor drawn = at::empty({count, length}, at::kLong);  // places in the alphabet
  int64_t* to = drawn.mutable_data_ptr<int64_t>();
  for (int64_t w = 0; w < count; ++w) {
    for (int64_t t = 0; t < length; ++t) {
      const auto index = static_cast<uint64_t>(w * half + t % half);
      *to++ = static_cast<int64_t>(
          random_below(0, static_cast<uint64_t>(Stream::probe), index, static_cast<uint64_t>(alphabet.size(0))));
    }
  }
  return alphabet.index_select(0, drawn.flatten()).view({count, length});
}

TextProbe probe_windows(nn::Model& model, const at::Tensor& windows, const nn::StepContext& context, c10::Device device,
                        Precision precision) {
  const at::NoGradGuard no_grad;
  const int64_t count = windows.size(0), tokens = windows.size(1) - 1;
  const int64_t at_once = std::clamp<int64_t>(kPlacesAtOnce / (tokens * tokens), 1, std::max<int64_t>(1, count));
  AttentionTally tally;
  Watch watch(tally);
  nn::StepContext watched = context;
  watched.training = false;
  watched.observer = &watch;
  at::Tensor nats = at::zeros({tokens}, at::TensorOptions(device).dtype(at::kDouble));
  for (int64_t first = 0; first < count; first += at_once) {
    const int64_t n = std::min(at_once, count - first);
    const TokenBatch batch = to_device(windows.narrow(0, first, n).contiguous(), device);
    tally.begin(batch.inputs);
    nats += token_nats(model, batch, watched, precision, /*mean=*/false).view({n, tokens}).sum(0, false, at::kDouble);
  }
  return {.windows = count,
          .queries = tally.queries(),
          .ipmr_chance = tally.ipmr_chance(),
          .induction_chance = tally.induction_chance(),
          .in_context_bits = in_context_bits(nats.cpu().div_(static_cast<double>(std::max<int64_t>(1, count)))),
          .layers = tally.layers()};
}

Probe probe_model(nn::Model& model, const data::ValidationWindows& windows, int64_t window_tokens,
                  const nn::StepContext& context, c10::Device device, Precision precision) {
  const at::Tensor natural = window_buffer(windows.count(), window_tokens, at::kCPU, windows.width());
  windows.fill(0, windows.count(), tokens_of(natural));
  return {.natural = probe_windows(model, natural, context, device, precision),
          .repeated = probe_windows(model, repeated_windows(natural), context, device, precision)};
}

std::vector<nn::Metric> metrics_of(const Probe& probe) {
  std::vector<nn::Metric> out{{"probe_windows", static_cast<double>(probe.natural.windows)}};
  add_text_metrics(probe.natural, "", out);
  add_text_metrics(probe.repeated, "repeat_", out);
  std::erase_if(out, [](const nn::Metric& metric) { return !std::isfinite(metric.value); });
  return out;
}

json::object pointer_health_json(const Probe& probe, const std::string& run, int64_t step) {
  return {{"format", "bitsweep.pointer_health.1"},
          {"run", run},
          {"step", step},
          {"specialist_margin", kSpecialistMargin},
          {"natural", text_json(probe.natural)},
          {"repeated", text_json(probe.repeated)}};
}

std::string pointer_health_file(int64_t step) { return fmt::format("step-{}_pointer_health.json", step); }

}  // namespace bitsweep::train
