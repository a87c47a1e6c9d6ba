-- Events that arrived again: what became of a second event with the same source and id can be told.
CREATE TABLE duplicates (
  row_id    INTEGER PRIMARY KEY, -- of the stored one
  times     INTEGER NOT NULL,
  differing INTEGER NOT NULL,    -- of them, with another type, subject or data
  last_ms   INTEGER NOT NULL     -- when the last one arrived
) STRICT;
