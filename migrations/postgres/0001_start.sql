-- All that a server keeps. Times are microseconds since the epoch. Ids made by the server are UUIDs; the marketplace's ids are its own text.
-- What tables, columns and words mean is said where they were first made, in migrations/sqlite; what is different here is said here.
-- Several servers write at the same time: the row of a log carries all that a write into it is decided on, so that one comparison guards it.

CREATE TABLE users (
    id                 TEXT COLLATE "C" PRIMARY KEY,
    name               TEXT NOT NULL,
    avatar_url         TEXT,
    profile_url        TEXT,
    status             TEXT NOT NULL CHECK (status IN ('active', 'inactive', 'suspended')),
    status_reason      TEXT,
    status_reversible  BOOLEAN,
    status_next_step   TEXT,
    tokens_valid_after BIGINT,
    -- The transaction that last told something of the person: see entries.tx.
    tx                 BIGINT NOT NULL DEFAULT CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)
);
CREATE INDEX users_by_tx ON users (tx);

CREATE TABLE fee_schedules (
    id       TEXT COLLATE "C" PRIMARY KEY,
    schedule TEXT NOT NULL
);

CREATE TABLE jobs (
    id           TEXT COLLATE "C" PRIMARY KEY,
    client       TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    title        TEXT NOT NULL,
    description  TEXT NOT NULL,
    category     TEXT,
    url          TEXT,
    status       TEXT NOT NULL CHECK (status IN ('open', 'filled', 'closed')),
    created_at   BIGINT NOT NULL,
    fee_schedule TEXT COLLATE "C" REFERENCES fee_schedules (id),
    ending_at    BIGINT
);
CREATE INDEX jobs_by_client ON jobs (client, created_at);
CREATE INDEX jobs_open ON jobs (created_at) WHERE status = 'open';
CREATE INDEX jobs_ending ON jobs (ending_at) WHERE ending_at IS NOT NULL;

CREATE TABLE candidacies (
    id           UUID PRIMARY KEY,
    job          TEXT COLLATE "C" NOT NULL REFERENCES jobs (id),
    client       TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    freelancer   TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    phase        TEXT NOT NULL,
    room         UUID UNIQUE,
    updated_at   BIGINT NOT NULL,
    standing     BIGINT,
    pending      BIGINT,
    fee_schedule TEXT,
    due_at       BIGINT,
    turn         TEXT,
    turn_until   BIGINT,
    ended_by     TEXT,
    ended_from   TEXT,
    mark         TEXT
);
CREATE INDEX candidacies_by_job ON candidacies (job, freelancer, id);
CREATE INDEX candidacies_by_client ON candidacies (client, id);
CREATE INDEX candidacies_by_freelancer ON candidacies (freelancer, id);
CREATE UNIQUE INDEX candidacies_open ON candidacies (job, freelancer)
    WHERE phase IN ('invited', 'archived', 'submitted', 'active', 'offered', 'hired');
CREATE INDEX candidacies_marked ON candidacies (client, mark, id) WHERE mark IS NOT NULL;
CREATE INDEX candidacies_due ON candidacies (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX candidacies_unhired ON candidacies (job)
    WHERE phase IN ('invited', 'archived', 'submitted', 'active', 'offered');

CREATE TABLE invitations (
    id              UUID PRIMARY KEY,
    candidacy       UUID NOT NULL UNIQUE REFERENCES candidacies (id),
    client          TEXT COLLATE "C" NOT NULL,
    freelancer      TEXT COLLATE "C" NOT NULL,
    status          TEXT NOT NULL,
    message         TEXT NOT NULL,
    sent_at         BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    answered_at     BIGINT,
    reason          TEXT,
    reason_text     TEXT,
    decline_message TEXT
);
CREATE INDEX invitations_by_client ON invitations (client, id);
CREATE INDEX invitations_by_freelancer ON invitations (freelancer, id);

CREATE TABLE proposals (
    id           UUID PRIMARY KEY,
    candidacy    UUID NOT NULL UNIQUE REFERENCES candidacies (id),
    client       TEXT COLLATE "C" NOT NULL,
    freelancer   TEXT COLLATE "C" NOT NULL,
    cover_letter TEXT,
    submitted_at BIGINT NOT NULL
);
CREATE INDEX proposals_by_client ON proposals (client, id);
CREATE INDEX proposals_by_freelancer ON proposals (freelancer, id);

CREATE TABLE terms (
    candidacy       UUID NOT NULL REFERENCES candidacies (id),
    version         BIGINT NOT NULL,
    side            TEXT NOT NULL,
    terms           TEXT NOT NULL,
    hash            BYTEA NOT NULL,
    proposed_at     BIGINT NOT NULL,
    expires_at      BIGINT,
    acknowledged_at BIGINT,
    fee             TEXT,
    PRIMARY KEY (candidacy, version)
);

CREATE TABLE offers (
    id         UUID PRIMARY KEY,
    candidacy  UUID NOT NULL REFERENCES candidacies (id),
    status     TEXT NOT NULL,
    version    BIGINT NOT NULL,
    made_at    BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    requests   TEXT NOT NULL,
    asked      BOOLEAN NOT NULL
);
CREATE INDEX offers_by_candidacy ON offers (candidacy, id);

CREATE TABLE contracts (
    id        TEXT COLLATE "C" PRIMARY KEY,
    candidacy UUID NOT NULL UNIQUE REFERENCES candidacies (id),
    offer     UUID REFERENCES offers (id),
    version   BIGINT NOT NULL,
    formed_at BIGINT NOT NULL,
    ended_at  BIGINT,
    sealed    TEXT
);
CREATE INDEX contracts_by_time ON contracts (formed_at, id);

CREATE TABLE billings (
    client     TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    freelancer TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    currency   TEXT NOT NULL,
    amount     BIGINT NOT NULL,
    PRIMARY KEY (client, freelancer, currency)
);

-- version counts the changes of everything that a write is decided on beside the head: the phase, the people, their standing. Room is left in
-- each page, and no index holds what a post changes: so the new version of a row stands beside the old one, and costs no index.
CREATE TABLE logs (
    id        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    room      UUID UNIQUE,
    owner     TEXT COLLATE "C" UNIQUE REFERENCES users (id),
    candidacy UUID UNIQUE REFERENCES candidacies (id),
    phase     TEXT,
    seq       BIGINT NOT NULL,
    hash      BYTEA NOT NULL,
    counts    TEXT NOT NULL DEFAULT '{}',
    version   BIGINT NOT NULL DEFAULT 0,
    CHECK ((room IS NULL) <> (owner IS NULL))
) WITH (fillfactor = 70);

CREATE TABLE members (
    log    BIGINT NOT NULL REFERENCES logs (id),
    "user" TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    side   TEXT NOT NULL,
    PRIMARY KEY (log, "user")
);
CREATE INDEX members_by_user ON members ("user", log);

-- tx is the transaction that wrote the entry. Numbers of transactions do not follow their commits; but what is below the oldest one that is
-- still under way is committed or gone for good, so there, and only there, (tx, log, seq) is an order that nothing new comes into.
CREATE TABLE entries (
    log            BIGINT NOT NULL,
    seq            BIGINT NOT NULL,
    tx             BIGINT NOT NULL DEFAULT CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT),
    kind           TEXT NOT NULL,
    at             BIGINT NOT NULL,
    by             TEXT COLLATE "C",
    client_id      UUID,
    hash           BYTEA NOT NULL,
    public_salt    BYTEA,
    public         TEXT,
    public_digest  BYTEA,
    private_salt   BYTEA,
    private        TEXT,
    private_digest BYTEA,
    policy         BIGINT NOT NULL,
    amended_by     BIGINT,
    PRIMARY KEY (log, seq)
);
CREATE INDEX entries_by_tx ON entries (tx, log, seq);
CREATE INDEX entries_of_removals ON entries (tx, log) WHERE kind = 'member.removed';

CREATE TABLE commands (
    actor     TEXT COLLATE "C" NOT NULL,
    client_id UUID NOT NULL,
    mac       BYTEA NOT NULL,
    log       BIGINT,
    seq       BIGINT,
    answer    TEXT,
    PRIMARY KEY (actor, client_id)
);

CREATE TABLE markers (
    log       BIGINT NOT NULL REFERENCES logs (id),
    "user"    TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    delivered BIGINT NOT NULL,
    read      BIGINT NOT NULL,
    marker    BIGINT NOT NULL,
    counts    TEXT NOT NULL,
    PRIMARY KEY (log, "user")
) WITH (fillfactor = 80);

-- The words of messages, and with them the word of the entry's log: a search in some rooms never looks through the words of others. It is
-- filled behind the commits, in the order of (tx, log, seq), up to and with the place in indexed.
CREATE TABLE search (
    log   BIGINT NOT NULL,
    seq   BIGINT NOT NULL,
    tx    BIGINT NOT NULL,
    words TSVECTOR NOT NULL,
    PRIMARY KEY (log, seq)
);
CREATE INDEX search_words ON search USING gin (words);
CREATE TABLE indexed (
    tx  BIGINT NOT NULL,
    log BIGINT NOT NULL,
    seq BIGINT NOT NULL
);
INSERT INTO indexed (tx, log, seq) VALUES (0, 0, 0);

CREATE TABLE reports (
    id         UUID PRIMARY KEY,
    by         TEXT COLLATE "C" NOT NULL,
    about      TEXT COLLATE "C" NOT NULL,
    candidacy  UUID NOT NULL REFERENCES candidacies (id),
    invitation UUID,
    room       UUID,
    seq        BIGINT,
    reason     TEXT NOT NULL,
    text       TEXT,
    at         BIGINT NOT NULL
);
CREATE UNIQUE INDEX reports_once ON reports (by, coalesce(invitation, room), coalesce(seq, 0));

CREATE TABLE ledger (
    candidacy    UUID NOT NULL REFERENCES candidacies (id),
    round        BIGINT NOT NULL,
    "user"       TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    side         TEXT NOT NULL,
    started_at   BIGINT NOT NULL,
    until        BIGINT NOT NULL,
    stopped_at   BIGINT,
    how          TEXT,
    retracted_at BIGINT,
    PRIMARY KEY (candidacy, round)
);
CREATE INDEX ledger_by_user
    ON ledger ("user", side, started_at, candidacy, round, until, stopped_at, how, retracted_at);

CREATE TABLE responsiveness (
    "user" TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    side   TEXT NOT NULL,
    bucket TEXT,
    share  BIGINT,
    due_at BIGINT,
    PRIMARY KEY ("user", side)
);
CREATE INDEX responsiveness_due ON responsiveness (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE keys (
    name  TEXT PRIMARY KEY,
    value BYTEA NOT NULL
);

CREATE TABLE public_keys (
    key        BYTEA PRIMARY KEY,
    first_used BIGINT NOT NULL
);
