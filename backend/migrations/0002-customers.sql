-- Instants are ISO 8601 text in UTC with milliseconds, so that they sort as they happened.

CREATE TABLE customers (
  id                    TEXT PRIMARY KEY,
  key                   TEXT NOT NULL,
  name                  TEXT NOT NULL,
  description           TEXT,
  labels                TEXT, -- JSON object
  primary_email         TEXT,
  currency              TEXT,
  billing_address       TEXT, -- JSON object
  has_usage_attribution INTEGER NOT NULL, -- 1 when the customer was given a list of subject keys, be it an empty one
  created_at            TEXT NOT NULL,
  updated_at            TEXT NOT NULL,
  deleted_at            TEXT
);

-- A key is free again once its customer is deleted.
CREATE UNIQUE INDEX customers_living_key ON customers (key) WHERE deleted_at IS NULL;
CREATE INDEX customers_living_name ON customers (name, id) WHERE deleted_at IS NULL;

CREATE TABLE customer_subject_keys (
  customer_id TEXT NOT NULL REFERENCES customers (id),
  position    INTEGER NOT NULL, -- place in the customer's list, from 0
  subject_key TEXT NOT NULL,
  deleted_at  TEXT, -- when its customer was deleted
  PRIMARY KEY (customer_id, position)
);

-- One subject key belongs to one living customer at most: an event can never be billed to two.
CREATE UNIQUE INDEX customer_subject_keys_living ON customer_subject_keys (subject_key) WHERE deleted_at IS NULL;
