-- The root of schema4.sql, brought forward by the store of schema 5 (README.md).
PRAGMA application_id = 1651734384;
PRAGMA user_version = 5;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE sweep (
  id         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE,
  file       TEXT NOT NULL,
  source     TEXT NOT NULL,                -- text of the latest version
  settings   TEXT NOT NULL,                -- {"stop_after", "stop_rule", "report"}
  version    INTEGER NOT NULL DEFAULT 1,   -- counts changed submissions
  submitted  REAL NOT NULL                 -- of the latest version
) STRICT;
INSERT INTO sweep VALUES(1,'lrs','sweeps/lrs.yaml',replace('name: lrs\n# it''s the first\n','\n',char(10)),'{"stop_after":null,"stop_rule":"none"}',1,1700000000.0);
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
INSERT INTO dataset VALUES('d1d2d3','stories','ascii128','aa','bb',1000,900,100,3,'[4.5E0,3.25E0]',1.5);
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
, imported INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
INSERT INTO run VALUES('aaaaaaaaaaaa',1,1,'done',NULL,NULL,'{"model":{"plugin":"v57"},"train":{"lr":1E-3,"steps":300},"seed":0}','{"train.lr":0.001}','v57',0,5524480,128,5500000,1228800,300,41000000000000.0,0.25,'d1d2d3',NULL,'any',1,2,123456789,0.0,2,0,0,NULL,0.0,0,1,300,3.125,200,3.125,5000.5,20.0,2097152,1700000000.0,1700000010.0,1700000040.4999999999,0);
INSERT INTO run VALUES('bbbbbbbbbbbb',2,1,'failed','diverged','the loss became NaN','{"model":{"plugin":"v57"},"train":{"lr":3E-3,"steps":300},"seed":1}','{"train.lr":0.003}','v57',1,5524480,128,5500000,1228800,300,41000000000000.0,0.25,'d1d2d3',NULL,'any',1,2,123456789,0.0,2,0,0,NULL,0.0,1,2,200,4.0,100,NULL,5000.5,30.0,1048576,1700000000.0,1700000040.4999999999,1700000101.4999999999,0);
INSERT INTO run VALUES('cccccccccccc',3,1,'queued',NULL,NULL,'{"model":{"plugin":"v57"},"train":{"lr":1E-2,"steps":300},"seed":0}','{"train.lr":0.01}','v57',0,5524480,128,5500000,1228800,300,41000000000000.0,0.25,'d1d2d3','aaaaaaaaaaaa','any',1,2,123456789,0.0,2,3,0,NULL,0.0,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,1700000000.0,NULL,NULL,0);
CREATE TABLE sweep_run (
  sweep     INTEGER NOT NULL REFERENCES sweep (id),
  run       TEXT NOT NULL REFERENCES run (id),
  position  INTEGER NOT NULL,              -- in the file's order
  axes      TEXT NOT NULL,
  point     TEXT NOT NULL,                 -- canonical axes and seed: the place in the design
  active    INTEGER NOT NULL DEFAULT 1,    -- 0: an earlier version held it
  PRIMARY KEY (sweep, run)
) STRICT, WITHOUT ROWID;
INSERT INTO sweep_run VALUES(1,'aaaaaaaaaaaa',1,'{"train.lr":0.001}','{"axes":{"train.lr":0.001},"seed":0}',1);
INSERT INTO sweep_run VALUES(1,'bbbbbbbbbbbb',2,'{"train.lr":0.003}','{"axes":{"train.lr":0.003},"seed":1}',1);
INSERT INTO sweep_run VALUES(1,'cccccccccccc',3,'{"train.lr":0.01}','{"axes":{"train.lr":0.01},"seed":0}',1);
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
INSERT INTO attempt VALUES('aaaaaaaaaaaa',1,'done',NULL,NULL,0,NULL,'cpu',1,2,4001,1700000010.0,1700000040.4999999999,300,NULL,20.0,2097152,1000,77);
INSERT INTO attempt VALUES('bbbbbbbbbbbb',1,'failed','signal','killed by signal 9',NULL,9,'cpu',1,2,4001,1700000040.4999999999,1700000071.0,100,NULL,10.0,1048576,1000,77);
INSERT INTO attempt VALUES('bbbbbbbbbbbb',2,'failed','diverged','the loss became NaN',1,NULL,'cpu',1,2,4002,1700000071.0,1700000101.4999999999,200,NULL,20.0,1048576,1000,77);
CREATE TABLE fit (
  id        INTEGER PRIMARY KEY,
  sweep     TEXT NOT NULL,
  law       TEXT NOT NULL,
  made      REAL NOT NULL,
  settings  TEXT NOT NULL,
  result    TEXT NOT NULL
, variant TEXT, dataset TEXT, data TEXT, points TEXT, version TEXT) STRICT;
INSERT INTO fit VALUES(1,'lrs','power',1700000101.4999999999,'{"axis":"params"}','{"E":1.5E0}',NULL,NULL,NULL,NULL,NULL);
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
, maker TEXT, version TEXT, data TEXT, variant TEXT, dataset TEXT, extrapolation REAL) STRICT;
INSERT INTO prediction VALUES(1,1,'cccccccccccc','power',1700000101.4999999999,5000000.0,1000000.0,3.1000000000000000888,3.0,3.2999999999999998223,0.94999999999999995559,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE speed (
  spec             TEXT NOT NULL,          -- canonical JSON
  device           TEXT NOT NULL,
  threads          INTEGER NOT NULL,
  flops_per_token  REAL NOT NULL,          -- of training
  tokens_per_s     REAL NOT NULL,
  measured         REAL NOT NULL,
  PRIMARY KEY (spec, device, threads)
) STRICT, WITHOUT ROWID;
INSERT INTO speed VALUES('{"model":{"plugin":"v57"},"seed":0,"train":{"lr":0.01,"steps":300}}','cpu',2,33000000.0,4321.5000000000000001,1700000101.4999999999);
CREATE TABLE history (                     -- one row
  id     TEXT NOT NULL,                    -- of the file that belongs to this database; "" before there is one
  bytes  INTEGER NOT NULL                  -- of it that are committed; -1: it lacks something and is written anew
) STRICT;
INSERT INTO history VALUES('6f95ee93c26406d9',5680);
CREATE TABLE control (                     -- said of the queue as a whole (control.h)
  name   TEXT PRIMARY KEY,                 -- paused | devices | coordinator
  value  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO control VALUES('devices','{"devices":"cpu:2","slots_per_device":1}');
CREATE TABLE IF NOT EXISTS "event" (
  run      TEXT NOT NULL,                  -- run.id, as in the two below: attempt has the row that ties them to it
  attempt  INTEGER NOT NULL,
  seq      INTEGER NOT NULL,
  event    TEXT NOT NULL,
  step     INTEGER NOT NULL,
  time     REAL NOT NULL,
  fields   TEXT NOT NULL,                  -- everything else, JSON
  PRIMARY KEY (run, attempt, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO event VALUES('aaaaaaaaaaaa',1,1,'eval',100,1700000100.0,'{"val_bpc":3.5E0,"train_bpc":2.5E0,"tokens":409600,"lr":1E-3,"grad_norm":7.5E-1,"tokens_per_s":5.0005E3,"elapsed_s":1E1,"peak_rss_bytes":1048576,"best":true,"flip_fraction":1E-2}');
INSERT INTO event VALUES('aaaaaaaaaaaa',1,2,'eval',200,1700000200.0,'{"val_bpc":3.125E0,"train_bpc":2.5E0,"tokens":819200,"lr":1E-3,"grad_norm":7.5E-1,"tokens_per_s":5.0005E3,"elapsed_s":2E1,"peak_rss_bytes":1048576,"best":true,"flip_fraction":1E-2}');
INSERT INTO event VALUES('aaaaaaaaaaaa',1,3,'end',300,1700000000.0,'{"status":"done"}');
INSERT INTO event VALUES('bbbbbbbbbbbb',1,1,'eval',100,1700000100.0,'{"val_bpc":4E0,"train_bpc":2.5E0,"tokens":409600,"lr":1E-3,"grad_norm":7.5E-1,"tokens_per_s":5.0005E3,"elapsed_s":1E1,"peak_rss_bytes":1048576,"best":true,"flip_fraction":1E-2}');
INSERT INTO event VALUES('bbbbbbbbbbbb',2,1,'eval',200,1700000200.0,'{"val_bpc":null,"train_bpc":2.5E0,"tokens":819200,"lr":1E-3,"grad_norm":7.5E-1,"tokens_per_s":5.0005E3,"elapsed_s":2E1,"peak_rss_bytes":1048576,"best":true,"flip_fraction":1E-2}');
CREATE TABLE IF NOT EXISTS "eval" (
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
INSERT INTO eval VALUES('aaaaaaaaaaaa',100,1,409600,3.5,2.5,0.0010000000000000000208,0.75,5000.5,10.0,1048576,1);
INSERT INTO eval VALUES('aaaaaaaaaaaa',200,1,819200,3.125,2.5,0.0010000000000000000208,0.75,5000.5,20.0,1048576,1);
INSERT INTO eval VALUES('bbbbbbbbbbbb',100,1,409600,4.0,2.5,0.0010000000000000000208,0.75,5000.5,10.0,1048576,1);
INSERT INTO eval VALUES('bbbbbbbbbbbb',200,2,819200,NULL,2.5,0.0010000000000000000208,0.75,5000.5,20.0,1048576,0);
CREATE TABLE IF NOT EXISTS "metric" (                  -- numbers of eval events that have no column of their own
  run      TEXT NOT NULL,
  name     TEXT NOT NULL,
  step     INTEGER NOT NULL,
  attempt  INTEGER NOT NULL,
  value    REAL,
  finite   INTEGER NOT NULL,
  PRIMARY KEY (run, name, step)
) STRICT, WITHOUT ROWID;
INSERT INTO metric VALUES('aaaaaaaaaaaa','flip_fraction',100,1,0.010000000000000000208,1);
INSERT INTO metric VALUES('aaaaaaaaaaaa','flip_fraction',200,1,0.010000000000000000208,1);
INSERT INTO metric VALUES('bbbbbbbbbbbb','flip_fraction',100,1,0.010000000000000000208,1);
INSERT INTO metric VALUES('bbbbbbbbbbbb','flip_fraction',200,2,0.010000000000000000208,1);
CREATE TABLE yardstick (
  dataset    TEXT NOT NULL,                -- dataset.id
  context    INTEGER NOT NULL,
  windows    INTEGER NOT NULL,             -- eval.windows of the runs
  bytes      INTEGER NOT NULL,             -- scored: the targets of these windows
  ngram_bpb  TEXT NOT NULL,                -- [order 0, 1, 2, 3] bits per byte of them
  PRIMARY KEY (dataset, context, windows)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_by_state ON run (state, priority DESC, position);
CREATE INDEX sweep_run_by_run ON sweep_run (run);
CREATE INDEX attempt_live ON attempt (state) WHERE state IN ('starting', 'running');
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
CREATE VIEW datasets AS
  SELECT id, name, tokenizer, sha256, val_sha256, bytes, train_tokens, val_tokens, unknown_bytes, ngram_bpb, entropy_bpb
  FROM dataset;
CREATE INDEX run_ahead ON run (state, plugin, flops, params);
CREATE INDEX fit_by_data ON fit (data);
CREATE UNIQUE INDEX prediction_once ON prediction (run, fit) WHERE run IS NOT NULL AND fit IS NOT NULL;
CREATE VIEW fits AS
  SELECT id, sweep, law, made, settings, result, variant, dataset, data, points, version FROM fit;
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
CREATE VIEW events AS
  SELECT run, attempt, seq, event, step, time, fields FROM event;
CREATE VIEW evals AS
  SELECT run, step, tokens, val_bpc, train_bpc, lr, grad_norm, tokens_per_s FROM eval;
CREATE VIEW metrics AS
  SELECT run, step, name, value, finite FROM metric;
CREATE VIEW yardsticks AS
  SELECT dataset, context, windows, bytes, ngram_bpb FROM yardstick;
COMMIT;
