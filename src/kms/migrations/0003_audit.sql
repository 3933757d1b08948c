-- Every issue, refusal and administrative act. `entry` is the JSON text that was hashed:
-- hash = SHA-256(hash of the entry before, number in 8 octets, entry); before entry 1 stand 32 octets of 0.
CREATE TABLE audit (
    number INTEGER NOT NULL PRIMARY KEY,
    entry  TEXT    NOT NULL,
    hash   BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;

-- The last entry, and how many key sets all entries together issued. One row.
CREATE TABLE audit_head (
    one      INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    number   INTEGER NOT NULL,
    hash     BLOB    NOT NULL CHECK (length(hash) = 32),
    key_sets INTEGER NOT NULL
) STRICT;

INSERT INTO audit_head (one, number, hash, key_sets) VALUES (1, 0, zeroblob(32), 0);

-- What was issued before there was a chain: kept, but nothing vouches for it.
ALTER TABLE issues RENAME TO issues_before_audit;
DROP INDEX issues_by_uri;
