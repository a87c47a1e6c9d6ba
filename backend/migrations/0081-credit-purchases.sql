-- The charge that a grant is bought with.
ALTER TABLE credit_lots ADD COLUMN charge_id TEXT;
CREATE INDEX credit_lots_charges ON credit_lots (charge_id) WHERE charge_id IS NOT NULL;
CREATE INDEX credit_lots_purchases ON credit_lots (customer_id) WHERE charge_id IS NOT NULL;
