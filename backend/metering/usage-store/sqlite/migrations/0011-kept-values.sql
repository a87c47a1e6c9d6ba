-- The values of each dimension that are kept apart; see rollup/kept-values.ts.
CREATE TABLE rollup_values (
  series    INTEGER NOT NULL,
  dimension TEXT    NOT NULL,
  hash      INTEGER NOT NULL,
  day       INTEGER NOT NULL, -- when it was last stored
  PRIMARY KEY (series, dimension, hash)
) STRICT, WITHOUT ROWID;

-- 1: texts has null for a value that is not kept apart from others.
ALTER TABLE rollup_tuples ADD COLUMN is_open INTEGER NOT NULL DEFAULT 0;

-- Combinations of a series with wide dimensions had an empty text there, or the values of before it was wide.
UPDATE rollup_tuples SET
  is_open = 1,
  texts = (
    SELECT json_group_array(CASE WHEN value = '' AND EXISTS (
      SELECT 1 FROM rollup_series, json_each(rollup_series.wide) AS name
      WHERE rollup_series.series = rollup_tuples.series
        AND name.value = json_extract(rollup_series.spec, '$.dimensions[' || text.key || '][0]')
    ) THEN NULL ELSE value END)
    FROM json_each(rollup_tuples.texts) AS text)
WHERE series IN (SELECT series FROM rollup_series WHERE wide <> '[]');
UPDATE rollup_tuples SET is_open = 0
WHERE is_open = 1 AND NOT EXISTS (SELECT 1 FROM json_each(rollup_tuples.texts) WHERE type = 'null');
UPDATE rollup_series SET wide = '[]';

-- All combinations are looked up by a hash of their texts now, and not held in memory. NULL: not computed yet.
ALTER TABLE rollup_tuples ADD COLUMN hash INTEGER;
DROP INDEX rollup_tuples_by_series;
CREATE INDEX rollup_tuples_by_hash ON rollup_tuples (series, hash);
CREATE INDEX rollup_tuples_open ON rollup_tuples (series) WHERE is_open = 1;
