-- Instants are ISO 8601 text in UTC with milliseconds, so that they sort as they happened.

ALTER TABLE apps ADD COLUMN content TEXT; -- JSON object: what the app's type has besides; NULL: nothing

-- A customer of the payment system is one customer's here.
ALTER TABLE customer_billing ADD COLUMN stripe_customer_id TEXT;
CREATE UNIQUE INDEX customer_billing_stripe ON customer_billing (stripe_customer_id) WHERE stripe_customer_id IS NOT NULL;

-- Secrets of apps, sealed with a key that is not in the database.
CREATE TABLE app_secrets (
  app_id TEXT NOT NULL REFERENCES apps (id),
  name   TEXT NOT NULL,
  sealed TEXT NOT NULL,
  PRIMARY KEY (app_id, name)
);

-- What is to be done in the system of an app: one row for each invoice or customer.
CREATE TABLE app_tasks (
  subject_id TEXT PRIMARY KEY, -- an invoice or a customer
  app_id     TEXT NOT NULL REFERENCES apps (id),
  kind       TEXT NOT NULL,
  revision   INTEGER NOT NULL, -- counts up each time that something is asked for
  attempts   INTEGER NOT NULL,
  content    TEXT NOT NULL, -- JSON object
  due_at     TEXT NOT NULL,
  holder     TEXT, -- who works on it
  lease_to   TEXT
);

CREATE INDEX app_tasks_due ON app_tasks (due_at, subject_id);
CREATE INDEX app_tasks_app ON app_tasks (app_id);

-- A row before each call that changes something there: a process that is killed knows afterwards what it may have done.
CREATE TABLE app_calls (
  id              TEXT PRIMARY KEY,
  app_id          TEXT NOT NULL,
  subject_id      TEXT NOT NULL,
  operation       TEXT NOT NULL,
  attempt         INTEGER NOT NULL,
  idempotency_key TEXT NOT NULL UNIQUE,
  request_hash    TEXT NOT NULL,
  state           TEXT NOT NULL, -- planned, done, failed
  external_id     TEXT,
  http_status     INTEGER,
  error_code      TEXT,
  request_id      TEXT, -- of the other system, for its support
  planned_at      TEXT NOT NULL,
  answered_at     TEXT
);

CREATE INDEX app_calls_subject ON app_calls (subject_id, operation, attempt);

-- Events of the other system that have come: each is taken once.
CREATE TABLE app_webhook_events (
  app_id      TEXT NOT NULL,
  event_id    TEXT NOT NULL,
  type        TEXT NOT NULL,
  received_at TEXT NOT NULL,
  PRIMARY KEY (app_id, event_id)
);

CREATE INDEX app_webhook_events_received ON app_webhook_events (received_at);
