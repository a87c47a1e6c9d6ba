-- What each gateway says it has served, and what became of it: sums, the last of each of its accounts.
CREATE TABLE gateway_requests (
  node          TEXT    NOT NULL,
  account       TEXT    NOT NULL,
  revision      INTEGER NOT NULL, -- of two reports the one with the greater is the later one
  first_seen_ms INTEGER NOT NULL,
  last_seen_ms  INTEGER NOT NULL,
  served        INTEGER NOT NULL,
  metered       INTEGER NOT NULL,
  not_metered   TEXT    NOT NULL, -- JSON object: by reason
  unexplained   INTEGER NOT NULL,
  PRIMARY KEY (node, account)
) STRICT, WITHOUT ROWID;

-- Told by one process of several, for a part of the time: what could not be seen then was hidden for good.
ALTER TABLE gateway_processes DROP COLUMN requests_served;
ALTER TABLE gateway_processes DROP COLUMN log_entries;
