-- Numbers of the transactions that store events; the rows of one are number * 4096 and what follows.
CREATE SEQUENCE batch_numbers;

-- Texts that stand in many events: sources, types, subjects. Found by the hash: an index over long texts would refuse them.
CREATE TABLE names (
  name_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  hash    uuid NOT NULL UNIQUE,
  text    text NOT NULL COLLATE "C"
);

-- Which names have been the source of an event: what an id is looked for with.
CREATE TABLE sources (
  name_id bigint PRIMARY KEY
);

-- Every event that was accepted, once in its month. The index over the identity is one of each partition; see partitions.ts.
CREATE TABLE events (
  row_id         bigint NOT NULL,
  identity       uuid   NOT NULL, -- 128 bits of SHA-256(source, id)
  source         bigint NOT NULL, -- name_id
  id             text   NOT NULL COLLATE "C",
  type           bigint NOT NULL, -- name_id
  subject        bigint NOT NULL, -- name_id
  time_ms        bigint NOT NULL,
  data           text,            -- as it came: jsonb would lose digits
  ingested_at_ms bigint NOT NULL,
  stored_at_ms   bigint NOT NULL,
  voided_by      bigint           -- the correction that made it void; NULL while it counts
) PARTITION BY RANGE (time_ms);
CREATE INDEX events_by_row ON events (row_id);
CREATE INDEX events_by_time ON events (time_ms, row_id);
CREATE INDEX events_by_subject ON events (subject, time_ms);
CREATE INDEX events_by_stored_at ON events USING brin (stored_at_ms);
-- Times that nobody expects share one partition.
CREATE TABLE events_other PARTITION OF events DEFAULT;
CREATE UNIQUE INDEX events_other_identity ON events_other (identity);

-- One row of what belongs to the store as a whole. Ingest only reads it.
CREATE TABLE store (
  one              integer PRIMARY KEY CHECK (one = 1),
  settled_batch    bigint  NOT NULL, -- all transactions up to here have ended
  stored           bigint  NOT NULL, -- events of the batches that are folded
  duplicates       bigint  NOT NULL,
  series_version   bigint  NOT NULL, -- rises with each change of the series
  complete_from_ms bigint            -- events with a time before this may have been removed
);
INSERT INTO store VALUES (1, 0, 0, 0, 0, NULL);

-- What each transaction has stored, until it is folded: no row is changed by two of them.
CREATE TABLE batches (
  batch           bigint PRIMARY KEY,
  stored          bigint NOT NULL,
  duplicates      bigint NOT NULL,
  stored_at_ms    bigint NOT NULL,
  days            bigint[] NOT NULL, -- of subject_days, with the six columns that follow
  subjects        bigint[] NOT NULL,
  types           bigint[] NOT NULL,
  counts          bigint[] NOT NULL,
  voided          bigint[] NOT NULL,
  last_ms         bigint[] NOT NULL,
  again_rows      bigint[] NOT NULL, -- stored events that came again
  again_differing bigint[] NOT NULL  -- 1: with another type, subject or data
);

-- What each subject sent on each day (UTC), of all folded batches.
CREATE TABLE subject_days (
  day     bigint NOT NULL,
  subject bigint NOT NULL,
  type    bigint NOT NULL,
  events  bigint NOT NULL,
  voided  bigint NOT NULL, -- of them
  last_ms bigint NOT NULL,
  PRIMARY KEY (day, subject, type)
);
CREATE INDEX subject_days_by_subject ON subject_days (subject, day);

-- Events that arrived again, of all folded batches.
CREATE TABLE duplicates (
  row_id    bigint PRIMARY KEY, -- of the stored one
  times     bigint NOT NULL,
  differing bigint NOT NULL,
  last_ms   bigint NOT NULL
);

-- Figures of a meter ahead of time. A series is what a meter's figures depend on.
CREATE TABLE rollup_series (
  series          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  spec            text    NOT NULL,              -- canonical JSON
  event_type      bigint  NOT NULL,              -- name_id
  back_filled_row bigint  NOT NULL,              -- events up to here count; above last_row they count as they come
  last_row        bigint  NOT NULL,              -- the last row that can have been stored at the creation
  looked_at       bigint  NOT NULL DEFAULT 0,    -- events that the back-fill has looked at
  total           bigint  NOT NULL,              -- events at the creation
  dropped         boolean NOT NULL DEFAULT false -- no meter needs it, its rows are being removed
);

-- Dimensions with values that are not kept apart.
CREATE TABLE rollup_wide (
  series    bigint NOT NULL,
  dimension bigint NOT NULL, -- its place in the series
  PRIMARY KEY (series, dimension)
);

-- Combinations of dimension values that have occurred, found by the hash of their texts.
CREATE TABLE rollup_tuples (
  tuple_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  series   bigint  NOT NULL,
  hash     uuid    NOT NULL,
  texts    text    NOT NULL, -- JSON array, dimensions in the order of their names; null: a value that is not kept apart
  is_open  boolean NOT NULL, -- has such a null
  UNIQUE (series, hash)
);
CREATE INDEX rollup_tuples_open ON rollup_tuples (series) WHERE is_open;

-- The values of each dimension that are kept apart.
CREATE TABLE rollup_values (
  series    bigint NOT NULL,
  dimension bigint NOT NULL, -- its place in the series
  hash      uuid   NOT NULL,
  day       bigint NOT NULL, -- when it was last stored
  PRIMARY KEY (series, dimension, hash)
);

-- What each transaction adds to a series, one entry an event, until it is folded into the rollups.
CREATE TABLE rollup_deltas (
  delta_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  series   bigint   NOT NULL,
  events   bigint   NOT NULL,
  first_ms bigint   NOT NULL,
  last_ms  bigint   NOT NULL,
  time_ms  bigint[] NOT NULL,
  subject  bigint[] NOT NULL,
  dims     bigint[] NOT NULL,
  figures  numeric[], -- for what reads numbers; null where the value is unusable
  vals     text[],    -- for what reads texts
  row_ids  bigint[]   -- for what keeps the latest
);
CREATE INDEX rollup_deltas_by_series ON rollup_deltas (series, delta_id);

CREATE TABLE rollups (
  series   bigint NOT NULL,
  level    bigint NOT NULL, -- size of the bucket and what is told apart; see series/levels.ts
  bucket   bigint NOT NULL,
  subject  bigint NOT NULL, -- name_id; 0 where subjects are not told apart
  dims     bigint NOT NULL, -- tuple_id; 0 where dimensions are not told apart
  value    text   NOT NULL COLLATE "C", -- the value that unique_count tells apart; else empty
  n        bigint NOT NULL, -- events
  m        bigint NOT NULL, -- usable values
  figure   numeric,         -- sum, minimum, maximum or latest value
  at_ms    bigint,          -- of the latest value
  row_id   bigint,          -- of the latest value
  first_ms bigint NOT NULL,
  last_ms  bigint NOT NULL,
  PRIMARY KEY (series, level, bucket, subject, dims, value)
) WITH (fillfactor = 80);

-- Quarters of an hour of a subject whose roll-ups are not true any more: queries read their events until they are computed
-- anew. Only ever added to by a correction, so that a mark which comes while its quarter is computed is not lost.
CREATE TABLE rollup_dirty (
  mark    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  series  bigint NOT NULL,
  quarter bigint NOT NULL,
  subject bigint NOT NULL -- name_id
);
CREATE INDEX rollup_dirty_by_quarter ON rollup_dirty (series, quarter);

-- What was done to stored events: made void, or counted again.
CREATE TABLE corrections (
  correction     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id             text   NOT NULL UNIQUE,
  action         text   NOT NULL CHECK (action IN ('void', 'restore')),
  reason         text   NOT NULL,
  made_by        text   NOT NULL,
  made_at_ms     bigint NOT NULL,
  note           text   NOT NULL, -- JSON of the caller, kept as it is
  selection      text   NOT NULL, -- JSON: which events it is for
  moment         text   NOT NULL, -- events stored later are not touched
  position       text,            -- JSON: where the next slice begins
  events         bigint NOT NULL, -- changed so far
  expected       bigint NOT NULL, -- how many there were to be changed when it began
  finished_at_ms bigint           -- NULL while slices are left
);

-- Every change of an event, in the order of making; at_ms rises with it.
CREATE TABLE event_changes (
  change     bigint PRIMARY KEY,
  correction bigint NOT NULL,
  row_id     bigint NOT NULL,
  time_ms    bigint NOT NULL, -- of the event: where it is to be looked for
  at_ms      bigint NOT NULL
);
CREATE INDEX event_changes_by_row ON event_changes (row_id, change);
CREATE INDEX event_changes_by_correction ON event_changes (correction, row_id);

-- What each gateway process has sent; see types.ts.
CREATE TABLE gateway_processes (
  node          text   NOT NULL COLLATE "C",
  process       text   NOT NULL COLLATE "C",
  first_seen_ms bigint NOT NULL,
  last_seen_ms  bigint NOT NULL,
  received      bigint NOT NULL,
  stored        bigint NOT NULL,
  duplicates    bigint NOT NULL,
  rejected      bigint NOT NULL,
  taken         bigint,
  dropped       text,
  PRIMARY KEY (node, process)
);
CREATE TABLE gateway_ranges (
  node    text   NOT NULL COLLATE "C",
  process text   NOT NULL COLLATE "C",
  first   bigint NOT NULL,
  last    bigint NOT NULL,
  PRIMARY KEY (node, process, first)
);
CREATE TABLE gateway_requests (
  node          text   NOT NULL COLLATE "C",
  account       text   NOT NULL COLLATE "C",
  revision      bigint NOT NULL,
  first_seen_ms bigint NOT NULL,
  last_seen_ms  bigint NOT NULL,
  served        bigint NOT NULL,
  metered       bigint NOT NULL,
  not_metered   text   NOT NULL,
  unexplained   bigint NOT NULL,
  PRIMARY KEY (node, account)
);

-- Tables whose rows come and go all the time.
ALTER TABLE batches SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
ALTER TABLE rollup_deltas SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
ALTER TABLE rollup_dirty SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- Towards minus infinity, as buckets are counted.
CREATE FUNCTION floor_div(a bigint, b bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN a / b - (CASE WHEN a % b < 0 THEN 1 ELSE 0 END);

-- The month that holds a day since 1970, counted from the year 0, of the Gregorian calendar before its time too.
CREATE FUNCTION month_of_day(day bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (
    SELECT (yoe + era * 400 + CASE WHEN mp >= 10 THEN 1 ELSE 0 END) * 12 + CASE WHEN mp < 10 THEN mp + 2 ELSE mp - 10 END
    FROM (SELECT floor_div(day + 719468, 146097) AS era) AS a,
      LATERAL (SELECT day + 719468 - era * 146097 AS doe) AS b,
      LATERAL (SELECT (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365 AS yoe) AS c,
      LATERAL (SELECT (5 * (doe - (365 * yoe + yoe / 4 - yoe / 100)) + 2) / 153 AS mp) AS d
  );
