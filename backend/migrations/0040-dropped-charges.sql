-- When a person took the charge off its invoice, or deleted that invoice: it is not asked for again.
ALTER TABLE charges ADD COLUMN dropped_at TEXT;
-- Who is owed something: credits that wait for an invoice, whoever they are for.
CREATE INDEX billing_corrections_owed ON billing_corrections (currency, customer_id) WHERE state = 'pending';
