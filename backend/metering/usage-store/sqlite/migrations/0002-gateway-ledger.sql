-- What each gateway process has sent, kept by the transaction that stores its events.
CREATE TABLE gateway_processes (
  node          TEXT NOT NULL,
  process       TEXT NOT NULL,
  first_seen_ms INTEGER NOT NULL,
  last_seen_ms  INTEGER NOT NULL,
  received      INTEGER NOT NULL,
  stored        INTEGER NOT NULL,
  duplicates    INTEGER NOT NULL,
  rejected      INTEGER NOT NULL,
  taken         INTEGER, -- the highest number that the process says it has given
  dropped       TEXT,    -- JSON object: what the process says it has dropped, by reason
  PRIMARY KEY (node, process)
) STRICT, WITHOUT ROWID;

-- The numbers that have arrived, as ranges without overlap; in good order one row a process.
CREATE TABLE gateway_ranges (
  node    TEXT NOT NULL,
  process TEXT NOT NULL,
  first   INTEGER NOT NULL,
  last    INTEGER NOT NULL,
  PRIMARY KEY (node, process, first)
) STRICT, WITHOUT ROWID;
