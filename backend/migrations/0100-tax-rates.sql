-- Taxes that are computed here: rates of one's own, and what customers are for them.

CREATE TABLE tax_rates (
  id            TEXT PRIMARY KEY,
  name          TEXT NOT NULL,
  description   TEXT,
  labels        TEXT, -- JSON object
  country       TEXT, -- ISO 3166, of the customer; NULL: all others
  customer_kind TEXT, -- business, consumer; NULL: both
  tax_code_id   TEXT REFERENCES tax_codes (id), -- NULL: all others
  category      TEXT NOT NULL, -- standard, zero_rated, exempt, reverse_charge, export, outside_scope
  percentage    TEXT NOT NULL, -- decimal
  reason        TEXT, -- printed on invoices
  created_at    TEXT NOT NULL,
  updated_at    TEXT NOT NULL,
  deleted_at    TEXT
);

CREATE TABLE customer_taxes (
  customer_id TEXT PRIMARY KEY REFERENCES customers (id),
  content     TEXT NOT NULL, -- JSON object: status, tax ids, reason
  updated_at  TEXT NOT NULL
);
