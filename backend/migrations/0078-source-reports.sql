-- What collectors say of their sources, the last report of each; what they have sent stands in the ledger of usage.

CREATE TABLE source_reports (
  node        TEXT    NOT NULL,
  process     TEXT    NOT NULL,
  kind        TEXT    NOT NULL, -- of the source, such as aws_s3
  version     TEXT    NOT NULL, -- of the collector
  reported_at TEXT    NOT NULL, -- by our clock
  lag_seconds INTEGER,          -- by the collector's clock, at the report; none where it is pushed to
  waiting     INTEGER NOT NULL, -- events on its disk
  open        INTEGER,          -- slices or objects that wait for the source
  error       TEXT,             -- the last one, without secrets
  error_at    TEXT,             -- by the collector's clock
  PRIMARY KEY (node, process)
);
