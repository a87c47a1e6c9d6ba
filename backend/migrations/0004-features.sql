-- Instants are ISO 8601 text in UTC with milliseconds, so that they sort as they happened.

CREATE TABLE features (
  id              TEXT PRIMARY KEY,
  key             TEXT NOT NULL,
  name            TEXT NOT NULL,
  description     TEXT,
  labels          TEXT, -- JSON object
  meter_id        TEXT REFERENCES meters (id), -- null: a static feature
  meter_filters   TEXT, -- JSON object: name of a dimension to its filter
  dimension_paths TEXT, -- JSON object: name to JSONPath; what the filters read when the meter has dropped the dimension since
  unit_cost       TEXT, -- JSON object
  created_at      TEXT NOT NULL,
  updated_at      TEXT NOT NULL,
  deleted_at      TEXT -- when it was archived
);

-- A key is free again once its feature is archived.
CREATE UNIQUE INDEX features_living_key ON features (key) WHERE deleted_at IS NULL;
CREATE INDEX features_key ON features (key);
CREATE INDEX features_meter ON features (meter_id);
