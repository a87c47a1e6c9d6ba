-- What billing has to look at again follows from what has changed, not from comparing clocks: a clock that steps back, or
-- another server's, would have a change lie before the last look.

-- Subscriptions that have changed since billing last followed them; each change counts up.
CREATE TABLE subscription_changes (
  subscription_id TEXT PRIMARY KEY REFERENCES subscriptions (id),
  customer_id     TEXT NOT NULL,
  revision        INTEGER NOT NULL
);
CREATE INDEX subscription_changes_customer ON subscription_changes (customer_id);
-- All of them once: what clocks have hidden so far is found.
INSERT INTO subscription_changes (subscription_id, customer_id, revision) SELECT id, customer_id, 1 FROM subscriptions;

-- Subscriptions of which more charges are to come by themselves. All others are looked at when they change.
CREATE TABLE billing_open_subscriptions (
  subscription_id TEXT PRIMARY KEY,
  customer_id     TEXT NOT NULL REFERENCES customers (id)
);
CREATE INDEX billing_open_subscriptions_customer ON billing_open_subscriptions (customer_id);
