-- What this database shares with usage.sqlite: one row.
CREATE TABLE data_folder (
  one           INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  data_id       TEXT,             -- the same in both; NULL until a backend has owned them
  owner_epoch   INTEGER NOT NULL, -- rises with each backend that owns them: one with a lower number has lost them
  commits       INTEGER NOT NULL, -- of backends that owned it
  usage_commits INTEGER NOT NULL  -- what usage.sqlite had at least
);
INSERT INTO data_folder VALUES (1, NULL, 0, 0, 0);
