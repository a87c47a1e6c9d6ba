-- What is to be paid after all, of customers for whom nothing else may be billed: each run looks for it.
ALTER TABLE billing_corrections ADD COLUMN is_debit INTEGER NOT NULL DEFAULT 0;
UPDATE billing_corrections SET is_debit = 1 WHERE content NOT LIKE '%"amount":"-%';
CREATE INDEX billing_corrections_debits ON billing_corrections (customer_id, currency) WHERE state = 'pending' AND is_debit = 1;
