-- Features whose usage a gateway stops when the customer has no credit left, whatever is invoiced.
CREATE TABLE credit_stops (
  feature_id TEXT PRIMARY KEY,
  updated_at TEXT NOT NULL
);

-- Usage that gateway nodes may let through without asking: nobody else is given the credit for it until then.
CREATE TABLE credit_leases (
  customer_id TEXT NOT NULL,
  feature_key TEXT NOT NULL,
  -- A node, and the key that it knows the customer by.
  node TEXT NOT NULL,
  customer_key TEXT NOT NULL,
  -- Units of the meter that were leased and have not been counted yet.
  units TEXT NOT NULL,
  -- Rises with each question of the holder: one that was overtaken on its way changes nothing.
  turn INTEGER NOT NULL,
  granted_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  PRIMARY KEY (customer_id, feature_key, node, customer_key)
);
CREATE INDEX credit_leases_expiry ON credit_leases (expires_at);
