-- Who changed what. A row is written before the change, and completed after it: without a status nobody knows whether
-- the change was made.

CREATE TABLE audit_log (
  id             TEXT PRIMARY KEY,
  at             TEXT NOT NULL,
  token_id       TEXT NOT NULL,
  token_name     TEXT NOT NULL, -- as it was then; the token may be gone
  role           TEXT NOT NULL,
  client_address TEXT,
  request_id     TEXT NOT NULL,
  operation_id   TEXT NOT NULL,
  method         TEXT NOT NULL,
  path           TEXT NOT NULL,
  resource_type  TEXT NOT NULL,
  resource_id    TEXT,
  outcome        TEXT NOT NULL, -- unknown, succeeded, refused, failed
  status         INTEGER,
  request        TEXT, -- JSON, without secrets, of bounded size
  before         TEXT,
  after          TEXT
);

CREATE INDEX audit_log_resource ON audit_log (resource_type, resource_id, id);
CREATE INDEX audit_log_token ON audit_log (token_id, id);
CREATE INDEX audit_log_at ON audit_log (at);
