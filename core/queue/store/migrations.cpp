// What every version of the schema has added, oldest first. A version that was released is never changed.
#include <array>

#include "store/schema.h"

namespace bitsweep::store {
namespace {

// Version 1. Times are unix seconds; *_s seconds; *_bytes bytes; JSON is text. A number that was not finite is null.
constexpr const char* kFirst = R"sql(
CREATE TABLE sweep (
  id         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE,
  file       TEXT NOT NULL,
  source     TEXT NOT NULL,                -- text of the latest version
  settings   TEXT NOT NULL,                -- {"stop_after", "stop_rule", "report"}
  version    INTEGER NOT NULL DEFAULT 1,   -- counts changed submissions
  submitted  REAL NOT NULL                 -- of the latest version
) STRICT;

CREATE TABLE dataset (
  id             TEXT PRIMARY KEY,         -- SHA-256 over corpus, tokenizer and split
  name           TEXT NOT NULL,
  tokenizer      TEXT NOT NULL,
  sha256         TEXT NOT NULL,            -- content of the corpus
  val_sha256     TEXT NOT NULL,
  bytes          INTEGER NOT NULL,
  train_tokens   INTEGER NOT NULL,
  val_tokens     INTEGER NOT NULL,
  unknown_bytes  INTEGER NOT NULL,         -- outside the tokenizer's vocabulary
  ngram_bpb      TEXT NOT NULL,            -- [order 0, 1, 2, 3] bits per byte of the validation set
  entropy_bpb    REAL                      -- of the source, where it is known
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
  id            TEXT PRIMARY KEY,
  position      INTEGER NOT NULL UNIQUE,   -- order of submission
  sweep         INTEGER NOT NULL REFERENCES sweep (id),  -- the first one that holds it
  state         TEXT NOT NULL DEFAULT 'queued'
                CHECK (state IN ('queued', 'starting', 'running', 'done', 'failed', 'stopped', 'cancelled')),
  exit_cause    TEXT,                      -- of the last attempt that ended
  message       TEXT,
  spec          TEXT NOT NULL,
  axes          TEXT NOT NULL,             -- in its first sweep; sweep_run has each sweep's own
  plugin        TEXT NOT NULL,
  seed          INTEGER NOT NULL,
  params        INTEGER NOT NULL,
  params_extra  INTEGER NOT NULL,
  params_nonembedding INTEGER NOT NULL,
  tokens        INTEGER NOT NULL,          -- planned
  steps         INTEGER NOT NULL,          -- planned
  flops         REAL,
  epochs        REAL,
  dataset       TEXT,                      -- dataset.id; that row may come later
  init_from     TEXT,                      -- id of the run it starts from
  device        TEXT NOT NULL,             -- asked for: any | cpu | cuda | cuda:N
  slots         INTEGER NOT NULL,
  threads       INTEGER NOT NULL,          -- 0: the slot's share
  memory_bytes  INTEGER NOT NULL,          -- 0: unknown
  timeout_s     REAL NOT NULL,             -- 0: none
  retries       INTEGER NOT NULL,
  priority      INTEGER NOT NULL,
  paused        INTEGER NOT NULL DEFAULT 0,
  request       TEXT,                      -- 'cancel' while a live run is asked to give up
  not_before    REAL NOT NULL DEFAULT 0,   -- back-off
  faults        INTEGER NOT NULL DEFAULT 0,  -- attempts that count against retries
  attempts      INTEGER NOT NULL DEFAULT 0,
  step          INTEGER NOT NULL DEFAULT 0,  -- reached
  best_val_bpc  REAL,
  best_step     INTEGER,
  last_val_bpc  REAL,
  tokens_per_s  REAL,
  wall_s        REAL,                      -- training time of all attempts
  peak_rss_bytes INTEGER,
  submitted     REAL NOT NULL,
  started       REAL,                      -- first attempt
  ended         REAL                       -- when it became terminal
) STRICT, WITHOUT ROWID;
CREATE INDEX run_by_state ON run (state, priority DESC, position);

CREATE TABLE sweep_run (
  sweep     INTEGER NOT NULL REFERENCES sweep (id),
  run       TEXT NOT NULL REFERENCES run (id),
  position  INTEGER NOT NULL,              -- in the file's order
  axes      TEXT NOT NULL,
  point     TEXT NOT NULL,                 -- canonical axes and seed: the place in the design
  active    INTEGER NOT NULL DEFAULT 1,    -- 0: an earlier version held it
  PRIMARY KEY (sweep, run)
) STRICT, WITHOUT ROWID;
CREATE INDEX sweep_run_by_run ON sweep_run (run);

CREATE TABLE attempt (
  run            TEXT NOT NULL REFERENCES run (id),
  attempt        INTEGER NOT NULL,
  state          TEXT NOT NULL
                 CHECK (state IN ('starting', 'running', 'done', 'failed', 'stopped', 'cancelled')),
  exit_cause     TEXT,
  message        TEXT,
  exit_code      INTEGER,
  signal         INTEGER,
  device         TEXT NOT NULL,
  slots          INTEGER NOT NULL,
  threads        INTEGER NOT NULL,
  pid            INTEGER,
  started        REAL NOT NULL,
  ended          REAL,
  step           INTEGER NOT NULL DEFAULT 0,
  resumed_step   INTEGER,                  -- where it took up an earlier attempt
  elapsed_s      REAL,                     -- training time
  peak_rss_bytes INTEGER,
  events_offset  INTEGER NOT NULL DEFAULT 0,  -- bytes of events.jsonl that are in this database
  events_file    INTEGER NOT NULL DEFAULT 0,  -- inode of that file
  PRIMARY KEY (run, attempt)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_live ON attempt (state) WHERE state IN ('starting', 'running');

CREATE TABLE event (
  run      TEXT NOT NULL REFERENCES run (id),
  attempt  INTEGER NOT NULL,
  seq      INTEGER NOT NULL,
  event    TEXT NOT NULL,
  step     INTEGER NOT NULL,
  time     REAL NOT NULL,
  fields   TEXT NOT NULL,                  -- everything else, JSON
  PRIMARY KEY (run, attempt, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE eval (
  run           TEXT NOT NULL REFERENCES run (id),
  step          INTEGER NOT NULL,
  attempt       INTEGER NOT NULL,          -- the latest one that reached the step
  tokens        INTEGER,
  val_bpc       REAL,
  train_bpc     REAL,
  lr            REAL,
  grad_norm     REAL,
  tokens_per_s  REAL,
  elapsed_s     REAL,
  peak_rss_bytes INTEGER,
  finite        INTEGER NOT NULL,          -- 0: a loss was not finite
  PRIMARY KEY (run, step)
) STRICT, WITHOUT ROWID;
CREATE INDEX eval_by_loss ON eval (run, val_bpc, step);

CREATE TABLE metric (                      -- numbers of eval events that have no column of their own
  run      TEXT NOT NULL REFERENCES run (id),
  name     TEXT NOT NULL,
  step     INTEGER NOT NULL,
  attempt  INTEGER NOT NULL,
  value    REAL,
  finite   INTEGER NOT NULL,
  PRIMARY KEY (run, name, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE fit (
  id        INTEGER PRIMARY KEY,
  sweep     TEXT NOT NULL,
  law       TEXT NOT NULL,
  made      REAL NOT NULL,
  settings  TEXT NOT NULL,
  result    TEXT NOT NULL
) STRICT;

CREATE TABLE prediction (
  id      INTEGER PRIMARY KEY,
  fit     INTEGER REFERENCES fit (id),
  run     TEXT,                            -- the run it is about, made before that one began
  law     TEXT NOT NULL,
  made    REAL NOT NULL,
  params  REAL NOT NULL,
  tokens  REAL NOT NULL,
  loss    REAL NOT NULL,
  lower   REAL,
  upper   REAL,
  level   REAL NOT NULL
) STRICT;
CREATE INDEX prediction_by_run ON prediction (run);

CREATE VIEW sweeps AS
  SELECT name, file, version, submitted, settings,
         (SELECT count(*) FROM sweep_run WHERE sweep = sweep.id AND active) AS runs
  FROM sweep;
CREATE VIEW runs AS
  SELECT run.id, sweep.name AS sweep, state, exit_cause, plugin, axes, seed, params, tokens, steps, best_val_bpc,
         last_val_bpc, wall_s, tokens_per_s, attempts
  FROM run JOIN sweep ON sweep.id = run.sweep;
CREATE VIEW sweep_runs AS
  SELECT sweep.name AS sweep, sweep_run.run, sweep_run.position, sweep_run.axes
  FROM sweep_run JOIN sweep ON sweep.id = sweep_run.sweep WHERE active;
CREATE VIEW attempts AS
  SELECT run, attempt, state, exit_cause, device, started, ended FROM attempt;
CREATE VIEW events AS
  SELECT run, attempt, seq, event, step, time, fields FROM event;
CREATE VIEW evals AS
  SELECT run, step, tokens, val_bpc, train_bpc, lr, grad_norm, tokens_per_s FROM eval;
CREATE VIEW metrics AS
  SELECT run, step, name, value, finite FROM metric;
CREATE VIEW datasets AS
  SELECT id, name, tokenizer, sha256, val_sha256, bytes, train_tokens, val_tokens, unknown_bytes, ngram_bpb, entropy_bpb
  FROM dataset;
CREATE VIEW fits AS
  SELECT id, sweep, law, made, settings, result FROM fit;
CREATE VIEW predictions AS
  SELECT prediction.id, prediction.fit, prediction.run, prediction.law, prediction.made, prediction.params,
         prediction.tokens, loss, lower, upper, level, run.best_val_bpc AS measured
  FROM prediction LEFT JOIN run ON run.id = prediction.run AND run.state = 'done';
)sql";

// Version 2: training speeds that `plan --measure` measured.
constexpr const char* kSpeeds = R"sql(
CREATE TABLE speed (
  spec             TEXT NOT NULL,          -- canonical JSON
  device           TEXT NOT NULL,
  threads          INTEGER NOT NULL,
  flops_per_token  REAL NOT NULL,          -- of training
  tokens_per_s     REAL NOT NULL,
  measured         REAL NOT NULL,
  PRIMARY KEY (spec, device, threads)
) STRICT, WITHOUT ROWID;
)sql";

// Version 3: where the history file stands (history.h), and runs that were made elsewhere.
constexpr const char* kHistory = R"sql(
CREATE TABLE history (                     -- one row
  id     TEXT NOT NULL,                    -- of the file that belongs to this database; "" before there is one
  bytes  INTEGER NOT NULL                  -- of it that are committed; -1: it lacks something and is written anew
) STRICT;
INSERT INTO history VALUES ('', -1);
ALTER TABLE run ADD COLUMN imported INTEGER NOT NULL DEFAULT 0;  -- 1: from a foreign log; never trained here

CREATE TABLE control (                     -- said of the queue as a whole (control.h)
  name   TEXT PRIMARY KEY,                 -- paused | devices | coordinator
  value  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
-- What is ahead, by plugin, without reading the runs themselves.
CREATE INDEX run_ahead ON run (state, plugin, flops, params);

-- What a fit was made of and by, and of whom it speaks; what a prediction was made from, by whom, how far away.
ALTER TABLE fit ADD COLUMN variant TEXT;
ALTER TABLE fit ADD COLUMN dataset TEXT;     -- dataset.id
ALTER TABLE fit ADD COLUMN data TEXT;        -- hash of the points (fit/data_hash.h)
ALTER TABLE fit ADD COLUMN points TEXT;      -- ids of their runs, a JSON list
ALTER TABLE fit ADD COLUMN version TEXT;     -- of the program
CREATE INDEX fit_by_data ON fit (data);
ALTER TABLE prediction ADD COLUMN maker TEXT;          -- the verb that stored it
ALTER TABLE prediction ADD COLUMN version TEXT;        -- of the program
ALTER TABLE prediction ADD COLUMN data TEXT;           -- hash of the points it was made from
ALTER TABLE prediction ADD COLUMN variant TEXT;
ALTER TABLE prediction ADD COLUMN dataset TEXT;        -- dataset.id
ALTER TABLE prediction ADD COLUMN extrapolation REAL;  -- how far outside of the points, as a factor
CREATE UNIQUE INDEX prediction_once ON prediction (run, fit) WHERE run IS NOT NULL AND fit IS NOT NULL;

DROP VIEW fits;
CREATE VIEW fits AS
  SELECT id, sweep, law, made, settings, result, variant, dataset, data, points, version FROM fit;
-- A law speaks of the loss at the end. A prediction that names no run is about those that were begun after it at its
-- place: equal sizes to half a percent, on the same data.
DROP VIEW predictions;
CREATE VIEW predictions AS
  SELECT prediction.id, prediction.fit, prediction.run AS run, prediction.law, prediction.made, prediction.params,
         prediction.tokens, loss, lower, upper, level,
         CASE WHEN run.state = 'done' THEN run.last_val_bpc END AS measured, maker, version, data, variant,
         prediction.dataset, extrapolation, run.state, run.exit_cause, run.started, run.ended
  FROM prediction LEFT JOIN run ON run.id = prediction.run WHERE prediction.run IS NOT NULL
  UNION ALL
  SELECT prediction.id, prediction.fit, run.id AS run, prediction.law, prediction.made, prediction.params,
         prediction.tokens, loss, lower, upper, level,
         CASE WHEN run.state = 'done' THEN run.last_val_bpc END AS measured, maker, version, data, variant,
         prediction.dataset, extrapolation, run.state, run.exit_cause, run.started, run.ended
  FROM prediction LEFT JOIN run ON run.plugin = variant AND run.dataset = prediction.dataset
         AND run.started > prediction.made
         AND run.params BETWEEN prediction.params / 1.005 AND prediction.params * 1.005
         AND run.tokens BETWEEN prediction.tokens / 1.005 AND prediction.tokens * 1.005
  WHERE prediction.run IS NULL;
)sql";

// Version 4: events go in at half the price. The lowest loss of a run is kept as its evaluations come, where it took an
// index over all of them; and that an event belongs to a run is seen once for a batch and not for each of its rows.
constexpr const char* kIngest = R"sql(
DROP VIEW events;
DROP VIEW evals;
DROP VIEW metrics;
CREATE TABLE new_event (
  run      TEXT NOT NULL,                  -- run.id, as in the two below: attempt has the row that ties them to it
  attempt  INTEGER NOT NULL,
  seq      INTEGER NOT NULL,
  event    TEXT NOT NULL,
  step     INTEGER NOT NULL,
  time     REAL NOT NULL,
  fields   TEXT NOT NULL,                  -- everything else, JSON
  PRIMARY KEY (run, attempt, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE new_eval (
  run           TEXT NOT NULL,
  step          INTEGER NOT NULL,
  attempt       INTEGER NOT NULL,          -- the latest one that reached the step
  tokens        INTEGER,
  val_bpc       REAL,
  train_bpc     REAL,
  lr            REAL,
  grad_norm     REAL,
  tokens_per_s  REAL,
  elapsed_s     REAL,
  peak_rss_bytes INTEGER,
  finite        INTEGER NOT NULL,          -- 0: a loss was not finite
  PRIMARY KEY (run, step)
) STRICT, WITHOUT ROWID;
CREATE TABLE new_metric (                  -- numbers of eval events that have no column of their own
  run      TEXT NOT NULL,
  name     TEXT NOT NULL,
  step     INTEGER NOT NULL,
  attempt  INTEGER NOT NULL,
  value    REAL,
  finite   INTEGER NOT NULL,
  PRIMARY KEY (run, name, step)
) STRICT, WITHOUT ROWID;
INSERT INTO new_event SELECT run, attempt, seq, event, step, time, fields FROM event;
INSERT INTO new_eval SELECT run, step, attempt, tokens, val_bpc, train_bpc, lr, grad_norm, tokens_per_s, elapsed_s,
  peak_rss_bytes, finite FROM eval;
INSERT INTO new_metric SELECT run, name, step, attempt, value, finite FROM metric;
DROP TABLE event;
DROP TABLE eval;
DROP TABLE metric;
ALTER TABLE new_event RENAME TO event;
ALTER TABLE new_eval RENAME TO eval;
ALTER TABLE new_metric RENAME TO metric;
CREATE VIEW events AS
  SELECT run, attempt, seq, event, step, time, fields FROM event;
CREATE VIEW evals AS
  SELECT run, step, tokens, val_bpc, train_bpc, lr, grad_norm, tokens_per_s FROM eval;
CREATE VIEW metrics AS
  SELECT run, step, name, value, finite FROM metric;
)sql";

// Version 5: count models on exactly the bytes that runs are scored on, beside those of whole validation sets.
constexpr const char* kYardsticks = R"sql(
CREATE TABLE yardstick (
  dataset    TEXT NOT NULL,                -- dataset.id
  context    INTEGER NOT NULL,
  windows    INTEGER NOT NULL,             -- eval.windows of the runs
  bytes      INTEGER NOT NULL,             -- scored: the targets of these windows
  ngram_bpb  TEXT NOT NULL,                -- [order 0, 1, 2, 3] bits per byte of them
  PRIMARY KEY (dataset, context, windows)
) STRICT, WITHOUT ROWID;
CREATE VIEW yardsticks AS
  SELECT dataset, context, windows, bytes, ngram_bpb FROM yardstick;
)sql";

// Version 6: how metrics are to be read, as runs told at their starts.
constexpr const char* kMetricKinds = R"sql(
CREATE TABLE metric_kind (
  name       TEXT PRIMARY KEY,             -- of the metric, or of a family: ipmr for ipmr.L0H1
  direction  TEXT NOT NULL CHECK (direction IN ('lower', 'higher', 'none')),  -- which is better
  unit       TEXT NOT NULL,
  chance     REAL,                         -- what a guess would give
  help       TEXT NOT NULL,
  told       REAL NOT NULL                 -- unix seconds, when a run said so last: the newest word counts
) STRICT, WITHOUT ROWID;
CREATE VIEW metric_kinds AS
  SELECT name, direction, unit, chance, help FROM metric_kind;
)sql";

constexpr std::array<Migration, 6> kMigrations = {
    {{1, kFirst}, {2, kSpeeds}, {3, kHistory}, {4, kIngest}, {5, kYardsticks}, {6, kMetricKinds}}};

}  // namespace

std::span<const Migration> migrations() { return kMigrations; }

}  // namespace bitsweep::store
