-- What reaches other systems: webhooks. The tables are those of migrations/sqlite/0006_reach.sql.

CREATE TABLE webhooks (
    id            TEXT COLLATE "C" PRIMARY KEY,
    url           TEXT NOT NULL,
    audience      TEXT NOT NULL,
    types         TEXT NOT NULL,
    description   TEXT,
    notify        TEXT COLLATE "C" REFERENCES users (id),
    state         TEXT NOT NULL CHECK (state IN ('active', 'paused', 'disabled')),
    made_at       BIGINT NOT NULL,
    log           BIGINT NOT NULL,
    seq           BIGINT NOT NULL,
    secret        BIGINT NOT NULL,
    former_until  BIGINT,
    attempts      BIGINT NOT NULL DEFAULT 0,
    next_at       BIGINT NOT NULL DEFAULT 0,
    failing_since BIGINT,
    because       TEXT,
    counted       BIGINT NOT NULL DEFAULT 0,
    lease_by      UUID,
    lease_until   BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE webhook_lanes (
    webhook  TEXT COLLATE "C" NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    log      BIGINT NOT NULL,
    seq      BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    next_at  BIGINT NOT NULL,
    PRIMARY KEY (webhook, log)
);

CREATE TABLE webhook_deliveries (
    webhook  TEXT COLLATE "C" NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    number   BIGINT NOT NULL,
    log      BIGINT NOT NULL,
    seq      BIGINT NOT NULL,
    event    TEXT NOT NULL,
    kind     TEXT NOT NULL,
    subject  TEXT NOT NULL,
    at       BIGINT NOT NULL,
    took_ms  BIGINT NOT NULL,
    attempt  BIGINT NOT NULL,
    outcome  TEXT NOT NULL,
    status   BIGINT,
    error    TEXT,
    response TEXT,
    again_at BIGINT,
    PRIMARY KEY (webhook, number)
);
CREATE INDEX webhook_deliveries_parked ON webhook_deliveries (webhook, number) WHERE outcome = 'parked';
CREATE INDEX webhook_deliveries_again ON webhook_deliveries (webhook, again_at) WHERE again_at IS NOT NULL;

CREATE TABLE held_channels (
    channel TEXT PRIMARY KEY
);

-- Servers of the version before gave an entry the number of its own transaction, also where that had waited for one with a higher number: then
-- it stood before it in the order of all commits. Now each log stands there in its own order.
UPDATE entries e SET tx = right_one.tx
FROM (SELECT log, seq, tx AS own, max(tx) OVER (PARTITION BY log ORDER BY seq) AS tx FROM entries) right_one
WHERE e.log = right_one.log AND e.seq = right_one.seq AND right_one.tx > right_one.own;
