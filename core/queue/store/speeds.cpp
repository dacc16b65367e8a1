// Training speeds: what plans take their hours from.
#include "store/store.h"

namespace bitsweep::store {

void Store::put_speed(const SpeedRecord& speed) {
  sql("INSERT OR REPLACE INTO speed (spec, device, threads, flops_per_token, tokens_per_s, measured) "
      "VALUES (?, ?, ?, ?, ?, ?)")
      .run(canonical_json(speed.spec), speed.device, speed.threads, speed.flops_per_token, speed.tokens_per_s,
           clock_.unix_s());
}

std::vector<SpeedRecord> Store::speeds() {
  Statement& rows =
      sql("SELECT spec, device, threads, flops_per_token, tokens_per_s FROM speed UNION ALL "
          "SELECT run.spec, attempt.device, attempt.threads, run.flops / run.tokens, run.tokens_per_s "
          "FROM run JOIN attempt ON attempt.run = run.id AND attempt.attempt = run.attempts "
          "WHERE run.state = 'done' AND run.tokens_per_s > 0 AND run.flops > 0 AND run.tokens > 0");
  std::vector<SpeedRecord> speeds;
  while (rows.step()) {
    SpeedRecord speed{.spec = parse_json(rows.text_view(0), "spec").as_object(),
                      .device = std::string(rows.text_view(1)),
                      .threads = rows.integer(2),
                      .flops_per_token = rows.real(3),
                      .tokens_per_s = rows.real(4)};
    speeds.push_back(std::move(speed));
  }
  rows.reset();
  return speeds;
}

}  // namespace bitsweep::store
