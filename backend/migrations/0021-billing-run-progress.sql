-- How far a stage is, for whoever waits for it.
ALTER TABLE billing_runs ADD COLUMN stage_done INTEGER NOT NULL DEFAULT 0;
ALTER TABLE billing_runs ADD COLUMN stage_total INTEGER NOT NULL DEFAULT 0; -- what there was to do when it began
