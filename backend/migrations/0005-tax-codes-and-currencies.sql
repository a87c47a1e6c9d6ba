-- Instants are ISO 8601 text in UTC with milliseconds, so that they sort as they happened.

CREATE TABLE tax_codes (
  id                   TEXT PRIMARY KEY,
  key                  TEXT NOT NULL,
  name                 TEXT NOT NULL,
  description          TEXT,
  labels               TEXT, -- JSON object
  app_mappings         TEXT NOT NULL, -- JSON array
  is_managed_by_system INTEGER NOT NULL, -- 1: cannot be changed or deleted
  created_at           TEXT NOT NULL,
  updated_at           TEXT NOT NULL,
  deleted_at           TEXT
);

-- A key is free again once its tax code is deleted.
CREATE UNIQUE INDEX tax_codes_living_key ON tax_codes (key) WHERE deleted_at IS NULL;

-- The codes that are always there, with ids that are the same everywhere and sort first.
INSERT INTO tax_codes VALUES
  ('00000000000000000000000001', 'default', 'Provider default',
   'No code of its own: the tax provider uses the one set there.', NULL, '[]', 1,
   strftime('%Y-%m-%dT%H:%M:%fZ'), strftime('%Y-%m-%dT%H:%M:%fZ'), NULL),
  ('00000000000000000000000002', 'nontaxable', 'Nontaxable', NULL, NULL,
   '[{"app_type":"stripe","tax_code":"txcd_00000000"}]', 1,
   strftime('%Y-%m-%dT%H:%M:%fZ'), strftime('%Y-%m-%dT%H:%M:%fZ'), NULL);

CREATE TABLE organization_default_tax_codes (
  id                       INTEGER PRIMARY KEY CHECK (id = 1), -- one row
  invoicing_tax_code_id    TEXT NOT NULL REFERENCES tax_codes (id),
  credit_grant_tax_code_id TEXT NOT NULL REFERENCES tax_codes (id),
  created_at               TEXT NOT NULL,
  updated_at               TEXT NOT NULL
);
INSERT INTO organization_default_tax_codes VALUES
  (1, '00000000000000000000000001', '00000000000000000000000002',
   strftime('%Y-%m-%dT%H:%M:%fZ'), strftime('%Y-%m-%dT%H:%M:%fZ'));

CREATE TABLE custom_currencies (
  id                 TEXT PRIMARY KEY,
  code               TEXT NOT NULL UNIQUE,
  name               TEXT NOT NULL,
  symbol             TEXT,
  digits             INTEGER NOT NULL, -- after the decimal mark: 0 to 12
  decimal_mark       TEXT NOT NULL,
  thousand_separator TEXT NOT NULL,
  created_at         TEXT NOT NULL
);

-- What one unit of a custom currency costs in a fiat currency, from and until when.
CREATE TABLE currency_cost_bases (
  id             TEXT PRIMARY KEY,
  currency_id    TEXT NOT NULL REFERENCES custom_currencies (id),
  fiat_code      TEXT NOT NULL,
  rate           TEXT NOT NULL, -- decimal number
  effective_from TEXT NOT NULL,
  effective_to   TEXT, -- exclusive; null: until a later one begins
  created_at     TEXT NOT NULL
);
CREATE INDEX currency_cost_bases_order ON currency_cost_bases (currency_id, fiat_code, effective_from);
