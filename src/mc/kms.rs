//! One KMS certificate, made ready for use.
use super::{Error, Identity, IdentityForm, KeyPeriods, Uid, same_domain};
use crate::mikey::NtpTime;
use crate::{eccsi, sakke};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use once_cell::race::OnceBox;

/// What the world knows of a KMS: its URI, its key periods and its two public keys, with their precomputed tables.
///
/// A clone shares the tables. Those of the public encryption key are made when they are first needed: at most 336 KiB to send and
/// to receive, 378 KiB at most to validate keys that the KMS issued.
#[derive(Clone, Debug)]
pub struct Kms {
    uri: String,
    periods: KeyPeriods,
    identity_form: IdentityForm,
    sakke: Arc<Sakke>,
    eccsi: Arc<eccsi::KmsTables>,
    valid_from: Option<NtpTime>,
    valid_to: Option<NtpTime>,
    domains: Arc<[String]>,
}

/// The public encryption key Z, and what is computed from it.
#[derive(Debug)]
struct Sakke {
    public_key: sakke::PublicKey,
    tables: OnceBox<sakke::KmsTables>,
    rsk_validator: OnceBox<sakke::RskValidator>,
}

impl Kms {
    /// Precomputes the tables of the public authentication key. `uri` is the exact text of the certificate's
    /// KmsUri: it enters every UID.
    pub fn new(
        uri: impl Into<String>,
        pub_enc_key: &sakke::PublicKey,
        pub_auth_key: &eccsi::PublicKey,
        periods: KeyPeriods,
        identity_form: IdentityForm,
    ) -> Self {
        Self {
            uri: uri.into(),
            periods,
            identity_form,
            sakke: Arc::new(Sakke {
                public_key: pub_enc_key.clone(),
                tables: OnceBox::new(),
                rsk_validator: OnceBox::new(),
            }),
            eccsi: Arc::new(eccsi::KmsTables::new(pub_auth_key)),
            valid_from: None,
            valid_to: None,
            domains: Arc::default(),
        }
    }

    /// Limits the life of the certificate: ValidFrom is its first moment, ValidTo the first moment after it.
    #[must_use]
    pub const fn valid(mut self, from: Option<NtpTime>, to: Option<NtpTime>) -> Self {
        self.valid_from = from;
        self.valid_to = to;
        self
    }

    /// States the domains whose users the KMS serves (KmsDomainList), each a host name or a URI with one. A KMS that
    /// states none may serve every domain that no other states.
    #[must_use]
    pub fn with_domains(mut self, domains: impl IntoIterator<Item: Into<String>>) -> Self {
        self.domains = domains.into_iter().map(Into::into).collect();
        self
    }

    /// The same certificate read by another convention of old KMSs; shares the tables.
    #[must_use]
    pub fn with_convention(&self, periods: KeyPeriods, identity_form: IdentityForm) -> Self {
        Self { periods, identity_form, ..self.clone() }
    }

    /// The KMS URI, exact text.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Its key periods.
    pub const fn periods(&self) -> &KeyPeriods {
        &self.periods
    }

    /// What of the UID this KMS feeds to SAKKE and ECCSI.
    pub const fn identity_form(&self) -> IdentityForm {
        self.identity_form
    }

    /// Tables of the public encryption key Z, to encapsulate and decapsulate with. The first call makes them, which takes
    /// some milliseconds.
    pub fn sakke(&self) -> &sakke::KmsTables {
        self.sakke.tables.get_or_init(|| Box::new(sakke::KmsTables::new(&self.sakke.public_key)))
    }

    /// What validates RSKs that this KMS issued. The first call makes it, which takes some milliseconds.
    pub fn rsk_validator(&self) -> &sakke::RskValidator {
        self.sakke.rsk_validator.get_or_init(|| Box::new(sakke::RskValidator::new(&self.sakke.public_key)))
    }

    /// Tables of the public authentication key KPAK. They can [`remember_signers`](eccsi::KmsTables::remember_signers).
    pub fn eccsi(&self) -> &eccsi::KmsTables {
        &self.eccsi
    }

    /// The UID of a user of this KMS for a key period. Fails with [`Error::TooLong`].
    pub fn uid(&self, user_uri: &str, period_no: u64) -> Result<Uid, Error> {
        Uid::new(user_uri, &self.uri, &self.periods, period_no)
    }

    /// The UID of a user of this KMS at a time. Fails with [`Error::TooLong`] or [`Error::BeforeFirstPeriod`].
    pub fn uid_at(&self, user_uri: &str, time: NtpTime) -> Result<Uid, Error> {
        self.uid(user_uri, self.periods.number_at(time)?)
    }

    /// The identity string of a UID at this KMS.
    pub fn identity(&self, uid: &Uid) -> Identity {
        self.identity_form.identity(uid)
    }

    /// The domains of [`with_domains`](Self::with_domains), as they were given.
    pub fn domains(&self) -> impl Iterator<Item = &str> {
        self.domains.iter().map(String::as_str)
    }

    /// Whether the certificate lists the domain of this user.
    pub fn serves(&self, user_uri: &str) -> bool {
        self.domains().any(|listed| same_domain(listed, user_uri))
    }

    /// Fails with [`Error::KmsNotValid`] unless the certificate is valid at `time`.
    pub fn require_valid_at(&self, time: NtpTime) -> Result<(), Error> {
        let early = self.valid_from.is_some_and(|from| time < from);
        let late = self.valid_to.is_some_and(|to| time >= to);
        if early || late {
            return Err(Error::KmsNotValid { kms_uri: self.uri.clone(), time });
        }
        Ok(())
    }
}
