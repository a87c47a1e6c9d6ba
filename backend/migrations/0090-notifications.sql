-- Who is told of what, and how far that has come. Instants are ISO 8601 text in UTC with milliseconds.

CREATE TABLE notification_channels (
  id              TEXT PRIMARY KEY,
  type            TEXT NOT NULL, -- webhook
  name            TEXT NOT NULL,
  target          TEXT NOT NULL, -- JSON object: what is not secret of where it goes
  secrets         TEXT NOT NULL, -- JSON object, sealed: headers, signing secrets
  is_ordered      INTEGER NOT NULL, -- 1: a message waits for the one before it
  disabled        INTEGER NOT NULL,
  disabled_reason TEXT,          -- where nobody but the sender has disabled it
  labels          TEXT,          -- JSON object
  created_at      TEXT NOT NULL,
  updated_at      TEXT NOT NULL,
  deleted_at      TEXT
);

CREATE TABLE notification_rules (
  id         TEXT PRIMARY KEY,
  type       TEXT NOT NULL,
  name       TEXT NOT NULL,
  settings   TEXT NOT NULL, -- JSON object: what the type of the rule takes besides
  disabled   INTEGER NOT NULL,
  labels     TEXT,          -- JSON object
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  deleted_at TEXT
);

CREATE INDEX notification_rules_type ON notification_rules (type) WHERE deleted_at IS NULL AND disabled = 0;

CREATE TABLE notification_rule_channels (
  rule_id    TEXT NOT NULL REFERENCES notification_rules (id),
  position   INTEGER NOT NULL,
  channel_id TEXT NOT NULL REFERENCES notification_channels (id),
  PRIMARY KEY (rule_id, position)
);

CREATE INDEX notification_rule_channels_channel ON notification_rule_channels (channel_id);

-- What has happened, as it is told: written in the transaction in which it happened.
CREATE TABLE notification_events (
  id          TEXT PRIMARY KEY,
  type        TEXT NOT NULL,
  rule_id     TEXT NOT NULL,
  rule_name   TEXT NOT NULL,
  payload     TEXT NOT NULL, -- the very text that is sent, and sent again
  subject     TEXT,
  feature_key TEXT,
  dedupe_key  TEXT,          -- what happened once is told once
  is_test     INTEGER NOT NULL,
  created_at  TEXT NOT NULL
);

CREATE UNIQUE INDEX notification_events_dedupe ON notification_events (dedupe_key) WHERE dedupe_key IS NOT NULL;
CREATE INDEX notification_events_created ON notification_events (created_at, id);
CREATE INDEX notification_events_rule ON notification_events (rule_id, created_at);

-- One message to one channel.
CREATE TABLE notification_deliveries (
  event_id   TEXT NOT NULL REFERENCES notification_events (id),
  channel_id TEXT NOT NULL,
  state      TEXT NOT NULL, -- pending, sending, success, failed, resending
  reason     TEXT NOT NULL,
  attempt    INTEGER NOT NULL, -- of this round: a resend begins a new one
  due_at     TEXT,             -- when somebody has to look at it; none: it is over
  lease      TEXT,             -- who is sending it, until due_at
  updated_at TEXT NOT NULL,
  PRIMARY KEY (event_id, channel_id)
);

CREATE INDEX notification_deliveries_due ON notification_deliveries (channel_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX notification_deliveries_open ON notification_deliveries (channel_id, event_id) WHERE due_at IS NOT NULL;
CREATE INDEX notification_deliveries_state ON notification_deliveries (state, event_id);

-- One row for each channel: a channel that fails holds up no other one.
CREATE TABLE notification_queues (
  channel_id      TEXT PRIMARY KEY,
  due_at          TEXT,    -- the earliest of its deliveries; none: there is none
  paused_until    TEXT,    -- it has asked for a pause, or keeps failing
  failures        INTEGER NOT NULL, -- in a row
  failing_since   TEXT,
  last_success_at TEXT,
  last_failure_at TEXT
);

CREATE INDEX notification_queues_due ON notification_queues (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE notification_attempts (
  id          TEXT PRIMARY KEY,
  event_id    TEXT NOT NULL REFERENCES notification_events (id),
  channel_id  TEXT NOT NULL,
  state       TEXT NOT NULL, -- success, failed
  status_code INTEGER,
  body        TEXT NOT NULL, -- the beginning of the answer, or why there is none
  duration_ms INTEGER NOT NULL,
  at          TEXT NOT NULL
);

CREATE INDEX notification_attempts_event ON notification_attempts (event_id, channel_id, at);
CREATE INDEX notification_attempts_at ON notification_attempts (at);
