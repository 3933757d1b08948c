-- Redirect responses that clients hand in (KrrList), the newest of each user.
CREATE TABLE redirects (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    received   INTEGER NOT NULL,
    user_id    TEXT    NOT NULL REFERENCES users (id),
    uri        TEXT    NOT NULL,
    request_id TEXT    NOT NULL,
    document   TEXT    NOT NULL
) STRICT;

CREATE INDEX redirects_by_user ON redirects (user_id, id);
