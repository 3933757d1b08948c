//! The certificates of other KMSs.

use super::sqlite::{integer, number, record};
use super::{Answer, SqliteStore, StoreError};
use crate::kms::audit::{Act, Event};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

/// The most octets of all certificates together, with those of this KMS: an answer with them has 64 KiB at most, which clients
/// take.
pub const MAX_CERTIFICATE_OCTETS: u64 = 60 * 1024;

/// The certificates of other KMSs that clients get in `certcache`.
pub trait CertificateStore {
    /// Puts a certificate into the cache, beside those of the same KMS that hold at other times. With `replace` it takes the
    /// place of those that hold at the same time.
    ///
    /// The new number of the cache.
    ///
    /// # Errors
    /// [`StoreError::CertificateExists`], [`StoreError::DomainTaken`], [`StoreError::CacheFull`]; nothing is then changed.
    fn put_certificate<'a>(
        &'a self,
        certificate: &'a StoredCertificate,
        replace: bool,
        act: &'a Act,
    ) -> Answer<'a, u64>;

    /// Takes all certificates of a KMS out of the cache. Clients keep what they have.
    ///
    /// The new number of the cache.
    ///
    /// # Errors
    /// [`StoreError::NoSuchCertificate`].
    fn remove_certificate<'a>(&'a self, kms_uri: &'a str, act: &'a Act) -> Answer<'a, u64>;

    /// All certificates, ordered by KMS and time, and the number of the cache that they make.
    fn certificates(&self) -> Answer<'_, CertificateCache>;

    /// The KMS whose certificate names a domain, if there is one. A domain is compared without case.
    fn kms_of_domain<'a>(&'a self, domain: &'a str) -> Answer<'a, Option<String>>;
}

/// The certificate of another KMS as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCertificate {
    /// The KMS that it is of.
    pub kms_uri: String,
    /// ValidFrom, in seconds since 1970.
    pub valid_from: Option<i64>,
    /// ValidTo, in seconds since 1970.
    pub valid_to: Option<i64>,
    /// The certificate as a document of its own.
    pub document: String,
    /// The domains that it may serve; none if it is revoked.
    pub domains: Vec<String>,
    /// SHA-256 of the file that it came in, as 64 lower-case hex digits.
    pub fingerprint: String,
    /// When it was added, in seconds since 1970.
    pub added: u64,
}

/// All certificates at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateCache {
    /// `CacheNum`: rises at each change, also of this KMS's own certificates.
    pub number: u64,
    /// Number of the newest generation of this KMS's master secrets, which the cache has the certificate of.
    pub newest_generation: u64,
    /// All certificates of other KMSs, ordered by KMS and time.
    pub certificates: Vec<StoredCertificate>,
}

impl CertificateStore for SqliteStore {
    fn put_certificate<'a>(
        &'a self,
        certificate: &'a StoredCertificate,
        replace: bool,
        act: &'a Act,
    ) -> Answer<'a, u64> {
        Box::pin(async move {
            let StoredCertificate { kms_uri, domains, fingerprint, .. } = certificate;
            let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
            let overlapping = overlapping(&mut transaction, certificate).await?;
            if !overlapping.is_empty() && !replace {
                return Err(StoreError::CertificateExists(kms_uri.clone()));
            }
            for id in overlapping {
                sqlx::query("DELETE FROM certificates WHERE id = ?").bind(id).execute(&mut *transaction).await?;
            }
            require_free(&mut transaction, kms_uri, domains).await?;
            insert(&mut transaction, certificate).await?;
            require_room(&mut transaction).await?;
            let cache_num = raise(&mut transaction).await?;
            let (kms_uri, fingerprint) = (kms_uri.clone(), fingerprint.clone());
            let event = Event::CertificateAdded { kms_uri, fingerprint, cache_num };
            record(&mut transaction, act, &event).await?;
            transaction.commit().await?;
            Ok(cache_num)
        })
    }

    fn remove_certificate<'a>(&'a self, kms_uri: &'a str, act: &'a Act) -> Answer<'a, u64> {
        Box::pin(async move {
            let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
            let done = sqlx::query("DELETE FROM certificates WHERE kms_uri = ?")
                .bind(kms_uri)
                .execute(&mut *transaction)
                .await?;
            if done.rows_affected() == 0 {
                return Err(StoreError::NoSuchCertificate(kms_uri.to_owned()));
            }
            let cache_num = raise(&mut transaction).await?;
            let event = Event::CertificateRemoved { kms_uri: kms_uri.to_owned(), cache_num };
            record(&mut transaction, act, &event).await?;
            transaction.commit().await?;
            Ok(cache_num)
        })
    }

    fn certificates(&self) -> Answer<'_, CertificateCache> {
        Box::pin(async move {
            // One statement sees one state: the number and the certificates that it stands for.
            let rows = sqlx::query(
                "SELECT number, (SELECT coalesce(max(number + withdrawn), 1) FROM generations) AS newest_generation, \
                 kms_uri, valid_from, valid_to, document, fingerprint, added, \
                 (SELECT group_concat(domain, ' ') FROM certificate_domains \
                 WHERE certificate_id = certificates.id) AS domains \
                 FROM certificate_cache LEFT JOIN certificates ON true ORDER BY kms_uri, valid_from",
            )
            .fetch_all(&self.pool)
            .await?;
            let first = rows.first().ok_or_else(|| StoreError::Inconsistent("no certificate_cache".to_owned()))?;
            let certificates: Result<Vec<Option<StoredCertificate>>, StoreError> = rows.iter().map(stored).collect();
            Ok(CertificateCache {
                number: number(first.try_get("number")?)?,
                newest_generation: number(first.try_get("newest_generation")?)?,
                certificates: certificates?.into_iter().flatten().collect(),
            })
        })
    }

    fn kms_of_domain<'a>(&'a self, domain: &'a str) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            let row = sqlx::query(
                "SELECT kms_uri FROM certificate_domains JOIN certificates ON id = certificate_id WHERE domain = ? LIMIT 1",
            )
                .bind(domain.to_ascii_lowercase())
                .fetch_optional(&self.pool)
                .await?;
            Ok(row.map(|row| row.try_get("kms_uri")).transpose()?)
        })
    }
}

/// A certificate of the cache; a cache without any has one row without one.
fn stored(row: &SqliteRow) -> Result<Option<StoredCertificate>, StoreError> {
    let kms_uri: Option<String> = row.try_get("kms_uri")?;
    let Some(kms_uri) = kms_uri else { return Ok(None) };
    let domains: Option<String> = row.try_get("domains")?;
    Ok(Some(StoredCertificate {
        kms_uri,
        valid_from: row.try_get("valid_from")?,
        valid_to: row.try_get("valid_to")?,
        document: row.try_get("document")?,
        domains: domains.unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        fingerprint: row.try_get("fingerprint")?,
        added: number(row.try_get("added")?)?,
    }))
}

/// Those of the same KMS that hold at the same time.
async fn overlapping(
    connection: &mut SqliteConnection,
    certificate: &StoredCertificate,
) -> Result<Vec<i64>, StoreError> {
    let rows = sqlx::query(
        "SELECT id FROM certificates WHERE kms_uri = ?1 \
         AND (valid_to IS NULL OR ?2 IS NULL OR valid_to > ?2) AND (valid_from IS NULL OR ?3 IS NULL OR valid_from < ?3)",
    )
    .bind(&certificate.kms_uri)
    .bind(certificate.valid_from)
    .bind(certificate.valid_to)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
}

/// A domain is served by one KMS.
async fn require_free(connection: &mut SqliteConnection, kms_uri: &str, domains: &[String]) -> Result<(), StoreError> {
    for domain in domains {
        let taken = sqlx::query(
            "SELECT 1 FROM certificate_domains JOIN certificates ON id = certificate_id \
             WHERE domain = ? AND kms_uri <> ? LIMIT 1",
        )
        .bind(domain.to_ascii_lowercase())
        .bind(kms_uri)
        .fetch_optional(&mut *connection)
        .await?;
        if taken.is_some() {
            return Err(StoreError::DomainTaken(domain.clone()));
        }
    }
    Ok(())
}

async fn insert(connection: &mut SqliteConnection, certificate: &StoredCertificate) -> Result<(), StoreError> {
    let StoredCertificate { kms_uri, valid_from, valid_to, document, domains, fingerprint, added } = certificate;
    let row = sqlx::query(
        "INSERT INTO certificates (kms_uri, valid_from, valid_to, document, fingerprint, added) \
         VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
    )
    .bind(kms_uri)
    .bind(valid_from)
    .bind(valid_to)
    .bind(document)
    .bind(fingerprint)
    .bind(integer(*added)?)
    .fetch_one(&mut *connection)
    .await?;
    let id: i64 = row.try_get("id")?;
    for domain in domains {
        sqlx::query("INSERT OR IGNORE INTO certificate_domains (domain, certificate_id) VALUES (?, ?)")
            .bind(domain.to_ascii_lowercase())
            .bind(id)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Of its own certificates a KMS gives three at a time, the present one, the one before and the one to come, and those that it withdrew.
pub(super) async fn require_room(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let row = sqlx::query(
        "SELECT (SELECT coalesce(sum(length(CAST(document AS BLOB))), 0) FROM certificates) + (SELECT coalesce(sum(octets), 0) \
         FROM (SELECT octets FROM generations WHERE withdrawn = 0 ORDER BY number DESC LIMIT 3)) \
         + (SELECT coalesce(sum(octets), 0) FROM generations WHERE withdrawn = 1) AS octets",
    )
    .fetch_one(connection)
    .await?;
    match number(row.try_get("octets")?)? {
        octets if octets > MAX_CERTIFICATE_OCTETS => Err(StoreError::CacheFull),
        _ => Ok(()),
    }
}

pub(super) async fn raise(connection: &mut SqliteConnection) -> Result<u64, StoreError> {
    let row =
        sqlx::query("UPDATE certificate_cache SET number = number + 1 RETURNING number").fetch_one(connection).await?;
    number(row.try_get("number")?)
}

#[cfg(test)]
mod tests {
    use super::super::migrations::MIGRATIONS;
    use super::*;
    use std::path::Path;
    use std::time::SystemTime;

    fn act() -> Act {
        Act::new("the operator", SystemTime::UNIX_EPOCH)
    }

    async fn store(folder: &Path) -> SqliteStore {
        SqliteStore::create(&folder.join("kms.sqlite")).await.unwrap()
    }

    fn certificate(kms_uri: &str, domains: &[&str]) -> StoredCertificate {
        StoredCertificate {
            kms_uri: kms_uri.into(),
            valid_from: None,
            valid_to: None,
            document: format!("<KmsCertificate of=\"{kms_uri}\"/>"),
            domains: domains.iter().map(|domain| (*domain).to_owned()).collect(),
            fingerprint: "ab".repeat(32),
            added: 7,
        }
    }

    fn cache_of(number: u64, certificates: &[StoredCertificate]) -> CertificateCache {
        CertificateCache { number, newest_generation: 1, certificates: certificates.to_vec() }
    }

    #[tokio::test]
    async fn each_change_raises_the_number() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        assert_eq!(store.certificates().await.unwrap(), cache_of(0, &[]));
        let (b, c) = (certificate("kms.b", &["b.example", "b2.example"]), certificate("kms.c", &[]));
        assert_eq!(store.put_certificate(&c, false, &act()).await.unwrap(), 1);
        assert_eq!(store.put_certificate(&b, false, &act()).await.unwrap(), 2);
        let cache = store.certificates().await.unwrap();
        assert_eq!(cache, cache_of(2, &[b, c.clone()]));
        assert_eq!(store.kms_of_domain("B2.example").await.unwrap().as_deref(), Some("kms.b"));

        assert_eq!(store.put_certificate(&certificate("kms.b", &["b.example"]), true, &act()).await.unwrap(), 3);
        assert_eq!(store.kms_of_domain("b2.example").await.unwrap(), None);
        assert_eq!(store.remove_certificate("kms.b", &act()).await.unwrap(), 4);
        assert_eq!(store.kms_of_domain("b.example").await.unwrap(), None);
        assert_eq!(store.certificates().await.unwrap(), cache_of(4, &[c]));
    }

    #[tokio::test]
    async fn what_is_refused_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        store.put_certificate(&certificate("kms.b", &["b.example"]), false, &act()).await.unwrap();
        let before = store.certificates().await.unwrap();

        let again = store.put_certificate(&certificate("kms.b", &[]), false, &act()).await;
        assert!(matches!(again, Err(StoreError::CertificateExists(kms_uri)) if kms_uri == "kms.b"));
        let taken = store.put_certificate(&certificate("kms.c", &["c.example", "B.example"]), false, &act()).await;
        assert!(matches!(taken, Err(StoreError::DomainTaken(domain)) if domain == "B.example"));
        let large = StoredCertificate { document: "x".repeat(60 * 1024), ..certificate("kms.c", &[]) };
        assert!(matches!(store.put_certificate(&large, false, &act()).await, Err(StoreError::CacheFull)));
        assert!(matches!(store.remove_certificate("kms.c", &act()).await, Err(StoreError::NoSuchCertificate(_))));
        assert_eq!(store.certificates().await.unwrap(), before);
    }
    #[tokio::test]
    async fn certificates_of_one_kms_follow_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        let of = |valid_from, valid_to| StoredCertificate {
            valid_from,
            valid_to,
            ..certificate("kms.b", &["b.example", "B.example"])
        };
        let endless = of(None, None);
        store.put_certificate(&endless, false, &act()).await.unwrap();
        for overlapping in [of(Some(10), None), of(None, Some(10)), of(Some(-5), Some(10)), of(None, None)] {
            let refused = store.put_certificate(&overlapping, false, &act()).await;
            assert!(matches!(refused, Err(StoreError::CertificateExists(_))), "{overlapping:?}");
        }
        let (first, second, third) = (of(None, Some(10)), of(Some(10), Some(20)), of(Some(20), None));
        store.put_certificate(&first, true, &act()).await.unwrap();
        store.put_certificate(&third, false, &act()).await.unwrap();
        store.put_certificate(&second, false, &act()).await.unwrap();
        let held = store.certificates().await.unwrap().certificates;
        let dates = |held: &[StoredCertificate]| -> Vec<_> {
            held.iter().map(|certificate| (certificate.valid_from, certificate.valid_to)).collect()
        };
        assert_eq!(dates(&held), [(None, Some(10)), (Some(10), Some(20)), (Some(20), None)]);
        assert_eq!(held[0].domains, ["b.example"]);
        assert_eq!(store.kms_of_domain("b.example").await.unwrap().as_deref(), Some("kms.b"));
        let rival = store.put_certificate(&certificate("kms.c", &["b.example"]), false, &act()).await;
        assert!(matches!(rival, Err(StoreError::DomainTaken(_))));

        let across = of(Some(15), Some(30));
        assert!(store.put_certificate(&across, false, &act()).await.is_err());
        store.put_certificate(&across, true, &act()).await.unwrap();
        let held = store.certificates().await.unwrap().certificates;
        assert_eq!(dates(&held), [(None, Some(10)), (Some(15), Some(30))]);
        store.remove_certificate("kms.b", &act()).await.unwrap();
        assert_eq!(store.certificates().await.unwrap().certificates, []);
    }

    #[tokio::test]
    async fn certificates_from_before_there_were_several_are_kept_with_their_dates() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kms.sqlite");
        let earlier = sqlx::migrate::Migrator {
            migrations: MIGRATIONS.iter().filter(|step| step.version < 20).cloned().collect(),
            ..sqlx::migrate::Migrator::DEFAULT
        };
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let pool = sqlx::sqlite::SqlitePool::connect_with(options).await.unwrap();
        earlier.run(&pool).await.unwrap();
        let document = "<KmsCertificate><ValidTo>2026-03-01T08:00:00Z</ValidTo></KmsCertificate>";
        sqlx::query("INSERT INTO certificates VALUES ('kms.b', ?, 'ab', 7)")
            .bind(document)
            .execute(&pool)
            .await
            .unwrap();
        sqlx::query("INSERT INTO certificate_domains VALUES ('b.example', 'kms.b')").execute(&pool).await.unwrap();
        pool.close().await;

        let store = SqliteStore::open(&path).await.unwrap();
        let expected = StoredCertificate {
            valid_to: Some(1_772_352_000),
            document: document.to_owned(),
            fingerprint: "ab".to_owned(),
            ..certificate("kms.b", &["b.example"])
        };
        assert_eq!(store.certificates().await.unwrap(), cache_of(0, &[expected]));
    }
}
