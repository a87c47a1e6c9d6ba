-- What customers may use of features. Instants are ISO 8601 text in UTC with milliseconds; quantities decimal text.

CREATE TABLE entitlements (
  id                   TEXT PRIMARY KEY,
  customer_id          TEXT NOT NULL REFERENCES customers (id),
  feature_id           TEXT NOT NULL REFERENCES features (id),
  feature_key          TEXT NOT NULL, -- as it was when access was granted: another feature may take the key over
  type                 TEXT NOT NULL, -- metered, static, boolean
  config               TEXT, -- static: JSON text
  is_soft_limit        INTEGER NOT NULL DEFAULT 0,
  preserves_overage    INTEGER NOT NULL DEFAULT 0,
  issue_amount         TEXT, -- granted anew in each usage period
  issue_priority       INTEGER,
  usage_interval       TEXT, -- ISO 8601 duration
  usage_anchor         TEXT,
  measure_from         TEXT,
  unit_config          TEXT, -- JSON object: how usage becomes the unit of the limit
  labels               TEXT, -- JSON object
  active_from          TEXT NOT NULL,
  active_to            TEXT,
  subscription_id      TEXT, -- whose rate card it comes from; then it can only be changed there
  subscription_item_id TEXT,
  created_at           TEXT NOT NULL,
  updated_at           TEXT NOT NULL,
  deleted_at           TEXT
);

CREATE INDEX entitlements_customer ON entitlements (customer_id, feature_key, active_from);
CREATE INDEX entitlements_feature ON entitlements (feature_id);
CREATE INDEX entitlements_subscription ON entitlements (subscription_id) WHERE subscription_id IS NOT NULL;

CREATE TABLE entitlement_grants (
  id                  TEXT PRIMARY KEY,
  entitlement_id      TEXT NOT NULL REFERENCES entitlements (id),
  is_issue            INTEGER NOT NULL, -- 1: the entitlement's own, filled up at each reset
  amount              TEXT NOT NULL,
  priority            INTEGER NOT NULL,
  effective_at        TEXT NOT NULL,
  expires_after       TEXT, -- ISO 8601 duration
  expires_at          TEXT,
  max_rollover        TEXT NOT NULL,
  min_rollover        TEXT NOT NULL,
  recurrence_interval TEXT,
  recurrence_anchor   TEXT,
  labels              TEXT, -- JSON object
  voided_at           TEXT,
  created_at          TEXT NOT NULL,
  updated_at          TEXT NOT NULL
);

CREATE INDEX entitlement_grants_entitlement ON entitlement_grants (entitlement_id);

-- Resets by hand; those at the end of a usage period follow from its interval.
CREATE TABLE entitlement_resets (
  entitlement_id    TEXT NOT NULL REFERENCES entitlements (id),
  effective_at      TEXT NOT NULL,
  anchor            TEXT NOT NULL, -- a boundary of the usage periods from here on
  preserves_overage INTEGER NOT NULL,
  created_at        TEXT NOT NULL,
  PRIMARY KEY (entitlement_id, effective_at)
);
