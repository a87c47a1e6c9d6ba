-- What this database shares with control.sqlite; see its table data_folder.
ALTER TABLE store ADD COLUMN data_id TEXT;
ALTER TABLE store ADD COLUMN owner_epoch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE store ADD COLUMN commits INTEGER NOT NULL DEFAULT 0;
