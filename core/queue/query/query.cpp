#include "query/query.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "base/task_metrics.h"
#include "query/read_run.h"
#include "query/run_sql.h"
#include "store/store.h"

namespace bitsweep::query {
namespace {

// Quotes and wildcards cannot come through: ids are hexadecimal.
bool is_hexadecimal(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// A person's condition on the view `runs` as one on the column that holds a run's id.
std::string condition(store::Database& database, std::string_view id, std::string_view where) {
  if (where.empty()) return "true";
  // On its own first, so that the message is about the person's expression and brackets cannot be unbalanced.
  prepare_for_person(database, fmt::format("SELECT id FROM runs WHERE {}", where));
  return fmt::format("{} IN (SELECT id FROM runs WHERE {}\n)", id, where);
}

void require_reading(const store::Statement& statement) {
  if (!statement.reads_only()) throw Error(ErrorKind::input, "--where: an expression is expected, not a statement");
}

std::vector<double> numbers_of(const json::value* list) {
  std::vector<double> numbers;
  if (list == nullptr || !list->is_array()) return numbers;
  for (const json::value& item : list->get_array())
    if (item.is_number()) numbers.push_back(item.to_number<double>());
  return numbers;
}

std::vector<double> numbers_of(std::string_view text) {
  const auto value = try_parse_json(text);
  return numbers_of(value ? &*value : nullptr);
}

}  // namespace

namespace {

bool asks_tasks(const json::object& spec) {
  const json::value* eval = spec.if_contains("eval");
  return eval != nullptr && eval->is_object() && eval->get_object().contains("tasks");
}

// The texts of a member that is an object, by their names.
std::map<std::string, std::string, std::less<>> texts_of(const json::object& object, const char* member) {
  std::map<std::string, std::string, std::less<>> texts;
  if (const json::value* found = object.if_contains(member); found != nullptr && found->is_object())
    for (const auto& text : found->get_object())
      if (text.value().is_string()) texts[std::string(text.key())] = std::string(text.value().get_string());
  return texts;
}

}  // namespace

struct Query::Impl {
  explicit Impl(const fs::path& root) : store(root, store::StoreMode::read_only) {}
  store::Store store;
  store::Database& database() { return store.database(); }

  std::vector<std::string> column(const char* sql) {
    std::vector<std::string> values;
    store::Statement statement = database().prepare(sql);
    while (statement.step()) values.push_back(statement.text(0));
    return values;
  }
};

Query::Query(const fs::path& root) : impl_(std::make_unique<Impl>(root)) {}
Query::~Query() = default;
Query::Query(Query&&) noexcept = default;
Query& Query::operator=(Query&&) noexcept = default;

const fs::path& Query::root() const { return impl_->store.paths().root; }
int64_t Query::data_version() const { return impl_->store.data_version(); }

std::vector<RunRow> Query::runs(std::string_view sweep, std::string_view where, int64_t most) const {
  store::Database& database = impl_->database();
  // Which ones they are is settled before anything else is read of them.
  const std::string sql =
      sweep.empty()
          ? fmt::format(
                "SELECT {}, run.axes FROM run JOIN sweep AS s ON s.id = run.sweep WHERE {} "
                "ORDER BY run.position DESC LIMIT ?1",
                kRunColumns, condition(database, "run.id", where))
          : fmt::format(
                "SELECT {}, m.axes FROM (SELECT sweep, run FROM sweep_run WHERE sweep = (SELECT id FROM sweep "
                "WHERE name = ?2) AND active AND {} ORDER BY position DESC LIMIT ?1) AS newest "
                "JOIN sweep_run AS m ON m.sweep = newest.sweep AND m.run = newest.run "
                "JOIN run ON run.id = m.run JOIN sweep AS s ON s.id = m.sweep ORDER BY m.position DESC",
                kRunColumns, condition(database, "run", where));
  store::Statement statement = database.prepare(sql);
  require_reading(statement);
  if (sweep.empty())
    statement.bind(most);
  else
    statement.bind(most, sweep);
  std::vector<RunRow> rows;
  while (statement.step()) rows.push_back(read_run(statement, false));
  std::reverse(rows.begin(), rows.end());
  add_metrics(rows, headline_metrics(metric_kinds()));
  return rows;
}

int64_t Query::count_runs(std::string_view sweep, std::string_view where) const {
  store::Database& database = impl_->database();
  store::Statement statement = database.prepare(
      sweep.empty()
          ? fmt::format("SELECT count(*) FROM run WHERE {}", condition(database, "id", where))
          : fmt::format("SELECT count(*) FROM sweep_run WHERE sweep = (SELECT id FROM sweep WHERE name = ?1) AND "
                        "active AND {}",
                        condition(database, "run", where)));
  require_reading(statement);
  if (!sweep.empty()) statement.bind(sweep);
  return statement.step() ? statement.integer(0) : 0;
}

std::vector<RunRow> Query::runs_of(const std::vector<std::string>& sweeps) const {
  store::Statement statement = impl_->database().prepare(
      fmt::format("SELECT {}, m.axes, run.spec FROM sweep_run AS m JOIN run ON run.id = m.run "
                  "JOIN sweep AS s ON s.id = m.sweep WHERE s.name = ?1 AND m.active ORDER BY m.position",
                  kRunColumns));
  std::vector<RunRow> rows;
  for (const std::string& sweep : sweeps) {
    statement.bind(sweep);
    while (statement.step()) {
      const auto same = [id = statement.text_view(0)](const RunRow& row) { return row.id == id; };
      if (std::none_of(rows.begin(), rows.end(), same)) rows.push_back(read_run(statement, true));
    }
  }
  std::vector<std::string> names = headline_metrics(metric_kinds());
  for (size_t i = 0, end = names.size(); i < end; ++i) names.push_back(question_count_of(names[i]));
  add_metrics(rows, names);
  for (RunRow& row : rows)
    if (asks_tasks(row.spec)) row.questions = texts_of(start_facts(row.id), "questions");
  return rows;
}

RunRow Query::run(std::string_view prefix) const {
  store::Database& database = impl_->database();
  store::Statement statement =
      database.prepare(fmt::format("SELECT {}, run.axes, run.spec FROM run JOIN sweep AS s ON s.id = run.sweep WHERE "
                                   "run.id >= ?1 AND run.id < ?1 || 'g' "
                                   "ORDER BY run.id LIMIT 9",
                                   kRunColumns));
  std::vector<RunRow> found;
  if (is_hexadecimal(prefix))
    for (statement.bind(prefix); statement.step();) found.push_back(read_run(statement, true));
  if (found.size() == 1 || (!found.empty() && found[0].id == prefix)) {
    found.resize(1);
    add_metrics(found, headline_metrics(metric_kinds()));
    return std::move(found[0]);
  }
  if (found.empty())
    throw Error(ErrorKind::input, fmt::format("no run '{}'{} (see 'bitsweep runs')", prefix,
                                              did_you_mean(prefix, impl_->column("SELECT id FROM run"))));
  std::string names;
  for (size_t i = 0; i < std::min<size_t>(found.size(), 8); ++i) names += (i > 0 ? ", " : "") + found[i].id;
  throw Error(ErrorKind::input, fmt::format("several runs begin with '{}': {}{}; give more digits", prefix, names,
                                            found.size() > 8 ? ", …" : ""));
}

std::string Query::sweep_name(std::string_view name_or_file) const {
  const std::vector<SweepRow> known = sweeps();
  std::vector<std::string> names;
  for (const SweepRow& sweep : known) {
    if (sweep.name == name_or_file) return sweep.name;
    names.push_back(sweep.name);
  }
  const fs::path asked = fs::absolute(fs::path(name_or_file)).lexically_normal();
  for (const SweepRow& sweep : known)
    if (fs::absolute(sweep.file).lexically_normal() == asked) return sweep.name;
  throw Error(ErrorKind::input,
              fmt::format("no sweep '{}' in '{}'{}", name_or_file, root().string(),
                          names.empty() ? "; nothing has been submitted yet" : did_you_mean(name_or_file, names)));
}

std::vector<SweepRow> Query::sweeps() const {
  store::Statement statement =
      impl_->database().prepare("SELECT name, file, submitted, settings, runs FROM sweeps ORDER BY name");
  std::vector<SweepRow> rows;
  while (statement.step())
    rows.push_back({statement.text(0), statement.text(1), statement.optional_real(2),
                    store::sweep_settings_from(object_of(statement.text_view(3))), statement.integer(4)});
  return rows;
}

std::vector<EvalRow> Query::evals(std::string_view run) const {
  store::Statement statement = impl_->database().prepare(
      "SELECT step, tokens, val_bpc, train_bpc, lr, grad_norm, tokens_per_s FROM evals WHERE run = ?1 ORDER BY step");
  std::vector<EvalRow> rows;
  for (statement.bind(run); statement.step();)
    rows.push_back({statement.integer(0), statement.integer(1), statement.optional_real(2), statement.optional_real(3),
                    statement.optional_real(4), statement.optional_real(5), statement.optional_real(6)});
  return rows;
}

std::vector<MetricRow> Query::metrics(std::string_view run) const {
  store::Statement statement =
      impl_->database().prepare("SELECT step, name, value FROM metrics WHERE run = ?1 ORDER BY step, name");
  std::vector<MetricRow> rows;
  for (statement.bind(run); statement.step();)
    rows.push_back({statement.integer(0), statement.text(1), statement.optional_real(2)});
  return rows;
}

void Query::add_metrics(std::vector<RunRow>& rows, const std::vector<std::string>& names) const {
  store::Statement newest =
      impl_->database().prepare("SELECT value FROM metric WHERE run = ?1 AND name = ?2 ORDER BY step DESC LIMIT 1");
  for (RunRow& row : rows)
    for (const std::string& name : names)
      if (newest.bind(row.id, name).step() && !newest.is_null(0)) row.metrics[name] = newest.real(0);
}

MetricKinds Query::metric_kinds() const { return impl_->store.metric_kinds(); }

std::vector<std::string> Query::metric_names() const {
  return impl_->column("SELECT DISTINCT name FROM metric ORDER BY name");
}

std::vector<AttemptRow> Query::attempts(std::string_view run) const {
  store::Statement s = impl_->database().prepare(
      "SELECT attempt, state, coalesce(exit_cause, ''), coalesce(message, ''), device, exit_code, signal, started, "
      "ended, step, resumed_step, peak_rss_bytes FROM attempt WHERE run = ?1 ORDER BY attempt");
  std::vector<AttemptRow> rows;
  for (s.bind(run); s.step();)
    rows.push_back({s.integer(0), s.text(1), s.text(2), s.text(3), s.text(4), s.optional_integer(5),
                    s.optional_integer(6), s.optional_real(7), s.optional_real(8), s.integer(9), s.optional_integer(10),
                    s.optional_integer(11)});
  return rows;
}

WindowLosses Query::window_losses(std::string_view run) const {
  store::Statement statement = impl_->database().prepare(
      "SELECT fields FROM events WHERE run = ?1 AND event = 'eval' ORDER BY attempt DESC, seq DESC LIMIT 1");
  statement.bind(run);
  if (!statement.step()) return {};
  const json::object fields = object_of(statement.text_view(0));
  WindowLosses losses;
  if (const double error = number_or(fields, "val_bpc_se", -1); error >= 0) losses.standard_error = error;
  losses.blocks = numbers_of(fields.if_contains("window_bpc"));
  return losses;
}

json::object Query::start_facts(std::string_view run) const {
  store::Statement statement = impl_->database().prepare(
      "SELECT fields FROM events WHERE run = ?1 AND event = 'start' ORDER BY attempt DESC, seq DESC LIMIT 1");
  statement.bind(run);
  return statement.step() ? object_of(statement.text_view(0)) : json::object();
}

std::vector<CodeBuild> Query::builds(std::string_view run) const {
  store::Statement s = impl_->database().prepare(
      "SELECT coalesce(json_extract(event.fields, '$.plugin_build'), ''), coalesce(json_extract(event.fields, "
      "'$.nn_build'), ''), attempt.resumed_step IS NOT NULL FROM event JOIN attempt ON attempt.run = event.run AND "
      "attempt.attempt = event.attempt WHERE event.run = ?1 AND event.event = 'start' ORDER BY event.attempt DESC, "
      "event.seq DESC");
  std::vector<CodeBuild> builds;
  for (s.bind(run); s.step();) {
    builds.push_back({s.text(0), s.text(1)});
    if (s.integer(2) == 0) break;  // it began at step 0
  }
  return builds;
}

std::optional<PointerHealth> Query::pointer_health(std::string_view run) const {
  store::Statement s = impl_->database().prepare(
      "SELECT step, name, value, (SELECT json_extract(spec, '$.data.context') FROM run WHERE id = ?1) FROM metric "
      "WHERE run = ?1 AND value IS NOT NULL AND step = (SELECT max(step) FROM metric WHERE run = ?1 AND name = "
      "'ipmr_chance')");
  int64_t step = 0, context = 0;
  std::vector<std::pair<std::string, double>> metrics;
  for (s.bind(run); s.step();) {
    step = s.integer(0);
    metrics.emplace_back(s.text(1), s.real(2));
    context = s.integer(3);
  }
  return bitsweep::query::pointer_health(step, metrics, context);
}

std::vector<DatasetRow> Query::datasets() const {
  store::Statement s = impl_->database().prepare(
      "SELECT id, name, tokenizer, sha256, val_sha256, bytes, train_tokens, val_tokens, unknown_bytes, ngram_bpb, "
      "entropy_bpb FROM datasets ORDER BY name, id");
  std::vector<DatasetRow> rows;
  while (s.step())
    rows.push_back({s.text(0),
                    s.text(1),
                    s.text(2),
                    s.text(3),
                    s.text(4),
                    s.integer(5),
                    s.integer(6),
                    s.integer(7),
                    s.integer(8),
                    numbers_of(s.text_view(9)),
                    s.optional_real(10),
                    {}});
  store::Statement y = impl_->database().prepare(
      "SELECT dataset, context, windows, bytes, ngram_bpb FROM yardsticks ORDER BY dataset, context, windows");
  while (y.step())
    for (DatasetRow& row : rows)
      if (row.id == y.text_view(0))
        row.yardsticks.push_back({y.integer(1), y.integer(2), y.integer(3), numbers_of(y.text_view(4))});
  return rows;
}

std::vector<PredictionRow> Query::predictions(const std::vector<std::string>& sweeps) const {
  store::Statement s = impl_->database().prepare(
      "SELECT id, fit, coalesce(run, ''), law, coalesce(maker, ''), coalesce(version, ''), coalesce(data, ''), "
      "coalesce(variant, ''), coalesce(state, ''), coalesce(exit_cause, ''), made, params, tokens, loss, lower, upper, "
      "level, extrapolation, measured FROM predictions WHERE ?1 IS NULL OR run IS NULL OR run IN (SELECT run FROM "
      "sweep_runs WHERE sweep IN (SELECT value FROM json_each(?1))) ORDER BY made, id");
  const json::array names(sweeps.begin(), sweeps.end());
  s.bind(sweeps.empty() ? std::nullopt : std::optional(json::serialize(names)));
  std::vector<PredictionRow> rows;
  while (s.step()) {
    PredictionRow& row = rows.emplace_back();
    row.id = s.integer(0);
    row.fit = s.optional_integer(1);
    row.run = s.text(2);
    row.law = s.text(3);
    row.maker = s.text(4);
    row.version = s.text(5);
    row.data = s.text(6);
    row.variant = s.text(7);
    row.state = s.text(8);
    row.exit_cause = s.text(9);
    row.made = s.real(10);
    row.params = s.real(11);
    row.tokens = s.real(12);
    row.loss = s.real(13);
    row.lower = s.optional_real(14);
    row.upper = s.optional_real(15);
    row.level = s.real(16);
    row.extrapolation = s.optional_real(17);
    row.measured = s.optional_real(18);
  }
  return rows;
}

SqlResult Query::sql(std::string_view statement, const SqlLimits& limits) const {
  return run_sql(impl_->database(), statement, limits);
}

}  // namespace bitsweep::query
