-- Figures of a meter ahead of time; see rollup/. A series is what a meter's figures depend on.
CREATE TABLE rollup_series (
  series          INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again: readers remember things by it
  spec            TEXT NOT NULL,                     -- canonical JSON
  event_type      INTEGER NOT NULL,                  -- name_id
  wide            TEXT NOT NULL DEFAULT '[]',        -- JSON: dimensions with too many values, not kept in new tuples
  back_filled_row INTEGER NOT NULL,                  -- events up to here count; above last_row they count as they come
  last_row        INTEGER NOT NULL,                  -- the last event at the creation
  dropped         INTEGER NOT NULL DEFAULT 0         -- 1: no meter needs it, its rows are being removed
) STRICT;
CREATE UNIQUE INDEX rollup_series_by_spec ON rollup_series (spec) WHERE dropped = 0;

-- Combinations of dimension values that have occurred.
CREATE TABLE rollup_tuples (
  tuple_id INTEGER PRIMARY KEY,
  series   INTEGER NOT NULL,
  texts    TEXT NOT NULL -- JSON array, dimensions in the order of their names
) STRICT;
CREATE INDEX rollup_tuples_by_series ON rollup_tuples (series);

-- What each transaction adds, one row a series, until it is folded into the rollups.
CREATE TABLE rollup_deltas (
  delta_id      INTEGER PRIMARY KEY,
  generation    INTEGER NOT NULL,
  series        INTEGER NOT NULL,
  events        INTEGER NOT NULL,
  contributions BLOB NOT NULL
) STRICT;

-- The fold: generation "frozen" (0: none) is being applied, in the order of keys; "position" is the last one applied.
CREATE TABLE rollup_fold (
  one      INTEGER PRIMARY KEY CHECK (one = 1),
  active   INTEGER NOT NULL,
  frozen   INTEGER NOT NULL,
  position TEXT -- JSON: series, level, bucket, subject, dims, value
) STRICT;
INSERT INTO rollup_fold VALUES (1, 1, 0, NULL);

CREATE TABLE rollups (
  series   INTEGER NOT NULL,
  level    INTEGER NOT NULL, -- size of the bucket and what is told apart; see rollup/levels.ts
  bucket   INTEGER NOT NULL,
  subject  INTEGER NOT NULL, -- name_id; 0 where subjects are not told apart
  dims     INTEGER NOT NULL, -- tuple_id; 0 where dimensions are not told apart
  value    TEXT NOT NULL,    -- the value that unique_count tells apart; else empty
  n        INTEGER NOT NULL, -- events
  m        INTEGER NOT NULL, -- usable values
  figure   ANY,              -- sum, minimum, maximum or latest value: an integer, or decimal text where a double could not hold it
  at_ms    INTEGER,          -- of the latest value
  row_id   INTEGER,          -- of the latest value
  first_ms INTEGER NOT NULL, -- times of the first and last event
  last_ms  INTEGER NOT NULL,
  PRIMARY KEY (series, level, bucket, subject, dims, value)
) STRICT, WITHOUT ROWID;
