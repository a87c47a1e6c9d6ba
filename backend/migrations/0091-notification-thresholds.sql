-- Rules of entitlements: for which features, and which thresholds were crossed.

-- A rule without any is for all features.
CREATE TABLE notification_rule_features (
  rule_id    TEXT NOT NULL REFERENCES notification_rules (id),
  feature_id TEXT NOT NULL,
  PRIMARY KEY (rule_id, feature_id)
);

CREATE INDEX notification_rule_features_feature ON notification_rule_features (feature_id);

CREATE TABLE notification_thresholds (
  rule_id        TEXT NOT NULL,
  entitlement_id TEXT NOT NULL,
  threshold      TEXT NOT NULL,    -- its type and value
  period_from    TEXT NOT NULL,    -- the usage period that it is of
  is_crossed     INTEGER NOT NULL, -- and was told
  crossings      INTEGER NOT NULL, -- so far, in this period
  PRIMARY KEY (entitlement_id, rule_id, threshold)
);

-- The usage period in which each entitlement was last looked at.
CREATE TABLE notification_usage_periods (
  entitlement_id TEXT PRIMARY KEY,
  period_from    TEXT NOT NULL
);
