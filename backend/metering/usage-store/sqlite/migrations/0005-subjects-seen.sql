-- Which rows a subject stands in: so that a rare one is found without walking through all of time. Written for 16,384 rows
-- at a time, which costs a fraction of an index that every event would enter.
CREATE TABLE row_chunks (
  chunk  INTEGER PRIMARY KEY, -- rows from chunk * 16384 on
  min_ms INTEGER NOT NULL,    -- times of its events
  max_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE chunk_subjects (
  chunk   INTEGER NOT NULL,
  subject INTEGER NOT NULL, -- name_id
  rows    BLOB NOT NULL,    -- 16 bits a row, counted from the chunk's first
  PRIMARY KEY (chunk, subject)
) STRICT, WITHOUT ROWID;

-- What each subject sent on each day (UTC), for the rows of all chunks.
CREATE TABLE subject_days (
  day     INTEGER NOT NULL,
  subject INTEGER NOT NULL,
  type    INTEGER NOT NULL,
  events  INTEGER NOT NULL,
  voided  INTEGER NOT NULL, -- of them
  last_ms INTEGER NOT NULL,
  PRIMARY KEY (day, subject, type)
) STRICT, WITHOUT ROWID;
