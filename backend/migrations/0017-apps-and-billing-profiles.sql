-- Instants are ISO 8601 text in UTC with milliseconds, so that they sort as they happened.

CREATE TABLE apps (
  id                       TEXT PRIMARY KEY,
  type                     TEXT NOT NULL, -- sandbox, external_invoicing
  name                     TEXT NOT NULL,
  description              TEXT,
  labels                   TEXT, -- JSON object
  enable_draft_sync_hook   INTEGER NOT NULL, -- external_invoicing: wait in draft.syncing for the integration
  enable_issuing_sync_hook INTEGER NOT NULL, -- external_invoicing: wait in issuing.syncing for the integration
  is_built_in              INTEGER NOT NULL, -- 1: the sandbox that is always there
  created_at               TEXT NOT NULL,
  updated_at               TEXT NOT NULL,
  deleted_at               TEXT
);

CREATE TABLE billing_profiles (
  id          TEXT PRIMARY KEY,
  name        TEXT NOT NULL,
  description TEXT,
  labels      TEXT, -- JSON object
  supplier    TEXT NOT NULL, -- JSON object
  workflow    TEXT NOT NULL, -- JSON object, all settings written out
  adjustments TEXT NOT NULL, -- JSON object: what happens to late usage and to unused time
  app_id      TEXT NOT NULL REFERENCES apps (id), -- for tax, invoicing and payment alike
  is_default  INTEGER NOT NULL,
  created_at  TEXT NOT NULL,
  updated_at  TEXT NOT NULL,
  deleted_at  TEXT
);

-- One default at any time: every customer without a profile of its own is billed by it.
CREATE UNIQUE INDEX billing_profiles_default ON billing_profiles (is_default) WHERE is_default = 1 AND deleted_at IS NULL;
CREATE INDEX billing_profiles_app ON billing_profiles (app_id);

CREATE TABLE customer_billing (
  customer_id        TEXT PRIMARY KEY REFERENCES customers (id),
  billing_profile_id TEXT REFERENCES billing_profiles (id), -- NULL: the default profile
  app_data           TEXT, -- JSON object by type of app
  created_at         TEXT NOT NULL,
  updated_at         TEXT NOT NULL
);

CREATE INDEX customer_billing_profile ON customer_billing (billing_profile_id);

-- Billing works from the first start on. Their ids are the same everywhere, so that a configuration can name them.
INSERT INTO apps VALUES (
  '01JD0000000000000000000001', 'sandbox', 'Sandbox', 'Issues invoices without sending them to anybody.', NULL, 0, 0, 1,
  strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), NULL
);
INSERT INTO billing_profiles VALUES (
  '01JD0000000000000000000002', 'Default', NULL, NULL, '{"name":"My company"}',
  '{"collection":{"alignment":{"type":"subscription"},"interval":"PT1H"},"invoicing":{"auto_advance":true,"draft_period":"P0D","progressive_billing":true,"subscription_end_proration_mode":"bill_actual_period"},"payment":{"collection_method":"charge_automatically"},"tax":{"enabled":true,"enforced":false}}',
  '{"late_usage":"bill","unused_time":"credit"}', '01JD0000000000000000000001', 1,
  strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), NULL
);
