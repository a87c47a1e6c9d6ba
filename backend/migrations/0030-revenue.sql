-- What was invoiced in a period is summed from this index alone: an invoice's content stands on pages of its own.
CREATE INDEX invoices_issued ON invoices (issued_at, currency, customer_id, short_status, total) WHERE issued_at IS NOT NULL;
