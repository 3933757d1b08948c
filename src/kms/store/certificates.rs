//! The certificates of other KMSs.

use super::sqlite::{integer, number, on_conflict, record};
use super::{Answer, SqliteStore, StoreError};
use crate::kms::audit::{Act, Event};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

/// The most octets of all certificates together: an answer with them has 64 KiB at most, which clients take.
pub const MAX_CERTIFICATE_OCTETS: u64 = 60 * 1024;

/// The certificates of other KMSs that clients get in `certcache`.
pub trait CertificateStore {
    /// Puts a certificate into the cache. With `replace` it takes the place of one of the same KMS.
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

    /// Takes the certificate of a KMS out of the cache. Clients keep what they have.
    ///
    /// The new number of the cache.
    ///
    /// # Errors
    /// [`StoreError::NoSuchCertificate`].
    fn remove_certificate<'a>(&'a self, kms_uri: &'a str, act: &'a Act) -> Answer<'a, u64>;

    /// All certificates, ordered by KMS, and the number of the cache that they make.
    fn certificates(&self) -> Answer<'_, CertificateCache>;

    /// The certificate of a KMS, if there is one.
    fn certificate<'a>(&'a self, kms_uri: &'a str) -> Answer<'a, Option<StoredCertificate>>;

    /// The KMS whose certificate names a domain, if there is one. A domain is compared without case.
    fn kms_of_domain<'a>(&'a self, domain: &'a str) -> Answer<'a, Option<String>>;
}

/// The certificate of another KMS as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCertificate {
    /// The KMS that it is of.
    pub kms_uri: String,
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
    /// `CacheNum`: rises at each change.
    pub number: u64,
    /// All certificates, ordered by KMS.
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
            let StoredCertificate { kms_uri, document, domains, fingerprint, added } = certificate;
            let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
            if replace {
                delete(&mut transaction, kms_uri).await?;
            }
            sqlx::query("INSERT INTO certificates (kms_uri, document, fingerprint, added) VALUES (?, ?, ?, ?)")
                .bind(kms_uri)
                .bind(document)
                .bind(fingerprint)
                .bind(integer(*added)?)
                .execute(&mut *transaction)
                .await
                .map_err(|error| on_conflict(error, || StoreError::CertificateExists(kms_uri.clone())))?;
            for domain in domains {
                sqlx::query("INSERT INTO certificate_domains (domain, kms_uri) VALUES (?, ?)")
                    .bind(domain.to_ascii_lowercase())
                    .bind(kms_uri)
                    .execute(&mut *transaction)
                    .await
                    .map_err(|error| on_conflict(error, || StoreError::DomainTaken(domain.clone())))?;
            }
            let total = sqlx::query("SELECT sum(length(CAST(document AS BLOB))) AS octets FROM certificates")
                .fetch_one(&mut *transaction)
                .await?;
            if number(total.try_get("octets")?)? > MAX_CERTIFICATE_OCTETS {
                return Err(StoreError::CacheFull);
            }
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
            if delete(&mut transaction, kms_uri).await? == 0 {
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
                "SELECT number, kms_uri, document, fingerprint, added, \
                 (SELECT group_concat(domain, ' ') FROM certificate_domains AS named \
                 WHERE named.kms_uri = certificates.kms_uri) AS domains \
                 FROM certificate_cache LEFT JOIN certificates ON true ORDER BY kms_uri",
            )
            .fetch_all(&self.pool)
            .await?;
            let first = rows.first().ok_or_else(|| StoreError::Inconsistent("no certificate_cache".to_owned()))?;
            let number = number(first.try_get("number")?)?;
            let certificates: Result<Vec<Option<StoredCertificate>>, StoreError> = rows.iter().map(stored).collect();
            Ok(CertificateCache { number, certificates: certificates?.into_iter().flatten().collect() })
        })
    }

    fn certificate<'a>(&'a self, kms_uri: &'a str) -> Answer<'a, Option<StoredCertificate>> {
        Box::pin(async move {
            let cache = self.certificates().await?;
            Ok(cache.certificates.into_iter().find(|certificate| certificate.kms_uri == kms_uri))
        })
    }

    fn kms_of_domain<'a>(&'a self, domain: &'a str) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            let row = sqlx::query("SELECT kms_uri FROM certificate_domains WHERE domain = ?")
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
        document: row.try_get("document")?,
        domains: domains.unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        fingerprint: row.try_get("fingerprint")?,
        added: number(row.try_get("added")?)?,
    }))
}

async fn delete(connection: &mut SqliteConnection, kms_uri: &str) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM certificates WHERE kms_uri = ?").bind(kms_uri).execute(connection).await?;
    Ok(done.rows_affected())
}

async fn raise(connection: &mut SqliteConnection) -> Result<u64, StoreError> {
    let row =
        sqlx::query("UPDATE certificate_cache SET number = number + 1 RETURNING number").fetch_one(connection).await?;
    number(row.try_get("number")?)
}

#[cfg(test)]
mod tests {
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
            document: format!("<KmsCertificate of=\"{kms_uri}\"/>"),
            domains: domains.iter().map(|domain| (*domain).to_owned()).collect(),
            fingerprint: "ab".repeat(32),
            added: 7,
        }
    }

    #[tokio::test]
    async fn each_change_raises_the_number() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        assert_eq!(store.certificates().await.unwrap(), CertificateCache { number: 0, certificates: Vec::new() });
        let (b, c) = (certificate("kms.b", &["b.example", "b2.example"]), certificate("kms.c", &[]));
        assert_eq!(store.put_certificate(&c, false, &act()).await.unwrap(), 1);
        assert_eq!(store.put_certificate(&b, false, &act()).await.unwrap(), 2);
        let cache = store.certificates().await.unwrap();
        assert_eq!(cache.number, 2);
        assert_eq!(cache.certificates, [b.clone(), c.clone()]);
        assert_eq!(store.certificate("kms.b").await.unwrap(), Some(b.clone()));
        assert_eq!(store.certificate("kms.d").await.unwrap(), None);
        assert_eq!(store.kms_of_domain("B2.example").await.unwrap().as_deref(), Some("kms.b"));

        assert_eq!(store.put_certificate(&certificate("kms.b", &["b.example"]), true, &act()).await.unwrap(), 3);
        assert_eq!(store.kms_of_domain("b2.example").await.unwrap(), None);
        assert_eq!(store.remove_certificate("kms.b", &act()).await.unwrap(), 4);
        assert_eq!(store.kms_of_domain("b.example").await.unwrap(), None);
        assert_eq!(store.certificates().await.unwrap(), CertificateCache { number: 4, certificates: vec![c] });
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
}
