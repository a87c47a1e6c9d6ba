-- Charges are worked out for a customer at a time, all its subscriptions together.
DROP TABLE billing_subscriptions;

CREATE TABLE billing_customers (
  customer_id TEXT PRIMARY KEY REFERENCES customers (id),
  synced_at   TEXT, -- when charges were last worked out, in the customer's time
  sync_at     TEXT -- when they have to be again: at once after a change, else at the end of a billing period; NULL: never
);

CREATE INDEX billing_customers_due ON billing_customers (sync_at, customer_id) WHERE sync_at IS NOT NULL;

CREATE INDEX charges_billed ON charges (customer_id, service_to) WHERE state = 'billed';
