-- The last instant that was believed: a process that begins later than is plausible waits until the time is confirmed.
CREATE TABLE trusted_clock (
  name TEXT PRIMARY KEY,
  seen_at TEXT NOT NULL
);
