-- Credit that a customer was given or has bought, and adjustments that give some.
CREATE TABLE credit_lots (
  id TEXT PRIMARY KEY,
  customer_id TEXT NOT NULL,
  currency TEXT NOT NULL,
  -- Order of creation among those of the customer in the currency.
  seq INTEGER NOT NULL,
  -- grant, or adjustment.
  kind TEXT NOT NULL,
  grant_key TEXT,
  content TEXT NOT NULL,
  created_at TEXT NOT NULL,
  UNIQUE (customer_id, currency, seq)
);
CREATE UNIQUE INDEX credit_lots_keys ON credit_lots (customer_id, grant_key) WHERE grant_key IS NOT NULL;

-- What draws credit.
CREATE TABLE credit_runs (
  id TEXT PRIMARY KEY,
  customer_id TEXT NOT NULL,
  currency TEXT NOT NULL,
  content TEXT NOT NULL,
  created_at TEXT NOT NULL
);
CREATE INDEX credit_runs_customers ON credit_runs (customer_id, currency);

-- The ledger: only added to. A balance is a sum of these.
CREATE TABLE credit_movements (
  customer_id TEXT NOT NULL,
  currency TEXT NOT NULL,
  seq INTEGER NOT NULL,
  kind TEXT NOT NULL,
  -- NULL: an advance, which no credit has paid for.
  lot_id TEXT,
  run_id TEXT,
  feature_key TEXT,
  amount TEXT NOT NULL,
  booked_at TEXT NOT NULL,
  known_at TEXT NOT NULL,
  reason_id TEXT NOT NULL,
  PRIMARY KEY (customer_id, currency, seq)
);
-- The same reason books once.
CREATE UNIQUE INDEX credit_movements_reasons
  ON credit_movements (customer_id, currency, reason_id, kind, COALESCE(lot_id, ''), COALESCE(run_id, ''));
