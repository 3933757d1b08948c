-- The certificates of other KMSs, as they go out in the cache of certificates. Times are seconds since 1970.
CREATE TABLE certificates (
    kms_uri     TEXT    NOT NULL PRIMARY KEY,
    document    TEXT    NOT NULL,
    fingerprint TEXT    NOT NULL,
    added       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A domain is served by one KMS: with two, a client could not tell whose keys to use.
CREATE TABLE certificate_domains (
    domain  TEXT NOT NULL PRIMARY KEY,
    kms_uri TEXT NOT NULL REFERENCES certificates (kms_uri) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX certificate_domains_by_kms ON certificate_domains (kms_uri);

-- The number of the cache (CacheNum), which rises at each change.
CREATE TABLE certificate_cache (
    one    INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    number INTEGER NOT NULL
) STRICT;

INSERT INTO certificate_cache (one, number) VALUES (1, 0);
