-- Instants are ISO 8601 text in UTC with milliseconds, so that they sort as they happened. Money is decimal text.

-- What was paid, or tried to be paid, for an invoice.
CREATE TABLE invoice_payments (
  id          TEXT PRIMARY KEY,
  invoice_id  TEXT NOT NULL REFERENCES invoices (id),
  app_id      TEXT NOT NULL,
  external_id TEXT, -- the payment's id in the system of the app
  reference   TEXT, -- what whoever recorded it knows it by
  amount      TEXT NOT NULL,
  currency    TEXT NOT NULL,
  state       TEXT NOT NULL,
  content     TEXT NOT NULL, -- JSON object: method, failure, note
  paid_at     TEXT NOT NULL,
  created_at  TEXT NOT NULL,
  updated_at  TEXT NOT NULL
);

CREATE INDEX invoice_payments_invoice ON invoice_payments (invoice_id, id);
CREATE UNIQUE INDEX invoice_payments_external ON invoice_payments (app_id, external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX invoice_payments_reference ON invoice_payments (invoice_id, reference) WHERE reference IS NOT NULL;

-- What happened to an invoice, for people.
CREATE TABLE invoice_events (
  id         TEXT PRIMARY KEY,
  invoice_id TEXT NOT NULL REFERENCES invoices (id),
  kind       TEXT NOT NULL,
  content    TEXT NOT NULL, -- JSON object
  created_at TEXT NOT NULL
);

CREATE INDEX invoice_events_invoice ON invoice_events (invoice_id, id);
