-- Push notifications: browsers that want them, what their people do not want, and what is to be pushed.

-- A browser, by the address of its push service, and the keys that what is pushed is encrypted with.
CREATE TABLE push_subscriptions (
    id       BLOB PRIMARY KEY,
    "user"   TEXT NOT NULL REFERENCES users (id),
    endpoint TEXT NOT NULL UNIQUE,
    p256dh   BLOB NOT NULL,
    auth     BLOB NOT NULL,
    made_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX push_subscriptions_by_user ON push_subscriptions ("user", made_at);

-- What somebody is not pushed: a word for a kind, or the id of a room.
CREATE TABLE push_mutes (
    "user" TEXT NOT NULL REFERENCES users (id),
    what   TEXT NOT NULL,
    PRIMARY KEY ("user", what)
) STRICT, WITHOUT ROWID;

-- How far somebody was pushed of a log. What is unread behind it, and older than the delay, is pushed next.
CREATE TABLE push_marks (
    log    INTEGER NOT NULL,
    "user" TEXT NOT NULL,
    seq    INTEGER NOT NULL,
    PRIMARY KEY (log, "user")
) STRICT, WITHOUT ROWID;

-- Up to which entry, in the order of all commits, it was looked who is to be pushed.
CREATE TABLE push_place (
    log INTEGER NOT NULL,
    seq INTEGER NOT NULL
) STRICT;
INSERT INTO push_place (log, seq)
    SELECT coalesce((SELECT log FROM entries ORDER BY id DESC LIMIT 1), 0), coalesce((SELECT seq FROM entries ORDER BY id DESC LIMIT 1), 0);

-- What is to be pushed to a browser when it is due: invitations from the transaction that sends them on, everything else once it is found to be unread.
CREATE TABLE pushes (
    subscription BLOB NOT NULL REFERENCES push_subscriptions (id) ON DELETE CASCADE,
    log          INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    made_at      INTEGER NOT NULL,
    due_at       INTEGER NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    lease_by     BLOB,
    lease_until  INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (subscription, log, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX pushes_due ON pushes (due_at);
