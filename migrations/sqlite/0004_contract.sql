-- From terms to a contract: who asks for what, who offered what, what was agreed on, and what happens by itself.

-- standing is the version the freelancer asks for, pending the client's that waits for its answer. due_at is when the next thing happens
-- to the candidacy by itself; turn and turn_until say who is to answer, and until when. fee_schedule is the one it began under, as JSON.
ALTER TABLE candidacies ADD COLUMN standing INTEGER;
ALTER TABLE candidacies ADD COLUMN pending INTEGER;
ALTER TABLE candidacies ADD COLUMN fee_schedule TEXT;
ALTER TABLE candidacies ADD COLUMN due_at INTEGER;
ALTER TABLE candidacies ADD COLUMN turn TEXT;
ALTER TABLE candidacies ADD COLUMN turn_until INTEGER;
-- Who ended it ('client', 'freelancer', or nobody of the two), in which phase it was before, and how its client has sorted it.
ALTER TABLE candidacies ADD COLUMN ended_by TEXT;
ALTER TABLE candidacies ADD COLUMN ended_from TEXT;
ALTER TABLE candidacies ADD COLUMN mark TEXT;
UPDATE candidacies SET
    ended_by = CASE phase
        WHEN 'declined' THEN CASE WHEN EXISTS (SELECT 1 FROM invitations i WHERE i.candidacy = candidacies.id AND i.status = 'declined')
            THEN 'freelancer' ELSE 'client' END
        WHEN 'withdrawn' THEN CASE WHEN EXISTS (SELECT 1 FROM invitations i WHERE i.candidacy = candidacies.id AND i.status = 'withdrawn')
            THEN 'client' ELSE 'freelancer' END END,
    ended_from = CASE WHEN room IS NOT NULL THEN 'active'
        WHEN EXISTS (SELECT 1 FROM proposals p WHERE p.candidacy = candidacies.id) THEN 'submitted' ELSE 'invited' END
WHERE phase IN ('declined', 'withdrawn');
CREATE INDEX candidacies_marked ON candidacies (client, mark, id) WHERE mark IS NOT NULL;
CREATE INDEX candidacies_due ON candidacies (due_at) WHERE due_at IS NOT NULL;
-- Those that a job's end ends.
CREATE INDEX candidacies_unhired ON candidacies (job)
    WHERE phase IN ('invited', 'archived', 'submitted', 'active', 'offered');

-- A counter-proposal's end, when the other side took note of a version, and what it means for the freelancer: nobody else reads that.
ALTER TABLE terms ADD COLUMN expires_at INTEGER;
ALTER TABLE terms ADD COLUMN acknowledged_at INTEGER;
ALTER TABLE terms ADD COLUMN fee TEXT;

UPDATE candidacies SET
    standing = COALESCE((SELECT MAX(version) FROM terms t WHERE t.candidacy = candidacies.id AND t.side = 'freelancer'),
        CASE WHEN room IS NOT NULL THEN (SELECT MAX(version) FROM terms t WHERE t.candidacy = candidacies.id) END),
    pending = CASE WHEN phase IN ('invited', 'archived')
        THEN (SELECT MAX(version) FROM terms t WHERE t.candidacy = candidacies.id) END,
    due_at = CASE WHEN phase IN ('invited', 'archived')
        THEN (SELECT expires_at FROM invitations i WHERE i.candidacy = candidacies.id) END,
    turn = CASE WHEN phase IN ('invited', 'archived') THEN 'freelancer' WHEN phase = 'submitted' THEN 'client'
        WHEN phase = 'active' AND EXISTS (SELECT 1 FROM terms t WHERE t.candidacy = candidacies.id) THEN 'client' END,
    turn_until = CASE WHEN phase IN ('invited', 'archived')
        THEN (SELECT expires_at FROM invitations i WHERE i.candidacy = candidacies.id) END;

CREATE TABLE offers (
    id         BLOB PRIMARY KEY,
    candidacy  BLOB NOT NULL REFERENCES candidacies (id),
    status     TEXT NOT NULL,
    version    INTEGER NOT NULL,
    made_at    INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    requests   TEXT NOT NULL,
    asked      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX offers_by_candidacy ON offers (candidacy, id);

-- sealed is the public part of the entry that carries the seal.
CREATE TABLE contracts (
    id        TEXT PRIMARY KEY,
    candidacy BLOB NOT NULL UNIQUE REFERENCES candidacies (id),
    offer     BLOB REFERENCES offers (id),
    version   INTEGER NOT NULL,
    formed_at INTEGER NOT NULL,
    ended_at  INTEGER,
    sealed    TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX contracts_by_time ON contracts (formed_at, id);

CREATE TABLE fee_schedules (
    id       TEXT PRIMARY KEY,
    schedule TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE billings (
    client     TEXT NOT NULL REFERENCES users (id),
    freelancer TEXT NOT NULL REFERENCES users (id),
    currency   TEXT NOT NULL,
    amount     INTEGER NOT NULL,
    PRIMARY KEY (client, freelancer, currency)
) STRICT, WITHOUT ROWID;

-- ending_at: the job takes nobody any more, and candidacies for it are still to be ended. Of a job that was filled before this, nobody
-- knows with whom: its rooms stay as they are, until the marketplace tells of the job again.
ALTER TABLE jobs ADD COLUMN fee_schedule TEXT REFERENCES fee_schedules (id);
ALTER TABLE jobs ADD COLUMN ending_at INTEGER;
CREATE INDEX jobs_ending ON jobs (ending_at) WHERE ending_at IS NOT NULL;

-- What people told the marketplace of what others wrote: one of each thing by each person.
CREATE TABLE reports (
    id         BLOB PRIMARY KEY,
    by         TEXT NOT NULL,
    about      TEXT NOT NULL,
    candidacy  BLOB NOT NULL REFERENCES candidacies (id),
    invitation BLOB,
    room       BLOB,
    seq        INTEGER,
    reason     TEXT NOT NULL,
    text       TEXT,
    at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX reports_once ON reports (by, coalesce(invitation, room), coalesce(seq, 0));

-- Every key that seals and transcripts were ever signed with: what was signed is verified for ever.
CREATE TABLE public_keys (
    key        BLOB PRIMARY KEY,
    first_used INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
