#include "query/read_run.h"

#include <charconv>
#include <cstdint>
#include <string>

namespace bitsweep::query {
namespace {

constexpr int kRunColumnCount = 30;

// The column holds an int64; the spec of a run from elsewhere has the seed digit for digit, or none.
void read_seed(const std::string& digits, RunRow& run) {
  if (digits.empty() || digits == std::to_string(run.seed)) return;
  run.seed_digits = digits;
  uint64_t seed = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), seed).ec == std::errc())
    run.seed = static_cast<int64_t>(seed);
}

}  // namespace

json::object object_of(std::string_view text) {
  auto value = try_parse_json(text);
  return value && value->is_object() ? std::move(value->get_object()) : json::object();
}

RunRow read_run(const store::Statement& row, bool with_spec) {
  RunRow r;
  int c = 0;
  const auto text = [&] { return row.text(c++); };
  const auto integer = [&] { return row.integer(c++); };
  const auto real = [&] { return row.optional_real(c++); };
  r.id = text();
  r.sweep = text();
  r.state = run_state_from(text()).value_or(RunState::queued);  // the schema admits no other word
  r.exit_cause = text();
  r.message = text();
  r.plugin = text();
  r.seed = integer();
  r.params = integer();
  r.params_nonembedding = integer();
  r.params_extra = integer();
  r.tokens = integer();
  r.steps = integer();
  r.step = integer();
  r.attempts = integer();
  r.epochs = real();
  r.flops = real();
  r.best_val_bpc = real();
  r.last_val_bpc = real();
  r.wall_s = real();
  r.tokens_per_s = real();
  r.submitted = real();
  r.started = real();
  r.ended = real();
  r.best_step = row.optional_integer(c++);
  r.peak_rss_bytes = row.optional_integer(c++);
  r.dataset = text();
  r.priority = integer();
  r.device = text();
  r.faults = integer();
  read_seed(text(), r);
  r.axes = object_of(row.text_view(kRunColumnCount));
  if (with_spec) r.spec = object_of(row.text_view(kRunColumnCount + 1));
  return r;
}

}  // namespace bitsweep::query
