//! The UID: what SAKKE and ECCSI know a user by (TS 33.180 F.2.1).
use super::kdf::{MinimalInteger, input};
use super::{Error, KeyPeriods};
use core::fmt;
use sha2::{Digest, Sha256};

/// Octets of a [`Uid`].
pub const UID_LEN: usize = 32;

/// FC of the UID, a dummy: the hash is unkeyed.
const FC_UID: u8 = 0x00;
const P0_UID: &[u8] = b"MIKEY-SAKKE-UID";

/// The UID of one user, at one KMS, for one key period: 32 octets. Displays as 64 lower-case hex characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid([u8; UID_LEN]);

impl Uid {
    /// The UID of `user_uri` at the KMS `kms_uri` for the key period numbered `period_no` (TS 33.180 F.2.1).
    ///
    /// Both URIs enter as the exact octets given: there is no normalisation, and a KMS URI need not have a scheme.
    /// Fails with [`Error::TooLong`] when a URI has more than 65535 octets.
    pub fn new(user_uri: &str, kms_uri: &str, periods: &KeyPeriods, period_no: u64) -> Result<Self, Error> {
        let s = input(
            FC_UID,
            &[
                P0_UID,
                user_uri.as_bytes(),
                kms_uri.as_bytes(),
                MinimalInteger::new(periods.period()).as_bytes(),
                MinimalInteger::new(periods.offset()).as_bytes(),
                MinimalInteger::new(period_no).as_bytes(),
            ],
        )?;
        Ok(Self(Sha256::digest(&s).into()))
    }

    /// A UID as it came, from a message or a key set.
    pub const fn from_bytes(bytes: [u8; UID_LEN]) -> Self {
        Self(bytes)
    }

    /// Its 32 octets.
    pub const fn as_bytes(&self) -> &[u8; UID_LEN] {
        &self.0
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uid({self})")
    }
}

/// What of a UID a KMS feeds to SAKKE and ECCSI.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub enum IdentityForm {
    /// The 32 octets themselves, which is what TS 33.180 means.
    #[default]
    Raw,
    /// The 64 lower-case hexadecimal characters of the UID, as some old KMSs did.
    HexText,
}

impl IdentityForm {
    /// The identity that `uid` becomes.
    pub fn identity(self, uid: &Uid) -> Identity {
        let mut octets = [0; 2 * UID_LEN];
        match self {
            Self::Raw => {
                for (to, from) in octets.iter_mut().zip(uid.0) {
                    *to = from;
                }
                Identity { octets, len: UID_LEN }
            }
            Self::HexText => {
                let nibbles = uid.0.iter().flat_map(|octet| [octet >> 4, octet & 15]);
                for (to, nibble) in octets.iter_mut().zip(nibbles) {
                    *to = if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
                }
                Identity { octets, len: 2 * UID_LEN }
            }
        }
    }
}

/// The identity string that SAKKE and ECCSI work with: 32 or 64 octets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity {
    octets: [u8; 2 * UID_LEN],
    len: usize,
}

impl Identity {
    /// Its octets.
    pub fn as_bytes(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }
}

impl AsRef<[u8]> for Identity {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mc::PeriodEpoch;
    use alloc::string::ToString;

    fn uid(period: u64, offset: u64, number: u64) -> Uid {
        let periods = KeyPeriods::new(period, offset, PeriodEpoch::Ntp).unwrap();
        Uid::new("sip:user@example.org", "kms.example.org", &periods, number).unwrap()
    }

    #[test]
    fn the_example_of_ts_33_180() {
        assert_eq!(
            uid(2_592_000, 0, 1388).to_string(),
            "3a81fb14c3b1d0fe43c9c577104d55a6d81788bfd2f09743c4557746a5a0353b"
        );
    }

    #[test]
    fn every_input_matters() {
        let base = uid(2_592_000, 0, 1388);
        assert_ne!(base, uid(2_592_001, 0, 1388));
        assert_ne!(base, uid(2_592_000, 1, 1388));
        assert_ne!(base, uid(2_592_000, 0, 1389));
    }

    #[test]
    fn identities_are_raw_octets_or_their_hex() {
        let uid = uid(2_592_000, 0, 1388);
        assert_eq!(IdentityForm::Raw.identity(&uid).as_bytes(), uid.as_bytes());
        assert_eq!(IdentityForm::HexText.identity(&uid).as_bytes(), uid.to_string().as_bytes());
    }

    #[test]
    fn a_uri_of_65536_octets_is_refused() {
        let periods = KeyPeriods::new(1, 0, PeriodEpoch::Ntp).unwrap();
        let long = "a".repeat(65536);
        assert_eq!(Uid::new(&long, "k", &periods, 0), Err(Error::TooLong { what: "derivation parameter", len: 65536 }));
    }
}
