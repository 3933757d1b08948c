//! What a certificate must be to be taken in.

use crate::client::Error;
use crate::client::calendar::{unix_date, unix_seconds};
use crate::client::certificates::CertificateRecord;
use crate::client::record::KmsRecord;
use crate::kms_protocol::{KmsCertificate, USER_ID_FORMAT_HASHED};
use crate::mikey::NtpTime;

/// RFC 6509 Appendix A.
const PARAMETER_SET: u64 = 1;

pub(super) fn require_supported(certificate: &KmsCertificate) -> Result<(), Error> {
    if certificate.revoked {
        return Err(Error::CertificateRevoked { kms_uri: certificate.kms_uri.clone() });
    }
    if certificate.user_id_format != USER_ID_FORMAT_HASHED {
        return Err(unsupported(certificate, "UserIdFormat", &certificate.user_id_format, "2 (hashed UID)"));
    }
    if let Some(set) = certificate.parameter_set.filter(|set| *set != PARAMETER_SET) {
        return Err(unsupported(certificate, "ParameterSet", &set.to_string(), "1 (RFC 6509)"));
    }
    if certificate.user_key_period == 0 {
        return Err(unsupported(certificate, "UserKeyPeriod", "0", "a number of seconds above 0"));
    }
    Ok(())
}

pub(super) fn require_dates(certificate: &KmsCertificate, now: NtpTime) -> Result<(), Error> {
    let now = unix_seconds(now);
    let early = certificate.valid_from.is_some_and(|from| now < from.unix_timestamp());
    let late = certificate.valid_to.is_some_and(|to| now >= to.unix_timestamp());
    if early || late {
        let (from, to) = CertificateRecord::of(certificate).dates();
        let kms_uri = certificate.kms_uri.clone();
        return Err(Error::CertificateDates { kms_uri, from, to, now: unix_date(now) });
    }
    Ok(())
}

pub(super) fn unsupported(
    certificate: &KmsCertificate,
    field: &'static str,
    found: &str,
    expected: &'static str,
) -> Error {
    Error::CertificateUnsupported { kms_uri: certificate.kms_uri.clone(), field, found: found.to_owned(), expected }
}

pub(super) fn require_points(certificate: &KmsCertificate) -> Result<(), Error> {
    match CertificateRecord::of(certificate).public_keys() {
        Ok(_) => Ok(()),
        Err((field, problem)) => Err(Error::CertificateKey { kms_uri: certificate.kms_uri.clone(), field, problem }),
    }
}

/// A KMS keeps its clock, whatever its certificates.
pub(super) fn require_same_periods(known: &KmsRecord, found: &KmsCertificate) -> Result<(), Error> {
    let (period, offset) = (found.user_key_period, found.user_key_offset);
    if (known.period, known.offset) == (period, offset) {
        return Ok(());
    }
    let text = |period, offset| format!("key periods of {period} s with offset {offset} s");
    Err(Error::KmsConventionChanged {
        kms_uri: known.kms_uri.clone(),
        known: text(known.period, known.offset),
        found: text(period, offset),
    })
}

/// A KMS cannot take users over from another one by a claim of its own.
pub(super) fn require_own_domains<'a>(
    record: &KmsRecord,
    domains: &[String],
    others: impl IntoIterator<Item = &'a KmsRecord>,
) -> Result<(), Error> {
    for other in others.into_iter().filter(|other| other.kms_uri != record.kms_uri && !other.is_revoked()) {
        if let Some(domain) = domains.iter().find(|domain| other.serves(domain)) {
            let (kms_uri, domain, holder) = (record.kms_uri.clone(), domain.clone(), other.kms_uri.clone());
            return Err(Error::DomainTaken { kms_uri, domain, holder });
        }
    }
    Ok(())
}
