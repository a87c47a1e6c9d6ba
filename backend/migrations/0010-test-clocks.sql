-- Customers that live by a clock of their own, moved by the API. Instants are ISO 8601 text in UTC with milliseconds.

CREATE TABLE test_clocks (
  customer_id TEXT PRIMARY KEY REFERENCES customers (id),
  now_at      TEXT NOT NULL, -- the customer's now: it stands still until it is moved
  created_at  TEXT NOT NULL, -- real time, as updated_at
  updated_at  TEXT NOT NULL
);
