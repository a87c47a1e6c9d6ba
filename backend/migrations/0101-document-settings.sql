-- What documents say of a supplier and a customer, and how invoices are numbered; documents as they were first made.

ALTER TABLE billing_profiles ADD COLUMN document TEXT NOT NULL DEFAULT '{}'; -- JSON object
ALTER TABLE billing_profiles ADD COLUMN logo TEXT; -- data URL of a PNG or JPEG
ALTER TABLE billing_profiles ADD COLUMN numbering TEXT; -- JSON object; NULL: as the app numbers
ALTER TABLE customer_billing ADD COLUMN document TEXT NOT NULL DEFAULT '{}'; -- JSON object

-- The document of an issued invoice in its own language, as it was first made: it is never made again.
CREATE TABLE invoice_documents (
  invoice_id TEXT NOT NULL REFERENCES invoices (id),
  format     TEXT NOT NULL, -- html, pdf
  bytes      TEXT NOT NULL, -- packed by gzip, in base64
  sha256     TEXT NOT NULL, -- of the bytes, hexadecimal
  made_at    TEXT NOT NULL,
  PRIMARY KEY (invoice_id, format)
);
