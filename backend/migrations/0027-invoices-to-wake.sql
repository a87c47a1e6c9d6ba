-- The few invoices that a job has to look at again, in the order in which it goes through them. Without it each page of
-- them is searched for among all invoices there ever were.
DROP INDEX invoices_wake;
CREATE INDEX invoices_to_wake ON invoices (id, wake_at, short_status) WHERE wake_at IS NOT NULL;
CREATE INDEX invoices_customer_wake ON invoices (customer_id, wake_at) WHERE wake_at IS NOT NULL;
