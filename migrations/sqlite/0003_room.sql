-- What a room shows: edits and redactions, read markers, unread counts, search.

-- A part that was deleted leaves its digest, so that the chain stays whole. amended_by is the last entry that edited or redacted this one.
ALTER TABLE entries ADD COLUMN public_digest BLOB;
ALTER TABLE entries ADD COLUMN private_digest BLOB;
ALTER TABLE entries ADD COLUMN amended_by INTEGER;

-- How many entries that count as unread each author has written, as JSON {author: number}; '' is the server. The difference of two
-- such counts is what somebody has not read, so no count of unread entries is ever stored.
ALTER TABLE logs ADD COLUMN counts TEXT NOT NULL DEFAULT '{}';
UPDATE logs SET counts = COALESCE((
    SELECT json_group_object(author, number) FROM (
        SELECT COALESCE(e.by, '') AS author, COUNT(*) AS number FROM entries e
        WHERE e.log = logs.id AND (logs.owner IS NOT NULL OR e.kind IN ('message.posted', 'terms.proposed'))
        GROUP BY author)), '{}');

-- How far somebody is in a log. read and delivered only rise and are shown to the others; marker is the reader's own, and counts are
-- those of its place.
CREATE TABLE markers (
    log       INTEGER NOT NULL REFERENCES logs (id),
    "user"    TEXT NOT NULL REFERENCES users (id),
    delivered INTEGER NOT NULL,
    read      INTEGER NOT NULL,
    marker    INTEGER NOT NULL,
    counts    TEXT NOT NULL,
    PRIMARY KEY (log, "user")
) STRICT, WITHOUT ROWID;

-- The words of messages. Contentless: the texts stand in entries alone. scope holds the word of the entry's log, so that a search in
-- some rooms never looks through the words of others. It is filled behind the commits, up to and with entry indexed.upto. With
-- secure-delete the words of a row that is deleted are taken out at once; a contentless_delete table would only mark them as gone.
CREATE VIRTUAL TABLE search USING fts5 (
    scope, body, content = '', tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO search (search, rank) VALUES ('secure-delete', 1);
CREATE TABLE indexed (upto INTEGER NOT NULL) STRICT;
INSERT INTO indexed (upto) VALUES (0);
