-- Instants are ISO 8601 text in UTC with milliseconds, so that they sort as they happened. Money and quantities are
-- decimal text.

-- What is to be billed: one row for each card and period of a subscription, or made by hand.
CREATE TABLE charges (
  id              TEXT PRIMARY KEY,
  customer_id     TEXT NOT NULL REFERENCES customers (id),
  currency        TEXT NOT NULL,
  reference       TEXT, -- the subscription's identity of the line, or the idempotency key of whoever made it
  controller      TEXT NOT NULL, -- system: a subscription; manual: a person
  state           TEXT NOT NULL, -- open: something is left to invoice; billed; deleted
  subscription_id TEXT,
  content         TEXT NOT NULL, -- JSON object: terms, names, what it is for
  service_from    TEXT NOT NULL,
  service_to      TEXT NOT NULL,
  billing_from    TEXT NOT NULL,
  invoice_at      TEXT NOT NULL,
  billed_to       TEXT, -- up to where the service period stands on invoices
  created_at      TEXT NOT NULL,
  updated_at      TEXT NOT NULL,
  deleted_at      TEXT
);

-- A reference is never given twice, not even after its charge was deleted: the same period cannot be billed again.
CREATE UNIQUE INDEX charges_reference ON charges (customer_id, reference) WHERE reference IS NOT NULL;
CREATE INDEX charges_subscription ON charges (subscription_id);
CREATE INDEX charges_open ON charges (customer_id, currency, invoice_at) WHERE state = 'open';
CREATE INDEX charges_due ON charges (invoice_at, customer_id) WHERE state = 'open';

-- The invoice in the making of a customer and currency: its lines are the open charges.
CREATE TABLE gathering_invoices (
  id          TEXT PRIMARY KEY,
  customer_id TEXT NOT NULL REFERENCES customers (id),
  currency    TEXT NOT NULL,
  number      TEXT NOT NULL,
  created_at  TEXT NOT NULL,
  UNIQUE (customer_id, currency)
);

CREATE TABLE invoices (
  id            TEXT PRIMARY KEY,
  customer_id   TEXT NOT NULL REFERENCES customers (id),
  currency      TEXT NOT NULL,
  number        TEXT NOT NULL,
  status        TEXT NOT NULL, -- the extended one
  short_status  TEXT NOT NULL, -- its part before the dot
  version       INTEGER NOT NULL,
  profile_id    TEXT NOT NULL,
  app_id        TEXT NOT NULL,
  content       TEXT NOT NULL, -- JSON object: what was copied when it was made, totals, issues, facts of the app
  total         TEXT NOT NULL,
  service_from  TEXT NOT NULL,
  service_to    TEXT NOT NULL,
  collection_at TEXT,
  draft_until   TEXT,
  issued_at     TEXT,
  due_at        TEXT,
  wake_at       TEXT, -- when a job has to look at it again; NULL: never by itself
  created_at    TEXT NOT NULL,
  updated_at    TEXT NOT NULL,
  deleted_at    TEXT
);

CREATE UNIQUE INDEX invoices_number ON invoices (number);
CREATE INDEX invoices_customer ON invoices (customer_id, created_at);
CREATE INDEX invoices_wake ON invoices (wake_at, id) WHERE wake_at IS NOT NULL;
CREATE INDEX invoices_created ON invoices (created_at);
CREATE INDEX invoices_open ON invoices (customer_id) WHERE status NOT IN ('paid', 'voided', 'deleted');

CREATE TABLE invoice_lines (
  id           TEXT PRIMARY KEY,
  invoice_id   TEXT NOT NULL REFERENCES invoices (id),
  position     INTEGER NOT NULL,
  charge_id    TEXT REFERENCES charges (id),
  content      TEXT NOT NULL, -- JSON object: the line with its rating
  service_from TEXT NOT NULL,
  service_to   TEXT NOT NULL,
  quantity     TEXT, -- in the meter's unit; NULL until it is taken
  created_at   TEXT NOT NULL,
  updated_at   TEXT NOT NULL,
  deleted_at   TEXT
);

CREATE INDEX invoice_lines_invoice ON invoice_lines (invoice_id, position);
CREATE INDEX invoice_lines_charge ON invoice_lines (charge_id, service_from);

-- Differences to what was billed, waiting for the next invoice or on one.
CREATE TABLE billing_corrections (
  id          TEXT PRIMARY KEY,
  customer_id TEXT NOT NULL REFERENCES customers (id),
  currency    TEXT NOT NULL,
  charge_id   TEXT REFERENCES charges (id),
  state       TEXT NOT NULL, -- pending, invoiced, reported
  line_id     TEXT,
  content     TEXT NOT NULL, -- JSON object
  created_at  TEXT NOT NULL
);

CREATE INDEX billing_corrections_pending ON billing_corrections (customer_id, currency) WHERE state = 'pending';
CREATE INDEX billing_corrections_charge ON billing_corrections (charge_id);
CREATE INDEX billing_corrections_customer ON billing_corrections (customer_id, created_at);

-- Numbers that were given out. The counter of issued invoices is raised in the transaction that issues, so no number is missing.
CREATE TABLE invoice_counters (
  scope TEXT PRIMARY KEY,
  value INTEGER NOT NULL
);

-- When the charges of a subscription have to be looked at again: at once after a change, else at the end of its period.
CREATE TABLE billing_subscriptions (
  subscription_id TEXT PRIMARY KEY,
  customer_id     TEXT NOT NULL,
  sync_at         TEXT, -- NULL: it has ended and everything is charged
  synced_to       TEXT
);

CREATE INDEX billing_subscriptions_due ON billing_subscriptions (sync_at, subscription_id) WHERE sync_at IS NOT NULL;
