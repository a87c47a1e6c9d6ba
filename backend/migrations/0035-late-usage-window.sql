-- When the last part of a charge's usage was issued. Late usage is looked for from then on: what waited long for its
-- invoice, a yearly one or one that somebody has to approve, has not waited its time out before it is billed.
ALTER TABLE charges ADD COLUMN issued_at TEXT;

UPDATE charges SET issued_at = (
  SELECT max(invoices.issued_at)
  FROM invoice_lines JOIN invoices ON invoices.id = invoice_lines.invoice_id
  WHERE invoice_lines.charge_id = charges.id AND invoice_lines.quantity IS NOT NULL
);

DROP INDEX charges_billed;
CREATE INDEX charges_to_recount ON charges (customer_id, issued_at) WHERE state = 'billed' AND issued_at IS NOT NULL;
-- Customers without a subscription are found by what was billed to them by hand.
CREATE INDEX charges_to_recount_by_hand ON charges (issued_at, customer_id)
  WHERE state = 'billed' AND controller = 'manual' AND issued_at IS NOT NULL;
