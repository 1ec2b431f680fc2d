-- Conduct: what is said with a decline, and how fast people answer.

-- The freelancer's words to the client.
ALTER TABLE invitations ADD COLUMN decline_message TEXT;

-- The ledger of response speed: one row for each time a candidacy asks somebody for an answer, a freelancer by an invitation, a client by a
-- proposal. "user" is the one who is asked. Until is when it counts as unanswered; how and stopped_at say what stopped the clock.
CREATE TABLE ledger (
    candidacy    BLOB NOT NULL REFERENCES candidacies (id),
    round        INTEGER NOT NULL,
    "user"       TEXT NOT NULL REFERENCES users (id),
    side         TEXT NOT NULL,
    started_at   INTEGER NOT NULL,
    until        INTEGER NOT NULL,
    stopped_at   INTEGER,
    how          TEXT,
    retracted_at INTEGER,
    PRIMARY KEY (candidacy, round)
) STRICT, WITHOUT ROWID;
-- All that a figure is made of: it is computed without a look at the rows themselves.
CREATE INDEX ledger_by_user
    ON ledger ("user", side, started_at, candidacy, round, until, stopped_at, how, retracted_at);

-- What somebody was last told of the own figure, and when it has to be looked at again.
CREATE TABLE responsiveness (
    "user" TEXT NOT NULL REFERENCES users (id),
    side   TEXT NOT NULL,
    bucket TEXT,
    share  INTEGER,
    due_at INTEGER,
    PRIMARY KEY ("user", side)
) STRICT, WITHOUT ROWID;
CREATE INDEX responsiveness_due ON responsiveness (due_at) WHERE due_at IS NOT NULL;

-- What is known of the time before. A report stopped the clock where it came first, unless the invitation was taken back in time. What was
-- reopened was asked anew then, which the inboxes tell; of its earlier rounds nothing is known. Thirty days are those of the policy as it comes.
INSERT INTO ledger (candidacy, round, "user", side, started_at, until, stopped_at, how)
WITH reopened AS MATERIALIZED (
    SELECT unhex(replace(e.public ->> 'candidacy', '-', '')) AS candidacy, max(e.at) AS at
    FROM entries e JOIN logs l ON l.id = e.log
    WHERE l.owner IS NOT NULL AND e.kind = 'phase.changed' AND e.public ->> 'phase' = 'invited' GROUP BY 1),
asked AS (
    SELECT i.candidacy, i.freelancer, coalesce(o.at, i.sent_at) AS started_at, i.expires_at AS until,
        CASE WHEN i.status IN ('accepted', 'declined', 'withdrawn') THEN i.answered_at
            WHEN i.status = 'expired' THEN i.expires_at
            WHEN i.status = 'removed' THEN coalesce(i.answered_at, c.updated_at)
            WHEN i.status = 'closed' THEN c.updated_at END AS stopped_at,
        CASE WHEN i.status = 'closed' THEN 'job_closed'
            WHEN i.status = 'removed' AND i.reason IS NOT NULL THEN 'declined'
            WHEN i.status NOT IN ('pending', 'archived') THEN i.status END AS how,
        (SELECT min(r.at) FROM reports r WHERE r.invitation = i.id) AS reported_at
    FROM invitations i JOIN candidacies c ON c.id = i.candidacy LEFT JOIN reopened o ON o.candidacy = i.candidacy),
seen AS (
    SELECT *, reported_at < min(coalesce(stopped_at, until), until)
        AND NOT (how IS 'withdrawn' AND stopped_at < started_at + 86400000000) AS by_report
    FROM asked)
SELECT candidacy, 1, freelancer, 'freelancer', started_at, until,
    CASE WHEN by_report THEN max(reported_at, started_at) ELSE stopped_at END, CASE WHEN by_report THEN 'reported' ELSE how END
FROM seen;

-- The client's answer opened the room. A proposal that accepted an invitation asked nobody.
INSERT INTO ledger (candidacy, round, "user", side, started_at, until, stopped_at, how)
WITH reopened AS MATERIALIZED (
    SELECT unhex(replace(e.public ->> 'candidacy', '-', '')) AS candidacy, max(e.at) AS at
    FROM entries e JOIN logs l ON l.id = e.log
    WHERE l.owner IS NOT NULL AND e.kind = 'phase.changed' AND e.public ->> 'phase' = 'submitted' GROUP BY 1),
asked AS (
    SELECT c.id, c.client, c.room, c.phase, c.updated_at, coalesce(o.at, p.submitted_at) AS started_at
    FROM proposals p JOIN candidacies c ON c.id = p.candidacy LEFT JOIN reopened o ON o.candidacy = c.id
    WHERE NOT EXISTS (SELECT 1 FROM invitations i WHERE i.candidacy = c.id))
SELECT id, 1, client, 'client', started_at, started_at + 30 * 86400000000,
    CASE WHEN room IS NOT NULL
            THEN (SELECT e.at FROM logs l JOIN entries e ON e.log = l.id AND e.seq = 1 WHERE l.room = asked.room)
        WHEN phase <> 'submitted' THEN updated_at END,
    CASE WHEN room IS NOT NULL THEN 'answered' WHEN phase = 'closed' THEN 'job_closed'
        WHEN phase <> 'submitted' THEN phase END
FROM asked;

-- Everybody's figure is looked at once.
INSERT INTO responsiveness ("user", side, due_at) SELECT DISTINCT "user", side, 0 FROM ledger;
