-- Tokens that are made over the API. The rows from before are tokens of a first start: for a system, without an end.

ALTER TABLE access_tokens ADD COLUMN kind TEXT NOT NULL DEFAULT 'system'; -- system (spat_), personal (kpat_)
ALTER TABLE access_tokens ADD COLUMN expires_at TEXT;
ALTER TABLE access_tokens ADD COLUMN last_used_at TEXT; -- up to a minute behind
