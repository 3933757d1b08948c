//! Who is at the other end, and how far that is proven.
use crate::mc::{Error, Kms, Uid, same_domain};
use alloc::string::String;
use alloc::vec::Vec;

/// Who should have sent a message, as far as the signalling that it came with says so.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Expected<'a> {
    /// The user.
    pub uri: &'a str,
    /// The user's KMS, where the receiver knows it. It then alone may issue the user's keys, whatever domains the known
    /// KMSs list.
    pub kms_uri: Option<&'a str>,
}

impl<'a> Expected<'a> {
    /// A user, of whichever KMS serves the domain of the URI.
    pub const fn user(uri: &'a str) -> Self {
        Self { uri, kms_uri: None }
    }
}

/// Who signed a message.
#[derive(Clone, Debug)]
pub struct Peer {
    uid: Uid,
    uri: Option<String>,
    kms: Kms,
    period_no: u64,
    /// How many key periods before and after that of the message the UID may be of.
    neighbours: u64,
    /// Domains that other known KMSs list and this one does not.
    domains_of_others: Vec<String>,
}

impl Peer {
    /// The user of `kms` with this UID, in the key period of the message, `period_no`. `known` are all known KMSs.
    pub(super) fn of_uid(uid: Uid, kms: &Kms, period_no: u64, neighbours: u64, known: &[&Kms]) -> Self {
        let own = |domain: &str| known.iter().any(|known| known.uri() == kms.uri() && known.serves(domain));
        let others = known.iter().filter(|known| known.uri() != kms.uri()).flat_map(|other| other.domains());
        let domains_of_others = others.filter(|domain| !own(domain)).map(Into::into).collect();
        Self { uid, uri: None, kms: kms.clone(), period_no, neighbours, domains_of_others }
    }

    /// The UID that signed the message.
    pub const fn uid(&self) -> &Uid {
        &self.uid
    }

    /// The URI: of a plain identity, or expected or confirmed by the receiver. It hashes to the UID.
    pub fn uri(&self) -> Option<&str> {
        self.uri.as_deref()
    }

    /// The URI of its KMS.
    pub fn kms_uri(&self) -> &str {
        self.kms.uri()
    }

    /// The key period of the UID; while the URI is unknown, that of the message's time.
    pub const fn period_no(&self) -> u64 {
        self.period_no
    }

    /// Whether this is the user with that URI: the UID is the user's, and no other known KMS alone serves its domain.
    pub fn is(&self, uri: &str) -> bool {
        self.recognise(uri, None).is_ok()
    }

    pub(super) const fn kms(&self) -> &Kms {
        &self.kms
    }

    /// Takes the URI for this peer's, if it is.
    ///
    /// Fails with [`Error::KmsNotForUser`] or [`Error::UnexpectedInitiator`].
    pub(super) fn confirm(&mut self, expected: Expected<'_>) -> Result<(), Error> {
        self.period_no = self.recognise(expected.uri, expected.kms_uri)?;
        self.uri = Some(expected.uri.into());
        Ok(())
    }

    /// The key period for which the UID is that of `uri`.
    fn recognise(&self, uri: &str, kms_uri: Option<&str>) -> Result<u64, Error> {
        if self.uri() == Some(uri) && kms_uri.is_none_or(|kms_uri| kms_uri == self.kms.uri()) {
            return Ok(self.period_no);
        }
        if !self.may_be_served_here(uri, kms_uri) {
            return Err(Error::KmsNotForUser { user_uri: uri.into(), kms_uri: self.kms.uri().into() });
        }
        let (first, last) =
            (self.period_no.saturating_sub(self.neighbours), self.period_no.saturating_add(self.neighbours));
        for period_no in first..=last {
            if self.kms.uid(uri, period_no)? == self.uid {
                return Ok(period_no);
            }
        }
        Err(Error::UnexpectedInitiator { uid: self.uid })
    }

    fn may_be_served_here(&self, uri: &str, kms_uri: Option<&str>) -> bool {
        match kms_uri {
            Some(kms_uri) => kms_uri == self.kms.uri(),
            None => !self.domains_of_others.iter().any(|domain| same_domain(domain, uri)),
        }
    }
}
