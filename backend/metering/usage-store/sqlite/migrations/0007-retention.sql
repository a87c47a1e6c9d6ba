-- Events with a time before this may have been removed; what the roll-ups hold of them stays. NULL: all are kept.
ALTER TABLE store ADD COLUMN complete_from_ms INTEGER;
