-- Errors that clients report (ClientError), the newest of each user.
CREATE TABLE reports (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    received   INTEGER NOT NULL,
    user_id    TEXT    NOT NULL REFERENCES users (id),
    uri        TEXT    NOT NULL,
    request_id TEXT    NOT NULL,
    code       INTEGER NOT NULL,
    message    TEXT    NOT NULL
) STRICT;

CREATE INDEX reports_by_user ON reports (user_id, id);
