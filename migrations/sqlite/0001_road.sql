-- The road: people, jobs, candidacies, and the logs that everything is told in.
-- Times are microseconds since the epoch. Ids made by the server are UUIDs in 16 bytes; the marketplace's ids are its own text.

CREATE TABLE users (
    id                TEXT PRIMARY KEY,
    name              TEXT NOT NULL,
    avatar_url        TEXT,
    profile_url       TEXT,
    status            TEXT NOT NULL CHECK (status IN ('active', 'inactive', 'suspended')),
    status_reason     TEXT,
    status_reversible INTEGER,
    status_next_step  TEXT
) STRICT;

CREATE TABLE jobs (
    id          TEXT PRIMARY KEY,
    client      TEXT NOT NULL REFERENCES users (id),
    title       TEXT NOT NULL,
    description TEXT NOT NULL,
    category    TEXT,
    url         TEXT,
    status      TEXT NOT NULL CHECK (status IN ('open', 'filled', 'closed')),
    created_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX jobs_by_client ON jobs (client, created_at);
CREATE INDEX jobs_open ON jobs (created_at) WHERE status = 'open';

-- One freelancer's case on one job. Every change of phase reads and writes this row in one transaction.
CREATE TABLE candidacies (
    id         BLOB PRIMARY KEY,
    job        TEXT NOT NULL REFERENCES jobs (id),
    client     TEXT NOT NULL REFERENCES users (id),
    freelancer TEXT NOT NULL REFERENCES users (id),
    phase      TEXT NOT NULL,
    room       BLOB UNIQUE,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX candidacies_by_job ON candidacies (job, freelancer, id);
CREATE INDEX candidacies_by_client ON candidacies (client, id);
CREATE INDEX candidacies_by_freelancer ON candidacies (freelancer, id);
-- One open candidacy per job and freelancer.
CREATE UNIQUE INDEX candidacies_open ON candidacies (job, freelancer)
    WHERE phase IN ('invited', 'archived', 'submitted', 'active', 'offered', 'hired');

CREATE TABLE invitations (
    id          BLOB PRIMARY KEY,
    candidacy   BLOB NOT NULL UNIQUE REFERENCES candidacies (id),
    client      TEXT NOT NULL,
    freelancer  TEXT NOT NULL,
    status      TEXT NOT NULL,
    message     TEXT NOT NULL,
    sent_at     INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    answered_at INTEGER,
    reason      TEXT,
    reason_text TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX invitations_by_client ON invitations (client, id);
CREATE INDEX invitations_by_freelancer ON invitations (freelancer, id);

CREATE TABLE proposals (
    id           BLOB PRIMARY KEY,
    candidacy    BLOB NOT NULL UNIQUE REFERENCES candidacies (id),
    client       TEXT NOT NULL,
    freelancer   TEXT NOT NULL,
    cover_letter TEXT,
    submitted_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX proposals_by_client ON proposals (client, id);
CREATE INDEX proposals_by_freelancer ON proposals (freelancer, id);

-- Immutable versions. One counter for both sides.
CREATE TABLE terms (
    candidacy   BLOB NOT NULL REFERENCES candidacies (id),
    version     INTEGER NOT NULL,
    side        TEXT NOT NULL,
    terms       TEXT NOT NULL,
    hash        BLOB NOT NULL,
    proposed_at INTEGER NOT NULL,
    PRIMARY KEY (candidacy, version)
) STRICT, WITHOUT ROWID;

-- One log: the room of a candidacy or the inbox of a person. seq and hash are its head; what a write must find unchanged
-- (head and phase) stands in this row, so that one comparison guards the write.
CREATE TABLE logs (
    id        INTEGER PRIMARY KEY,
    room      BLOB UNIQUE,
    owner     TEXT UNIQUE REFERENCES users (id),
    candidacy BLOB UNIQUE REFERENCES candidacies (id),
    phase     TEXT,
    seq       INTEGER NOT NULL,
    hash      BLOB NOT NULL,
    CHECK ((room IS NULL) <> (owner IS NULL))
) STRICT;

CREATE TABLE members (
    log      INTEGER NOT NULL REFERENCES logs (id),
    "user"   TEXT NOT NULL REFERENCES users (id),
    side     TEXT NOT NULL,
    PRIMARY KEY (log, "user")
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_user ON members ("user", log);

-- The logs' entries. The rowid orders entries of all logs by commit.
CREATE TABLE entries (
    id           INTEGER PRIMARY KEY,
    log          INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    kind         TEXT NOT NULL,
    at           INTEGER NOT NULL,
    by           TEXT,
    client_id    BLOB,
    hash         BLOB NOT NULL,
    public_salt  BLOB,
    public       TEXT,
    private_salt BLOB,
    private      TEXT,
    policy       INTEGER NOT NULL,
    UNIQUE (log, seq)
) STRICT;

-- Every command ever done, by its author and the author's id for it, kept as long as what it did: a repeat gets the same answer.
-- The mac tells a repeat from another command under the same id. A post's answer is read from its entry.
CREATE TABLE commands (
    actor     TEXT NOT NULL,
    client_id BLOB NOT NULL,
    mac       BLOB NOT NULL,
    log       INTEGER,
    seq       INTEGER,
    answer    TEXT,
    PRIMARY KEY (actor, client_id)
) STRICT, WITHOUT ROWID;

-- Keys the server made for itself, once.
CREATE TABLE keys (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
