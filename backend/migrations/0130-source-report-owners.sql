-- Whose token reported a source last: another one may not speak for it meanwhile. And reports of what has long been silent, to be removed.
ALTER TABLE source_reports ADD COLUMN token_id TEXT;
CREATE INDEX source_reports_by_time ON source_reports (reported_at);
