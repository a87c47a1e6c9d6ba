-- When the usage that was billed lately was last looked at again: late events are found within a day, whether or not an
-- invoice is made.
ALTER TABLE billing_customers ADD COLUMN recounted_at TEXT;
