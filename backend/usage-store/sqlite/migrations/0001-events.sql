-- Every event that was accepted, once. row_id rises in the order of storing.
CREATE TABLE events (
  row_id         INTEGER PRIMARY KEY AUTOINCREMENT,
  source         TEXT NOT NULL,
  id             TEXT NOT NULL,
  type           TEXT NOT NULL,
  subject        TEXT NOT NULL,
  time_ms        INTEGER NOT NULL,
  data           TEXT,
  ingested_at_ms INTEGER NOT NULL,
  stored_at_ms   INTEGER NOT NULL
) STRICT;

-- What makes an event the same event, for as long as it is kept.
CREATE UNIQUE INDEX events_identity ON events (source, id);
-- Meter queries.
CREATE INDEX events_by_type_time ON events (type, time_ms);
-- The events list, for each order it can have.
CREATE INDEX events_by_time ON events (time_ms, row_id);
CREATE INDEX events_by_ingested_at ON events (ingested_at_ms, row_id);
CREATE INDEX events_by_stored_at ON events (stored_at_ms, row_id);
CREATE INDEX events_by_subject_time ON events (subject, time_ms);

-- One row: what has been sent to this store, duplicates included. Kept by the transaction that stores the events.
CREATE TABLE ingest_totals (
  one        INTEGER PRIMARY KEY CHECK (one = 1),
  stored     INTEGER NOT NULL,
  duplicates INTEGER NOT NULL
) STRICT;
INSERT INTO ingest_totals VALUES (1, 0, 0);
