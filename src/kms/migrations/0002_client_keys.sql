-- The TrK and InK that a user's client and the KMS share. `sealed` opens with the master secrets alone.
-- A user has at most one pair in use, and one that its client has not used yet.
CREATE TABLE client_keys (
    user_id    TEXT    NOT NULL REFERENCES users (id),
    generation INTEGER NOT NULL,
    status     TEXT    NOT NULL CHECK (status IN ('current', 'next')),
    trk_id     TEXT    NOT NULL,
    ink_id     TEXT    NOT NULL,
    sealed     BLOB    NOT NULL,
    created    INTEGER NOT NULL,
    PRIMARY KEY (user_id, generation),
    UNIQUE (user_id, status)
) STRICT, WITHOUT ROWID;
