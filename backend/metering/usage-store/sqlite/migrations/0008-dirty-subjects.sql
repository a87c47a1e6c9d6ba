-- Which subjects of a quarter of an hour are to be computed anew: a correction of one customer costs what that customer
-- has, however many events the others have at the time.
CREATE TABLE rollup_dirty_subjects (
  series  INTEGER NOT NULL,
  quarter INTEGER NOT NULL,
  subject INTEGER NOT NULL, -- name_id; 0: all
  PRIMARY KEY (series, quarter, subject)
) STRICT, WITHOUT ROWID;
INSERT INTO rollup_dirty_subjects SELECT series, quarter, 0 FROM rollup_dirty;
DROP TABLE rollup_dirty;
