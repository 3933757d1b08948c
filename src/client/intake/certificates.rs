//! Certificates: those of the client's own KMS, whose keys must not change, and those of others, whose users are theirs alone.

use super::Intake;
use super::certificate_rules::{
    require_own_domains, require_points, require_same_periods, require_supported, unsupported,
};
use crate::client::Error;
use crate::client::certificates::CertificateRecord;
use crate::client::convention::Convention;
use crate::client::protection::require_no_signature;
use crate::client::record::{Contents, KmsRecord};
use crate::kms_protocol::{self, KmsCertCache, KmsCertificate};

impl Intake {
    /// Checks the certificates of a cache: those of other KMSs, and those of the client's own for other times. One that cannot be
    /// used is left out with a note, for it concerns only the users of that KMS, or only these times.
    pub(in crate::client) fn with_certificates(mut self, contents: &Contents, cache: &KmsCertCache) -> Self {
        let mut is_whole = true;
        for certificate in &cache.certificates {
            let is_own =
                certificate.kms_uri == self.record.kms_uri && certificate.role == Some(kms_protocol::Role::Root);
            let taken = if is_own { self.further(contents, certificate) } else { self.other(contents, certificate) };
            if let Err(error) = taken {
                let whose = if is_own { "the KMS for other times" } else { "another KMS" };
                self.notes.push(format!("certificate of {whose} left out: {error}"));
                is_whole &= !is_own;
            }
        }
        if is_whole {
            self.record.cache_number = cache.cache_num.or(self.record.cache_number);
        }
        self
    }

    fn further(&mut self, contents: &Contents, certificate: &KmsCertificate) -> Result<(), Error> {
        require_no_signature("the KMS certificate", certificate.signature.clone())?;
        if !certificate.revoked {
            require_supported(certificate)?;
        }
        self.take_own(contents, certificate)
    }

    fn other(&mut self, contents: &Contents, certificate: &KmsCertificate) -> Result<(), Error> {
        let known = contents.kms(&certificate.kms_uri);
        let at_home = known.is_some_and(|known| known.home) || certificate.kms_uri == self.record.kms_uri;
        if at_home {
            return Err(unsupported(certificate, "Role", "External", "Root, for it issued keys to this client"));
        }
        require_no_signature("the certificate of another KMS", certificate.signature.clone())?;
        // A revoked certificate is kept, to refuse what comes in its name.
        if !certificate.revoked {
            require_supported(certificate)?;
        }
        require_points(certificate)?;
        let taken = self.others.iter().position(|other| other.kms_uri == certificate.kms_uri);
        let known = taken.and_then(|index| self.others.get(index)).or(known);
        let record = match known {
            Some(known) if require_same_periods(known, certificate).is_ok() => {
                let mut record = known.clone();
                record.take_other(CertificateRecord::of(certificate));
                record
            }
            Some(known) => {
                let Convention { identity_form, period_epoch } = known.convention();
                KmsRecord { identity_form, period_epoch, ..KmsRecord::of(certificate, false) }
            }
            None => KmsRecord::of(certificate, false),
        };
        if !certificate.revoked {
            let all = contents.kms.iter().chain(&self.others).chain([&self.record]);
            require_own_domains(&record, &certificate.domains, all)?;
        }
        match taken.and_then(|index| self.others.get_mut(index)) {
            Some(taken) => *taken = record,
            None => self.others.push(record),
        }
        Ok(())
    }

    /// Takes in a certificate of the client's own KMS, if it leaves what the client has as it is.
    pub(super) fn take_own(&mut self, contents: &Contents, certificate: &KmsCertificate) -> Result<(), Error> {
        require_points(certificate)?;
        require_same_periods(&self.record, certificate)?;
        let mut record = self.record.clone();
        let new = CertificateRecord::of(certificate);
        let (from, to) = new.dates();
        let is_new = record.take_own(new, &self.held)?;
        require_own_domains(&record, &certificate.domains, contents.kms.iter().chain(&self.others))?;
        self.record = record;
        if is_new {
            let kms_uri = &self.record.kms_uri;
            self.notes.push(format!("KMS {kms_uri} has new public keys, valid from {from} to {to}"));
        }
        Ok(())
    }
}
