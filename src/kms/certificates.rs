//! The certificates of other KMSs: checked when they are added, handed to clients in `certcache` and `cert`
//! (TS 33.180 D.2.5, D.2.6, D.3.2.2).
//!
//! Whoever can put a certificate here can read what our users encrypt to the users that it names. So a file is
//! taken only with its fingerprint, which the operators of both KMSs compare by other means: the SHA-256 of the file, octet by
//! octet, as `sha256sum` prints it.

use super::audit::Act;
use super::config::Config;
use super::hash::Hash;
use super::store::{Store, StoreError, StoredCertificate};
use super::{Authority, Error, calendar};
use crate::kms_protocol::{self, KmsCertificate, Limits, Role, SignatureStatus, USER_ID_FORMAT_HASHED, excerpt};
use crate::mc::{KeyPeriods, PeriodEpoch};
use crate::{eccsi, sakke};
use std::time::SystemTime;
use thiserror::Error;
use time::OffsetDateTime;

/// Why the certificate of another KMS is not taken.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// What was given as fingerprint is none.
    #[error("{0:?} is no fingerprint: give the 64 hex digits of the file's SHA-256, with or without colons")]
    FingerprintForm(String),
    /// The file is another than the one that the fingerprint was made of.
    #[error(
        "the file's SHA-256 is {found}, not {expected}: it is another file, or was altered on the way; get it again"
    )]
    Fingerprint {
        /// Of the file.
        found: String,
        /// As it was given.
        expected: String,
    },
    /// The file is no certificate.
    #[error("the file is no KMS certificate: {0}")]
    Unreadable(#[from] kms_protocol::Error),
    /// The certificate is for the other KMS's own users.
    #[error(
        "the certificate has the role Root, which is for the users of that KMS: ask for one with the role External"
    )]
    Role,
    /// KmsUri is our own.
    #[error("the certificate is of this KMS, {0}")]
    OwnKms(String),
    /// KmsUri is no text that goes into UIDs without doubt.
    #[error("KmsUri is {0:?}: 1 to 255 printable ASCII characters are expected")]
    KmsUri(String),
    /// UserIdFormat, ParameterSet or the key period are none that our clients compute with.
    #[error("{field} is {found:?}, expected {expected}")]
    Unsupported {
        /// Which element.
        field: &'static str,
        /// Its value.
        found: String,
        /// What is supported.
        expected: &'static str,
    },
    /// A public key is no point of its curve.
    #[error("{field} is no public key: {problem}")]
    PublicKey {
        /// Which element.
        field: &'static str,
        /// Why not.
        problem: String,
    },
    /// The certificate is valid no more, or at no time.
    #[error("the certificate is valid from {from} to {to}, and it is {now} now: get a newer one")]
    Dates {
        /// ValidFrom.
        from: String,
        /// ValidTo.
        to: String,
        /// The present time.
        now: String,
    },
    /// The KMS has a certificate already, for other times, that makes UIDs in another way.
    #[error(
        "the certificate has key periods of {found}, another one of {kms_uri} has {expected}: a KMS keeps them; ask its operator, or remove the other one first"
    )]
    KeyPeriods {
        /// The KMS.
        kms_uri: String,
        /// Period and offset of this certificate.
        found: String,
        /// Period and offset of the other.
        expected: String,
    },
    /// The certificate names one of our domains.
    #[error("the certificate names the domain {0}, which this KMS serves: clients could not tell whose keys to use")]
    OwnDomain(String),
}

/// Checks a certificate, and puts it into the cache, beside those of the same KMS that hold at other times: so a KMS rolls over
/// to new master secrets. With `replace` it takes the place of those that hold at the same time.
///
/// A revoked certificate is taken, for clients must learn that it is revoked; its domains are free then.
///
/// The certificate, and the new number of the cache.
///
/// # Errors
/// [`Error::Certificate`]; [`Error::Store`] with [`StoreError::CertificateExists`], [`StoreError::DomainTaken`],
/// [`StoreError::CacheFull`].
pub async fn add(
    config: &Config,
    store: &dyn Store,
    file: &[u8],
    fingerprint: &str,
    replace: bool,
    act: &Act,
) -> Result<(KmsCertificate, u64), Error> {
    let fingerprint = matching(file, fingerprint)?;
    let certificate = checked(config, file, act.at)?;
    let cache = store.certificates().await?;
    for other in cache.certificates.iter().filter(|other| other.kms_uri == certificate.kms_uri) {
        check_key_periods(&certificate, &restored(other)?)?;
    }
    let seconds = |date: Option<OffsetDateTime>| date.map(OffsetDateTime::unix_timestamp);
    let stored = StoredCertificate {
        kms_uri: certificate.kms_uri.clone(),
        valid_from: seconds(certificate.valid_from),
        valid_to: seconds(certificate.valid_to),
        document: certificate.to_xml(),
        domains: if certificate.revoked { Vec::new() } else { certificate.domains.clone() },
        fingerprint,
        added: calendar::unix_seconds(act.at),
    };
    let number = store.put_certificate(&stored, replace, act).await?;
    Ok((certificate, number))
}

/// Our own certificates as other KMSs add them, with the role External: the present one, and where there is one the coming one.
pub fn exported(authority: &Authority, now: SystemTime) -> Vec<KmsCertificate> {
    let around = authority.certificates_around(calendar::ntp(now));
    let now = calendar::date(now);
    let external = |own| KmsCertificate { role: Some(Role::External), ..own };
    let of_use = |own: &KmsCertificate| !own.revoked && own.valid_to.is_none_or(|to| now < to);
    around.into_iter().filter(of_use).map(external).collect()
}

/// The fingerprint of a file: its SHA-256 in lower-case hex.
pub fn fingerprint(file: &[u8]) -> String {
    Hash::of(file).to_string()
}

/// A certificate as it is kept.
///
/// # Errors
/// [`StoreError::Inconsistent`] for what [`add`] did not write.
pub fn restored(stored: &StoredCertificate) -> Result<KmsCertificate, StoreError> {
    KmsCertificate::from_xml(stored.document.as_bytes(), &Limits::default())
        .map_err(|error| StoreError::Inconsistent(format!("certificate of {}: {error}", stored.kms_uri)))
}

fn matching(file: &[u8], given: &str) -> Result<String, CertificateError> {
    let expected =
        Hash::from_fingerprint(given).ok_or_else(|| CertificateError::FingerprintForm(excerpt(given)))?.to_string();
    let found = fingerprint(file);
    if found == expected { Ok(found) } else { Err(CertificateError::Fingerprint { found, expected }) }
}

fn checked(config: &Config, file: &[u8], now: SystemTime) -> Result<KmsCertificate, CertificateError> {
    let certificate = KmsCertificate::from_xml(file, &Limits::default())?;
    if certificate.role == Some(Role::Root) {
        return Err(CertificateError::Role);
    }
    let kms_uri = &certificate.kms_uri;
    if *kms_uri == config.kms_uri {
        return Err(CertificateError::OwnKms(kms_uri.clone()));
    }
    if !(1..=255).contains(&kms_uri.len()) || !kms_uri.bytes().all(|octet| octet.is_ascii_graphic()) {
        return Err(CertificateError::KmsUri(excerpt(kms_uri)));
    }
    check_uids(&certificate)?;
    check_public_keys(&certificate)?;
    if !certificate.revoked {
        check_dates(&certificate, now)?;
        check_domains(&certificate, config)?;
    }
    // The fingerprint vouches for the file; nobody could check a signature that was in it.
    Ok(KmsCertificate { role: Some(Role::External), signature: SignatureStatus::Absent, ..certificate })
}

fn check_uids(certificate: &KmsCertificate) -> Result<(), CertificateError> {
    let unsupported =
        |field, found: &str, expected| CertificateError::Unsupported { field, found: excerpt(found), expected };
    if certificate.user_id_format != USER_ID_FORMAT_HASHED {
        return Err(unsupported("UserIdFormat", &certificate.user_id_format, "2 (hashed UID)"));
    }
    if let Some(set) = certificate.parameter_set.filter(|set| *set != 1) {
        return Err(unsupported("ParameterSet", &set.to_string(), "1 (RFC 6509)"));
    }
    let KmsCertificate { user_key_period, user_key_offset, .. } = certificate;
    if KeyPeriods::new(*user_key_period, *user_key_offset, PeriodEpoch::Ntp).is_err() {
        return Err(unsupported("UserKeyPeriod", &user_key_period.to_string(), "a number of seconds above 0"));
    }
    Ok(())
}

fn check_public_keys(certificate: &KmsCertificate) -> Result<(), CertificateError> {
    let wrong = |field, problem: String| CertificateError::PublicKey { field, problem };
    sakke::PublicKey::from_bytes(&certificate.pub_enc_key).map_err(|error| wrong("PubEncKey", error.to_string()))?;
    eccsi::PublicKey::from_bytes(&certificate.pub_auth_key).map_err(|error| wrong("PubAuthKey", error.to_string()))?;
    Ok(())
}

fn check_dates(certificate: &KmsCertificate, now: SystemTime) -> Result<(), CertificateError> {
    let now = calendar::date(now);
    let (from, to) = (certificate.valid_from, certificate.valid_to);
    let ends_before = |to: OffsetDateTime| to <= now || from.is_some_and(|from| to <= from);
    if !to.is_some_and(ends_before) {
        return Ok(());
    }
    let text = |date: Option<OffsetDateTime>| date.map_or_else(|| "any time".to_owned(), |date| date.to_string());
    Err(CertificateError::Dates { from: text(from), to: text(to), now: now.to_string() })
}

/// One that shall take the place of this other one cannot change the key periods either: both have users with keys.
fn check_key_periods(certificate: &KmsCertificate, other: &KmsCertificate) -> Result<(), CertificateError> {
    let periods = |of: &KmsCertificate| (of.user_key_period, of.user_key_offset);
    if periods(certificate) == periods(other) {
        return Ok(());
    }
    let text = |(period, offset)| format!("{period} s with offset {offset} s");
    Err(CertificateError::KeyPeriods {
        kms_uri: certificate.kms_uri.clone(),
        found: text(periods(certificate)),
        expected: text(periods(other)),
    })
}

fn check_domains(certificate: &KmsCertificate, config: &Config) -> Result<(), CertificateError> {
    let is_own = |domain: &&String| config.domains.iter().any(|own| own.eq_ignore_ascii_case(domain));
    match certificate.domains.iter().find(is_own) {
        Some(domain) => Err(CertificateError::OwnDomain(excerpt(domain))),
        None => Ok(()),
    }
}
