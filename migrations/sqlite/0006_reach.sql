-- What reaches other systems: webhooks. The logs are what they are told of; here is only how far each has been told, and what is held up.

-- log and seq name the last entry that a webhook was told of or passes over; 0: none, it begins at the beginning. secret counts the rotations of its
-- secret; with the one before is signed as well until former_until. attempts counts the rounds since one got through, and next_at is when the
-- next one may begin. counted is the number of its last attempt. A worker has it until lease_until; where there is one process alone, it needs none.
CREATE TABLE webhooks (
    id            TEXT PRIMARY KEY,
    url           TEXT NOT NULL,
    audience      TEXT NOT NULL,
    types         TEXT NOT NULL,
    description   TEXT,
    notify        TEXT REFERENCES users (id),
    state         TEXT NOT NULL CHECK (state IN ('active', 'paused', 'disabled')),
    made_at       INTEGER NOT NULL,
    log           INTEGER NOT NULL,
    seq           INTEGER NOT NULL,
    secret        INTEGER NOT NULL,
    former_until  INTEGER,
    attempts      INTEGER NOT NULL DEFAULT 0,
    next_at       INTEGER NOT NULL DEFAULT 0,
    failing_since INTEGER,
    because       TEXT,
    counted       INTEGER NOT NULL DEFAULT 0,
    lease_by      BLOB,
    lease_until   INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Logs that a webhook is not told of any further for now, because it did not take an entry: seq is that entry, attempts how often it was tried.
CREATE TABLE webhook_lanes (
    webhook  TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    log      INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    next_at  INTEGER NOT NULL,
    PRIMARY KEY (webhook, log)
) STRICT, WITHOUT ROWID;

-- The last attempts, and all entries that were never taken (parked). again_at: the entry is to be sent once more. No text of an entry is kept here.
CREATE TABLE webhook_deliveries (
    webhook  TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    number   INTEGER NOT NULL,
    log      INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    event    TEXT NOT NULL,
    kind     TEXT NOT NULL,
    subject  TEXT NOT NULL,
    at       INTEGER NOT NULL,
    took_ms  INTEGER NOT NULL,
    attempt  INTEGER NOT NULL,
    outcome  TEXT NOT NULL,
    status   INTEGER,
    error    TEXT,
    response TEXT,
    again_at INTEGER,
    PRIMARY KEY (webhook, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_deliveries_parked ON webhook_deliveries (webhook, number) WHERE outcome = 'parked';
CREATE INDEX webhook_deliveries_again ON webhook_deliveries (webhook, again_at) WHERE again_at IS NOT NULL;

-- What is sent by itself and is held back by an operator.
CREATE TABLE held_channels (
    channel TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
