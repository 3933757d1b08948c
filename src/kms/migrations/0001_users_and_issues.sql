-- Times are seconds since 1970-01-01T00:00:00Z.

CREATE TABLE users (
    id      TEXT    NOT NULL PRIMARY KEY,
    status  TEXT    NOT NULL CHECK (status IN ('active', 'revoked')),
    created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A URI belongs to one user: two users with one URI would share its private keys.
CREATE TABLE uris (
    uri     TEXT    NOT NULL PRIMARY KEY,
    user_id TEXT    NOT NULL REFERENCES users (id)
) STRICT, WITHOUT ROWID;

CREATE INDEX uris_by_user ON uris (user_id);

CREATE TABLE issues (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    issued     INTEGER NOT NULL,
    user_id    TEXT    NOT NULL REFERENCES users (id),
    uri        TEXT    NOT NULL,
    period_no  INTEGER NOT NULL,
    request_id TEXT    NOT NULL
) STRICT;

CREATE INDEX issues_by_uri ON issues (uri, period_no);
