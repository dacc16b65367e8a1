#include "engine/softmax_part.h"

#include "kernels/float_ends.h"

namespace bitsweep::engine {

SoftmaxAttentionRows::SoftmaxAttentionRows(const EnginePlan& plan, int64_t rows)
    : query(rows * plan.d_model),
      key(rows * plan.kv_width()),
      value(rows * plan.kv_width()),
      top(rows * plan.heads),
      inverse(rows * plan.heads) {}

// Of scores alone, and whole, though what the causal mask discards is not made (nn/cost.h counts so).
int64_t SoftmaxPart::products(const StepPass& pass) const { return pass.rows() * pass.context * plan_.d_model; }

kernels::FloatHead SoftmaxPart::head_of(const StepPass& pass, const SoftmaxAttentionRows& rows, int64_t sequence,
                                        int64_t head) const {
  const int64_t size = plan_.head_size(), width = plan_.kv_width(), first = sequence * pass.context;
  const int64_t shared = head / (plan_.heads / plan_.shared_heads());
  return {.queries = rows.query.at(first * plan_.d_model + head * size),
          .keys = rows.key.at(first * width + shared * size),
          .values = rows.value.at(first * width + shared * size),
          .query_step = plan_.d_model,
          .key_step = width,
          .context = pass.context,
          .size = size,
          .scale = input_scale(size),
          .slope = plan_.slopes[static_cast<size_t>(head)]};
}

kernels::SoftmaxRows SoftmaxPart::sums_of(const StepPass& pass, const SoftmaxAttentionRows& rows, int64_t sequence,
                                          int64_t head) const {
  const int64_t at = (sequence * plan_.heads + head) * pass.context;
  return {rows.top.at(at), rows.inverse.at(at)};
}

void SoftmaxPart::turn(const StepPass& pass, float* x, int64_t heads, bool back) const {
  if (!plan_.turns) return;
  const int64_t size = plan_.head_size(), of_sequence = pass.context * heads * size;
  in_ranges(workers_, pass.sequences, 1, 2 * pass.sequences * of_sequence, [&](int64_t first, int64_t last) {
    for (; first < last; ++first)
      kernels::turn_rows(x + first * of_sequence, pass.context, heads, size, pass.cosines, pass.sines, back);
  });
}

void SoftmaxPart::forward(const StepPass& pass, const SoftmaxAttentionRows& rows, float* attended) const {
  const Metered metered(meter_, "attention", false, Work::products, 2 * products(pass));
  turn(pass, rows.query.data(), plan_.heads, /*back=*/false);
  turn(pass, rows.key.data(), plan_.shared_heads(), /*back=*/false);
  in_ranges(workers_, pass.sequences * plan_.heads, 1, products(pass) / kFloatProducts,
            [&](int64_t begin, int64_t end) {
              for (int64_t i = begin; i < end; ++i) {
                const int64_t sequence = i / plan_.heads, head = i % plan_.heads;
                const int64_t place = sequence * pass.context * plan_.d_model + head * plan_.head_size();
                kernels::attend_softmax(head_of(pass, rows, sequence, head), sums_of(pass, rows, sequence, head),
                                        attended + place, plan_.d_model);
              }
            });
}

// Threads take what shares keys and values.
void SoftmaxPart::backward(const StepPass& pass, const SoftmaxAttentionRows& rows, const float* attended, float* query,
                           float* key, float* value) const {
  const Metered metered(meter_, "attention", true, Work::products, 4 * products(pass));
  const int64_t groups = plan_.shared_heads(), of_group = plan_.heads / groups, size = plan_.head_size();
  in_ranges(workers_, pass.sequences * groups, 1, 3 * products(pass) / kFloatProducts, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t sequence = i / groups, group = i % groups, first = sequence * pass.context;
      const int64_t of_keys = first * plan_.kv_width() + group * size;
      for (int64_t head = group * of_group; head < (group + 1) * of_group; ++head) {
        const int64_t of_queries = first * plan_.d_model + head * size;
        kernels::attend_softmax_backward(head_of(pass, rows, sequence, head), sums_of(pass, rows, sequence, head),
                                         {.output = attended + of_queries,
                                          .queries = query + of_queries,
                                          .keys = key + of_keys,
                                          .values = value + of_keys,
                                          .add = head > group * of_group});
      }
    }
  });
  turn(pass, query, plan_.heads, /*back=*/true);
  turn(pass, key, plan_.shared_heads(), /*back=*/true);
}

}  // namespace bitsweep::engine
