-- Push notifications. The tables are those of migrations/sqlite/0007_push.sql.

CREATE TABLE push_subscriptions (
    id       UUID PRIMARY KEY,
    "user"   TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    endpoint TEXT NOT NULL UNIQUE,
    p256dh   BYTEA NOT NULL,
    auth     BYTEA NOT NULL,
    made_at  BIGINT NOT NULL
);
CREATE INDEX push_subscriptions_by_user ON push_subscriptions ("user", made_at);

CREATE TABLE push_mutes (
    "user" TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    what   TEXT NOT NULL,
    PRIMARY KEY ("user", what)
);

CREATE TABLE push_marks (
    log    BIGINT NOT NULL,
    "user" TEXT COLLATE "C" NOT NULL,
    seq    BIGINT NOT NULL,
    PRIMARY KEY (log, "user")
);

CREATE TABLE push_place (
    log BIGINT NOT NULL,
    seq BIGINT NOT NULL
);
INSERT INTO push_place (log, seq)
    SELECT coalesce((SELECT log FROM entries ORDER BY tx DESC, log DESC, seq DESC LIMIT 1), 0),
        coalesce((SELECT seq FROM entries ORDER BY tx DESC, log DESC, seq DESC LIMIT 1), 0);

CREATE TABLE pushes (
    subscription UUID NOT NULL REFERENCES push_subscriptions (id) ON DELETE CASCADE,
    log          BIGINT NOT NULL,
    seq          BIGINT NOT NULL,
    made_at      BIGINT NOT NULL,
    due_at       BIGINT NOT NULL,
    attempts     BIGINT NOT NULL DEFAULT 0,
    lease_by     UUID,
    lease_until  BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (subscription, log, seq)
);
CREATE INDEX pushes_due ON pushes (due_at);
