-- A roll-over can be withdrawn before it begins. The row stays, for its number is not given again, and clients that have its certificate
-- are told. Another generation may then begin with the same key period.
CREATE TABLE generations_of_kms (
    number       INTEGER NOT NULL PRIMARY KEY,
    first_period INTEGER NOT NULL,
    fingerprint  TEXT    NOT NULL,
    octets       INTEGER NOT NULL,
    withdrawn    INTEGER NOT NULL
) STRICT;

INSERT INTO generations_of_kms (number, first_period, fingerprint, octets, withdrawn)
SELECT number, first_period, fingerprint, octets, 0
FROM generations;

DROP TABLE generations;
ALTER TABLE generations_of_kms RENAME TO generations;
CREATE UNIQUE INDEX generations_by_first_period ON generations (first_period) WHERE withdrawn = 0;
