-- What each user is: whoever was there before is a person's radio, until it is given another kind.
ALTER TABLE users ADD COLUMN kind TEXT NOT NULL DEFAULT 'user'
    CHECK (kind IN ('user', 'mcx-server', 'gms', 'signalling-proxy', 'security-gateway'));
