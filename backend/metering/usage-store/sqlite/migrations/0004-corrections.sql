-- What was done to stored events: made void, or counted again.
CREATE TABLE corrections (
  correction     INTEGER PRIMARY KEY AUTOINCREMENT,
  id             TEXT NOT NULL UNIQUE,
  action         TEXT NOT NULL CHECK (action IN ('void', 'restore')),
  reason         TEXT NOT NULL,
  made_by        TEXT NOT NULL,
  made_at_ms     INTEGER NOT NULL,
  note           TEXT NOT NULL,    -- JSON of the caller, kept as it is
  selection      TEXT NOT NULL,    -- JSON: which events it is for
  last_row       INTEGER NOT NULL, -- events stored later are not touched
  position       TEXT,             -- JSON: where the next slice begins
  events         INTEGER NOT NULL, -- changed so far
  expected       INTEGER NOT NULL, -- how many there were to be changed when it began
  finished_at_ms INTEGER           -- NULL while slices are left
) STRICT;

-- The correction that made an event void; NULL while it counts. Reading it costs nothing beside the row.
ALTER TABLE events ADD COLUMN voided_by INTEGER;

-- Every change of an event, in the order of making; at_ms rises with it.
CREATE TABLE event_changes (
  change     INTEGER PRIMARY KEY,
  correction INTEGER NOT NULL,
  row_id     INTEGER NOT NULL,
  at_ms      INTEGER NOT NULL
) STRICT;
CREATE INDEX event_changes_by_row ON event_changes (row_id);
CREATE INDEX event_changes_by_correction ON event_changes (correction, row_id);

-- Quarters of an hour whose roll-ups, and those of the day and month around them, are not true any more. Queries read
-- their events until they are computed anew.
CREATE TABLE rollup_dirty (
  series  INTEGER NOT NULL,
  quarter INTEGER NOT NULL,
  PRIMARY KEY (series, quarter)
) STRICT, WITHOUT ROWID;

-- Between which instants the events of a delta lie; NULL for those from before this column.
ALTER TABLE rollup_deltas ADD COLUMN first_ms INTEGER;
ALTER TABLE rollup_deltas ADD COLUMN last_ms INTEGER;
