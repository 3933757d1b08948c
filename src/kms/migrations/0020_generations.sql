-- The generations of master secrets, once there are several: no secrets, but what tells whether the sealed file is the one that
-- belongs to this database. `fingerprint` is the SHA-256 of Z and KPAK, `octets` the length of the certificate.
CREATE TABLE generations (
    number       INTEGER NOT NULL PRIMARY KEY,
    first_period INTEGER NOT NULL UNIQUE,
    fingerprint  TEXT    NOT NULL,
    octets       INTEGER NOT NULL
) STRICT;

-- Another KMS may have several certificates, one after the other. ValidFrom and ValidTo are seconds since 1970, without limit where
-- they are NULL.
CREATE TABLE certificates_of_kms (
    id          INTEGER NOT NULL PRIMARY KEY,
    kms_uri     TEXT    NOT NULL,
    valid_from  INTEGER,
    valid_to    INTEGER,
    document    TEXT    NOT NULL,
    fingerprint TEXT    NOT NULL,
    added       INTEGER NOT NULL
) STRICT;

-- The documents are written by this program: each date once, without white space, in 20 characters.
INSERT INTO certificates_of_kms (kms_uri, valid_from, valid_to, document, fingerprint, added)
SELECT kms_uri,
       unixepoch(substr(document, nullif(instr(document, '<ValidFrom>'), 0) + 11, 20)),
       unixepoch(substr(document, nullif(instr(document, '<ValidTo>'), 0) + 9, 20)),
       document, fingerprint, added
FROM certificates;

-- A domain is served by one KMS, whose certificates may all name it.
CREATE TABLE domains_of_certificate (
    domain         TEXT    NOT NULL,
    certificate_id INTEGER NOT NULL REFERENCES certificates_of_kms (id) ON DELETE CASCADE,
    PRIMARY KEY (domain, certificate_id)
) STRICT, WITHOUT ROWID;

INSERT INTO domains_of_certificate (domain, certificate_id)
SELECT domain, id FROM certificate_domains JOIN certificates_of_kms USING (kms_uri);

DROP TABLE certificate_domains;
DROP TABLE certificates;
ALTER TABLE certificates_of_kms RENAME TO certificates;
ALTER TABLE domains_of_certificate RENAME TO certificate_domains;
CREATE INDEX certificates_by_kms ON certificates (kms_uri);
CREATE INDEX certificate_domains_by_certificate ON certificate_domains (certificate_id);
