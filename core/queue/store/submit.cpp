// Submission: what a sweep file's new version adds, keeps, replaces and drops.
#include <set>

#include <fmt/format.h>

#include "base/error.h"
#include "store/store.h"

namespace bitsweep::store {
namespace {

// The place in the design: axes and seed. Two versions of a sweep are compared place by place.
std::string point_of(const NewRun& run) { return canonical_json(json::object{{"axes", run.axes}, {"seed", run.seed}}); }

std::optional<std::string> text_or_null(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return text;
}

void check(const NewSweep& sweep) {
  if (sweep.name.empty()) throw Error(ErrorKind::input, "a sweep needs a name");
  std::set<std::string> seen;
  for (const NewRun& run : sweep.runs) {
    if (run.id.empty()) throw Error(ErrorKind::input, fmt::format("sweep '{}': a run without an id", sweep.name));
    if (!seen.insert(run.id).second)
      throw Error(ErrorKind::input, fmt::format("sweep '{}': run {} is there twice", sweep.name, run.id));
  }
}

}  // namespace

std::map<std::string, std::string> Store::previous_version(std::string_view sweep) {
  Statement& row = sql("SELECT run, point FROM sweep_run JOIN sweep ON sweep.id = sweep_run.sweep "
                       "WHERE sweep.name = ? AND active")
                       .bind(sweep);
  std::map<std::string, std::string> runs;
  while (row.step()) runs.emplace(row.text(0), row.text(1));
  return runs;
}

SubmitResult Store::compare_with(const std::map<std::string, std::string>& before, const NewSweep& sweep) {
  SubmitResult result;
  std::set<std::string> now;
  for (const NewRun& run : sweep.runs) now.insert(run.id);
  std::map<std::string, std::string> vacated;  // point -> id of the run that left it
  for (const auto& [id, point] : before)
    if (!now.contains(id)) vacated.emplace(point, id);
  for (const NewRun& run : sweep.runs) {
    if (state(run.id) == RunState::done) ++result.done;
    const auto place = vacated.find(point_of(run));
    if (before.contains(run.id)) {
      result.already.push_back(run.id);
    } else if (place != vacated.end()) {
      result.changed.push_back({place->second, run.id});
      vacated.erase(place);
    } else {
      result.added.push_back(run.id);
    }
  }
  for (const auto& [point, id] : vacated) result.gone.push_back(id);
  for (const NewRun& run : sweep.runs)
    if (auto renewed = renewal_of(run)) result.renewed.push_back(*std::move(renewed));
  return result;
}

std::optional<SubmitResult::Renewed> Store::renewal_of(const NewRun& run) {
  const std::string submitted = json::serialize(run.spec);
  Statement& row = sql("SELECT spec, state FROM run WHERE id = ? AND NOT imported").bind(run.id);
  if (!row.step()) return std::nullopt;
  const std::string known = row.text(0);
  const RunState state = run_state_from(row.text_view(1)).value();
  row.reset();
  const auto before = known == submitted ? std::nullopt : try_parse_json(known);
  if (!before || !before->is_object()) return std::nullopt;
  spec::Renewal change = spec::renewed_spec(before->get_object(), run.spec, state == RunState::done);
  std::erase_if(change.tasks, [&](const std::string& task) { return was_asked(run.id, task); });
  if (change.taken.empty() && change.tasks.empty() && change.changed_tasks.empty() && change.texts.empty())
    return std::nullopt;
  return SubmitResult::Renewed{run.id, state, std::move(change)};
}

// `bitsweep ask` may have put a task that the spec has not.
bool Store::was_asked(const std::string& run, const std::string& task) {
  Statement& row =
      sql("SELECT 1 FROM metric WHERE run = ?1 AND substr(name, 1, length(?2)) = ?2 LIMIT 1").bind(run, task + ".");
  const bool found = row.step();
  row.reset();
  return found;
}

// A worker has read the spec of a live run.
void Store::renew(const SubmitResult::Renewed& renewed) {
  if (renewed.change.taken.empty() || is_live(renewed.state)) return;
  sql("UPDATE run SET spec = ?2 WHERE id = ?1").run(renewed.run, json::serialize(renewed.change.spec));
}

SubmitResult Store::compare(const NewSweep& sweep) {
  check(sweep);
  return compare_with(previous_version(sweep.name), sweep);
}

SubmitResult Store::submit(const NewSweep& sweep) {
  check(sweep);
  Transaction transaction(database_);
  const auto before = previous_version(sweep.name);
  const SubmitResult result = compare_with(before, sweep);
  const std::string settings = canonical_json(sweep.settings);
  const bool same_runs = result.added.empty() && result.changed.empty() && result.gone.empty();
  sql("INSERT INTO sweep (name, file, source, settings, submitted) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (name) DO "
      "UPDATE SET file = ?2, source = ?3, settings = ?4, submitted = ?5, version = version + 1 "
      "WHERE source <> ?3 OR settings <> ?4 OR ?6")
      .run(sweep.name, sweep.file, sweep.source, settings, clock_.unix_s(), !same_runs);
  Statement& row = sql("SELECT id FROM sweep WHERE name = ?").bind(sweep.name);
  row.step();
  const int64_t id = row.integer(0);
  row.reset();
  int64_t order = 0;
  for (const NewRun& run : sweep.runs) put_run(run, id, ++order);
  for (const SubmitResult::Renewed& renewed : result.renewed) renew(renewed);
  for (const std::string& gone : result.gone) withdraw(gone, id);
  for (const auto& changed : result.changed) withdraw(changed.before, id);
  transaction.commit();
  return result;
}

void Store::put_run(const NewRun& run, int64_t sweep, int64_t order) {
  const RunResources& wants = run.resources;
  const std::string axes = canonical_json(run.axes);
  // A run that is known keeps everything but what may change while it waits.
  sql("INSERT INTO run (id, position, sweep, spec, axes, plugin, seed, params, params_extra, params_nonembedding, "
      "tokens, steps, flops, epochs, dataset, init_from, device, slots, threads, memory_bytes, timeout_s, retries, "
      "priority, submitted) VALUES (?1, (SELECT coalesce(max(position), 0) + 1 FROM run), ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
      "?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23) ON CONFLICT (id) DO UPDATE SET device "
      "= ?16, slots = ?17, threads = ?18, memory_bytes = ?19, timeout_s = ?20, retries = ?21, priority = ?22 WHERE "
      "state = 'queued'")
      .run(run.id, sweep, json::serialize(run.spec), axes, run.plugin, run.seed, run.params, run.params_extra,
           run.params_nonembedding, run.tokens, run.steps, run.flops, run.epochs, text_or_null(run.dataset),
           text_or_null(run.init_from), wants.device, wants.slots, wants.threads, wants.memory_bytes, wants.timeout_s,
           run.retries, run.priority, clock_.unix_s());
  sql("INSERT INTO sweep_run (sweep, run, position, axes, point) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (sweep, run) "
      "DO UPDATE SET position = ?3, axes = ?4, point = ?5, active = 1")
      .run(sweep, run.id, order, axes, point_of(run));
  // It left a sweep while it waited, and comes back.
  sql("UPDATE run SET state = 'queued', exit_cause = NULL, ended = NULL, sweep = ?2 "
      "WHERE id = ?1 AND state = 'cancelled' AND exit_cause = 'withdrawn'")
      .run(run.id, sweep);
}

void Store::withdraw(const std::string& run, int64_t sweep) {
  sql("UPDATE sweep_run SET active = 0 WHERE sweep = ? AND run = ?").run(sweep, run);
  sql("UPDATE run SET sweep = coalesce((SELECT min(sweep) FROM sweep_run WHERE run = ?1 AND active), sweep) WHERE id = "
      "?1")
      .run(run);
  sql("UPDATE run SET state = 'cancelled', exit_cause = 'withdrawn', ended = ?2 WHERE id = ?1 AND state = 'queued' "
      "AND NOT EXISTS (SELECT 1 FROM sweep_run WHERE run = ?1 AND active)")
      .run(run, clock_.unix_s());
}

void Store::put_dataset(const DatasetRecord& d) {
  sql("INSERT INTO dataset (id, name, tokenizer, sha256, val_sha256, bytes, train_tokens, val_tokens, unknown_bytes, "
      "ngram_bpb, entropy_bpb) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (id) DO UPDATE SET "
      "name = ?2, tokenizer = ?3, sha256 = ?4, val_sha256 = ?5, bytes = ?6, train_tokens = ?7, val_tokens = ?8, "
      "unknown_bytes = ?9, ngram_bpb = ?10, entropy_bpb = ?11")
      .run(d.id, d.name, d.tokenizer, d.sha256, d.val_sha256, d.bytes, d.train_tokens, d.val_tokens, d.unknown_bytes,
           json::serialize(d.ngram_bpb), d.entropy_bpb);
}

void Store::put_yardsticks(std::string_view dataset, const YardstickRecord& y) {
  sql("INSERT INTO yardstick (dataset, context, windows, bytes, ngram_bpb) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT "
      "(dataset, context, windows) DO UPDATE SET bytes = ?4, ngram_bpb = ?5")
      .run(dataset, y.context, y.windows, y.bytes, json::serialize(y.ngram_bpb));
}

bool Store::has_yardsticks(std::string_view dataset, int64_t context, int64_t windows) {
  Statement& row =
      sql("SELECT 1 FROM yardstick WHERE dataset = ? AND context = ? AND windows = ?").bind(dataset, context, windows);
  const bool found = row.step();
  row.reset();
  return found;
}

std::optional<DatasetRecord> Store::dataset(std::string_view id) {
  Statement& row =
      sql("SELECT id, name, tokenizer, sha256, val_sha256, bytes, train_tokens, val_tokens, unknown_bytes, ngram_bpb, "
          "entropy_bpb FROM dataset WHERE id = ?")
          .bind(id);
  if (!row.step()) return std::nullopt;
  DatasetRecord d{.id = row.text(0),
                  .name = row.text(1),
                  .tokenizer = row.text(2),
                  .sha256 = row.text(3),
                  .bytes = row.integer(5),
                  .train_tokens = row.integer(6),
                  .val_tokens = row.integer(7),
                  .val_sha256 = row.text(4),
                  .unknown_bytes = row.integer(8),
                  .ngram_bpb = {},
                  .entropy_bpb = row.optional_real(10)};
  if (auto list = try_parse_json(row.text_view(9)); list && list->is_array()) d.ngram_bpb = list->get_array();
  row.reset();
  return d;
}

}  // namespace bitsweep::store
