-- Instants are ISO 8601 text in UTC with milliseconds, so that they sort as they happened.

CREATE TABLE access_tokens (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  role       TEXT NOT NULL,
  token_hash TEXT NOT NULL UNIQUE, -- SHA-256 in hexadecimal; the token itself is never stored
  created_at TEXT NOT NULL
);

CREATE TABLE meters (
  id             TEXT PRIMARY KEY,
  key            TEXT NOT NULL,
  name           TEXT NOT NULL,
  description    TEXT,
  labels         TEXT, -- JSON object
  aggregation    TEXT NOT NULL,
  event_type     TEXT NOT NULL,
  events_from    TEXT,
  value_property TEXT,
  dimensions     TEXT, -- JSON object: name to JSONPath
  created_at     TEXT NOT NULL,
  updated_at     TEXT NOT NULL,
  deleted_at     TEXT
);

-- A key is free again once its meter is deleted.
CREATE UNIQUE INDEX meters_living_key ON meters (key) WHERE deleted_at IS NULL;
CREATE INDEX meters_event_type ON meters (event_type);
