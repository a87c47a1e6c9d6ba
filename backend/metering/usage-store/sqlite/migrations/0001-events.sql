-- Texts that stand in many events: sources, types, subjects. Events hold their numbers.
CREATE TABLE names (
  name_id INTEGER PRIMARY KEY,
  text    TEXT NOT NULL UNIQUE
) STRICT;

-- Every event that was accepted, once. row_id rises in the order of storing, and so do ingested_at_ms and stored_at_ms:
-- a range of either is a range of rows. There is no index over (source, id): see dedupe/.
CREATE TABLE events (
  row_id         INTEGER PRIMARY KEY,
  source         INTEGER NOT NULL, -- name_id
  id             TEXT NOT NULL,
  type           INTEGER NOT NULL, -- name_id
  subject        INTEGER NOT NULL, -- name_id
  time_ms        INTEGER NOT NULL,
  data           TEXT,
  ingested_at_ms INTEGER NOT NULL,
  stored_at_ms   INTEGER NOT NULL
) STRICT;

CREATE INDEX events_by_time ON events (time_ms);

-- Which names have been the source of an event: what an id is looked for with.
CREATE TABLE sources (
  name_id INTEGER PRIMARY KEY
) STRICT;

-- Hashes of (source, id) of older events, in buckets of the hash's upper bits; see dedupe/segments.ts.
CREATE TABLE dedupe_segments (
  segment     INTEGER PRIMARY KEY,
  first_row   INTEGER NOT NULL,
  last_row    INTEGER NOT NULL,
  bucket_bits INTEGER NOT NULL,
  filter      BLOB NOT NULL
) STRICT;
CREATE TABLE dedupe_buckets (
  bucket_id INTEGER PRIMARY KEY,
  entries   BLOB NOT NULL
) STRICT;

-- One row of what belongs to the file as a whole.
CREATE TABLE store (
  one        INTEGER PRIMARY KEY CHECK (one = 1),
  hash_seed  INTEGER NOT NULL,
  stored     INTEGER NOT NULL, -- events sent to this store since it was made
  duplicates INTEGER NOT NULL
) STRICT;
INSERT INTO store VALUES (1, random() & 0x7fffffff, 0, 0);
