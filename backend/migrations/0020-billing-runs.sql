-- Billing runs: each goes through its stages customer by customer, invoice by invoice, and notes how far it is.
CREATE TABLE billing_runs (
  id          TEXT PRIMARY KEY,
  as_of       TEXT NOT NULL, -- the now of the run
  is_full     INTEGER NOT NULL, -- 1: charges of all subscribers are worked out, 0: of those that are due
  started_by  TEXT NOT NULL, -- schedule, api
  stage       TEXT NOT NULL, -- generate, collect, advance, overdue, finished
  after_id    TEXT NOT NULL, -- the last item of the stage that is done; empty: none
  done        INTEGER NOT NULL, -- items, over all stages
  failed      INTEGER NOT NULL,
  last_error  TEXT, -- JSON object
  created_at  TEXT NOT NULL,
  updated_at  TEXT NOT NULL,
  finished_at TEXT
);

CREATE INDEX billing_runs_unfinished ON billing_runs (created_at, id) WHERE finished_at IS NULL;
CREATE INDEX billing_runs_created ON billing_runs (created_at);

-- One process at a time runs them. Whoever holds the lease renews it; a dead one's runs out.
CREATE TABLE billing_lease (
  name        TEXT PRIMARY KEY,
  holder      TEXT NOT NULL,
  lease_until TEXT NOT NULL
);
