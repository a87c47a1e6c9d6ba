-- Versions of plans: what customers can subscribe to. A published version never changes; its period does.
CREATE TABLE plans (
  id TEXT NOT NULL PRIMARY KEY,
  key TEXT NOT NULL,
  version INTEGER NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  labels TEXT,                -- JSON object
  currency TEXT NOT NULL,
  content TEXT NOT NULL,      -- JSON object: billing cadence, proration, settlement mode, phases with their rate cards
  effective_from TEXT,        -- null: a draft
  effective_to TEXT,          -- null: no end; both half-open
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  deleted_at TEXT
);

-- Deleted versions keep their number: invoices and subscriptions name it.
CREATE UNIQUE INDEX plans_key_version ON plans (key, version);
CREATE UNIQUE INDEX plans_one_draft ON plans (key) WHERE effective_from IS NULL AND deleted_at IS NULL;
-- Of all published versions of a key only one has no end, so that two can never be active.
CREATE UNIQUE INDEX plans_one_without_end ON plans (key)
  WHERE effective_from IS NOT NULL AND effective_to IS NULL AND deleted_at IS NULL;
CREATE INDEX plans_created_at ON plans (created_at);
