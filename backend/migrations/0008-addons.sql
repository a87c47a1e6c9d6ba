-- Versions of add-ons: what customers can buy on top of a plan. The rules of versions are those of plans.
CREATE TABLE addons (
  id TEXT NOT NULL PRIMARY KEY,
  key TEXT NOT NULL,
  version INTEGER NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  labels TEXT,                -- JSON object
  currency TEXT NOT NULL,
  content TEXT NOT NULL,      -- JSON object: instance type, rate cards
  effective_from TEXT,        -- null: a draft
  effective_to TEXT,          -- null: no end; both half-open
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  deleted_at TEXT
);

-- Deleted versions keep their number: invoices and subscriptions name it.
CREATE UNIQUE INDEX addons_key_version ON addons (key, version);
CREATE UNIQUE INDEX addons_one_draft ON addons (key) WHERE effective_from IS NULL AND deleted_at IS NULL;
-- Of all published versions of a key only one has no end, so that two can never be active.
CREATE UNIQUE INDEX addons_one_without_end ON addons (key)
  WHERE effective_from IS NOT NULL AND effective_to IS NULL AND deleted_at IS NULL;
CREATE INDEX addons_created_at ON addons (created_at);

-- Which add-ons can be bought with which version of a plan.
CREATE TABLE plan_addons (
  id TEXT NOT NULL PRIMARY KEY,
  plan_id TEXT NOT NULL REFERENCES plans (id),
  addon_id TEXT NOT NULL REFERENCES addons (id),
  name TEXT NOT NULL,
  description TEXT,
  labels TEXT,                -- JSON object
  from_plan_phase TEXT NOT NULL,
  max_quantity INTEGER,       -- null: no limit
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  deleted_at TEXT
);

CREATE UNIQUE INDEX plan_addons_pair ON plan_addons (plan_id, addon_id) WHERE deleted_at IS NULL;
CREATE INDEX plan_addons_addon ON plan_addons (addon_id);
