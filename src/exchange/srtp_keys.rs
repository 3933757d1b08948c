use super::{Bundle, Error};
use crate::mikey::prf::{SALT, TEK};
use crate::mikey::{KeyData, KeyDataType, KeyValidity, SecretOctets, SecurityPolicy, SrtpEncryption, SrtpParameter};

/// SRTP's default master key and master salt (RFC 3711 8.2).
const DEFAULT_KEY_LEN: usize = 16;
const DEFAULT_SALT_LEN: usize = 14;
/// The master salt of ciphers with a tag of their own (RFC 5669 4, RFC 7714 12, RFC 8269 2).
const AEAD_SALT_LEN: usize = 12;

/// What SRTP is keyed with in one crypto session. Both secrets are erased when dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SrtpKeys {
    /// The crypto session.
    pub cs_id: u8,
    /// SRTP master key.
    pub master_key: SecretOctets<'static>,
    /// SRTP master salt.
    pub master_salt: SecretOctets<'static>,
    /// For which packets: those with an MKI, with indices in an interval, or all.
    pub validity: KeyValidity<'static>,
}

/// Octets of an SRTP master key and master salt.
#[derive(Clone, Copy)]
pub(super) struct SrtpLengths {
    key: usize,
    salt: usize,
}

impl SrtpLengths {
    pub(super) fn of(policy: Option<&SecurityPolicy<'_>>) -> Self {
        let value = |parameter| policy.and_then(|policy| policy.srtp_value(parameter));
        let length = |parameter, default| value(parameter).filter(|len| *len != 0).map_or(default, usize::from);
        let default_salt = match value(SrtpParameter::ENCRYPTION_ALGORITHM).map(SrtpEncryption) {
            Some(
                SrtpEncryption::AES_GCM
                | SrtpEncryption::ARIA_GCM
                | SrtpEncryption::SEED_CCM
                | SrtpEncryption::SEED_GCM,
            ) => AEAD_SALT_LEN,
            _ => DEFAULT_SALT_LEN,
        };
        Self {
            key: length(SrtpParameter::SESSION_ENCRYPTION_KEY_LENGTH, DEFAULT_KEY_LEN),
            salt: length(SrtpParameter::SESSION_SALT_LENGTH, default_salt),
        }
    }
}

impl SrtpKeys {
    pub(super) fn of(key: &KeyData<'static>, bundle: &Bundle, cs_id: u8, lengths: SrtpLengths) -> Result<Self, Error> {
        let derive = |constant, len| -> SecretOctets<'static> {
            bundle.prf.session_key(&key.key, constant, cs_id, bundle.csb_id, &bundle.rand, len).into()
        };
        let (master_key, master_salt) = match key.key_type {
            KeyDataType::Tgk => (derive(TEK, lengths.key), derive(SALT, lengths.salt)),
            KeyDataType::TgkSalt => (derive(TEK, lengths.key), sent_salt(key, lengths)?),
            KeyDataType::Tek => split_tek(key, lengths)?,
            KeyDataType::TekSalt if key.key.len() == lengths.key => (key.key.clone(), sent_salt(key, lengths)?),
            KeyDataType::TekSalt => return Err(Error::TekLength { found: key.key.len(), expected: lengths.key }),
            found => return Err(Error::KeyType { found }),
        };
        Ok(Self { cs_id, master_key, master_salt, validity: key.validity.clone() })
    }
}

fn sent_salt(key: &KeyData<'static>, lengths: SrtpLengths) -> Result<SecretOctets<'static>, Error> {
    match key.salt.len() {
        found if found == lengths.salt => Ok(key.salt.clone()),
        found => Err(Error::SaltLength { found, expected: lengths.salt }),
    }
}

/// A TEK without a salt: the master key alone, or, as GStreamer sends it, with the master salt behind it.
fn split_tek(
    key: &KeyData<'static>,
    lengths: SrtpLengths,
) -> Result<(SecretOctets<'static>, SecretOctets<'static>), Error> {
    match key.key.split_at_checked(lengths.key) {
        Some((_, [])) => Ok((key.key.clone(), SecretOctets::EMPTY)),
        Some((master_key, salt)) if salt.len() == lengths.salt => {
            Ok((SecretOctets::from(master_key).into_owned(), SecretOctets::from(salt).into_owned()))
        }
        _ => Err(Error::TekLength { found: key.key.len(), expected: lengths.key }),
    }
}
