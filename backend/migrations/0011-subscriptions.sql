-- Instants are ISO 8601 text in UTC with milliseconds, so that they sort as they happened.

CREATE TABLE subscriptions (
  id                 TEXT PRIMARY KEY,
  customer_id        TEXT NOT NULL REFERENCES customers (id),
  plan_id            TEXT, -- NULL for a custom plan
  plan_key           TEXT,
  plan_version       INTEGER,
  name               TEXT NOT NULL,
  description        TEXT,
  labels             TEXT, -- JSON object
  currency           TEXT NOT NULL,
  invoice_currency   TEXT NOT NULL,
  billing_cadence    TEXT NOT NULL,
  billing_anchor     TEXT NOT NULL,
  pro_rating_enabled INTEGER NOT NULL,
  settlement_mode    TEXT NOT NULL,
  cost_basis_mode    TEXT NOT NULL,
  active_from        TEXT NOT NULL,
  active_to          TEXT,
  phases             TEXT NOT NULL, -- JSON: what was agreed, the rate cards copied from the plan
  previous_id        TEXT REFERENCES subscriptions (id),
  superseding_id     TEXT REFERENCES subscriptions (id),
  created_at         TEXT NOT NULL,
  updated_at         TEXT NOT NULL,
  deleted_at         TEXT
);
CREATE INDEX subscriptions_customer ON subscriptions (customer_id, active_from);
CREATE INDEX subscriptions_active_from ON subscriptions (active_from, id) WHERE deleted_at IS NULL;

-- What follows from the agreement and the add-ons, with the versions that lines and entitlements are named after.
CREATE TABLE subscription_items (
  id              TEXT PRIMARY KEY,
  subscription_id TEXT NOT NULL REFERENCES subscriptions (id),
  position        INTEGER NOT NULL,
  phase_key       TEXT NOT NULL,
  item_key        TEXT NOT NULL,
  version         INTEGER NOT NULL,
  billed_as       INTEGER NOT NULL,
  rate_card       TEXT NOT NULL, -- JSON
  feature_id      TEXT,
  is_exclusive    INTEGER NOT NULL, -- 1: priced or with an entitlement, of which a customer has one at a time
  active_from     TEXT NOT NULL,
  active_to       TEXT,
  is_removed      INTEGER NOT NULL
);
-- A version is given once.
CREATE UNIQUE INDEX subscription_items_version ON subscription_items (subscription_id, phase_key, item_key, version);

CREATE TABLE subscription_addons (
  id              TEXT PRIMARY KEY,
  subscription_id TEXT NOT NULL REFERENCES subscriptions (id),
  addon_id        TEXT NOT NULL,
  name            TEXT NOT NULL,
  description     TEXT,
  labels          TEXT, -- JSON object
  rate_cards      TEXT NOT NULL, -- JSON
  timeline        TEXT NOT NULL, -- JSON: instants and quantities
  created_at      TEXT NOT NULL,
  updated_at      TEXT NOT NULL
);
-- More of an add-on is a greater quantity, never a second purchase.
CREATE UNIQUE INDEX subscription_addons_once ON subscription_addons (subscription_id, addon_id);
