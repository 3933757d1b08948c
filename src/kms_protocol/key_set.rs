//! `KmsKeySet` (TS 33.180 D.3.3.2): the keys of one identity for one key period.

use super::Error;
use super::document::{Fields, Node};
use super::writer::{DocumentWriter, WriteOptions};
use core::fmt;
use core::ops::RangeInclusive;
use subtle::ConstantTimeEq;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// The keys of one identity for one key period, as a KMS hands them out: not yet checked.
#[derive(Debug, PartialEq, Eq)]
pub struct KmsKeySet {
    /// `KmsUri`: the KMS that made the keys.
    pub kms_uri: String,
    /// `CertUri`: the certificate that they belong to.
    pub cert_uri: Option<String>,
    /// `Issuer`.
    pub issuer: Option<String>,
    /// `UserUri`: the identity.
    pub user_uri: String,
    /// `UserID`: the identity's UID of this period, as the KMS states it.
    pub user_id: [u8; 32],
    /// `ValidFrom`, UTC.
    pub valid_from: Option<OffsetDateTime>,
    /// `ValidTo`, UTC.
    pub valid_to: Option<OffsetDateTime>,
    /// `KeyPeriodNo`.
    pub key_period_no: u64,
    /// `Revoked`; absent reads as false.
    pub revoked: bool,
    /// `UserDecryptKey`: the RSK, 257 octets.
    pub user_decrypt_key: KeyContent,
    /// `UserSigningKeySSK`: the SSK, 32 octets and sometimes a few leading zero octets more.
    pub user_signing_key_ssk: KeyContent,
    /// `UserPubTokenPVT`: the PVT, 65 octets.
    pub user_pub_token_pvt: KeyContent,
}

/// A key element: in clear (`KeyContentType`) or encrypted under a TrK (`EncKeyContentType`). `Debug` shows no key octets.
pub enum KeyContent {
    /// The octets themselves.
    Clear(Zeroizing<Vec<u8>>),
    /// The octets, wrapped.
    Encrypted(EncryptedKey),
}

/// An `EncryptedKey` of XML encryption.
#[derive(Clone, PartialEq, Eq)]
pub struct EncryptedKey {
    /// `Algorithm` of its `EncryptionMethod`, a URI.
    pub algorithm: String,
    /// `KeyName` of its `KeyInfo`: the key that wraps, such as a TrK-ID.
    pub key_name: Option<String>,
    /// `CarriedKeyName`: the key that is wrapped.
    pub carried_key_name: Option<String>,
    /// `CipherValue`, decoded.
    pub cipher_value: Vec<u8>,
}

/// The key elements of a set.
#[derive(Clone, Copy)]
pub(super) enum KeyKind {
    Rsk,
    Ssk,
    Pvt,
}

/// What the octets of an uncompressed point begin with.
#[cfg(feature = "xml-security")]
pub(super) const POINT_PREFIX: u8 = 4;

impl KeyKind {
    pub(super) fn field(self) -> &'static str {
        match self {
            KeyKind::Rsk => "UserDecryptKey",
            KeyKind::Ssk => "UserSigningKeySSK",
            KeyKind::Pvt => "UserPubTokenPVT",
        }
    }

    /// Octets of the key.
    pub(super) fn len(self) -> RangeInclusive<usize> {
        match self {
            KeyKind::Rsk => 257..=257,
            KeyKind::Ssk => 32..=64,
            KeyKind::Pvt => 65..=65,
        }
    }

    /// The same in words.
    pub(super) fn expected(self) -> &'static str {
        match self {
            KeyKind::Rsk => "257 octets",
            KeyKind::Ssk => "32 octets, or up to 64 of which the first are zero",
            KeyKind::Pvt => "65 octets",
        }
    }

    #[cfg(feature = "xml-security")]
    pub(super) fn is_point(self) -> bool {
        matches!(self, KeyKind::Rsk | KeyKind::Pvt)
    }
}

/// Octets of a CipherValue: from one key-wrap block up to generous room.
const CIPHER_VALUE_LEN: RangeInclusive<usize> = 1..=1024;

impl KeyContent {
    /// Key octets in clear.
    pub fn clear(octets: &[u8]) -> Self {
        KeyContent::Clear(Zeroizing::new(octets.to_vec()))
    }

    /// The octets, if they are in clear.
    pub fn as_clear(&self) -> Option<&[u8]> {
        match self {
            KeyContent::Clear(octets) => Some(octets),
            KeyContent::Encrypted(_) => None,
        }
    }

    fn read(fields: &Fields<'_, '_>, kind: KeyKind) -> Result<Self, Error> {
        let node = fields.one(kind.field())?;
        // The content decides, not xsi:type, which servers leave out.
        if node.has_elements() {
            return EncryptedKey::read(node.fields()?.one("EncryptedKey")?).map(KeyContent::Encrypted);
        }
        node.octets(kind.len(), kind.expected()).map(KeyContent::Clear)
    }

    fn write(&self, w: &mut DocumentWriter, kind: KeyKind) {
        let name = kind.field();
        match self {
            KeyContent::Clear(octets) => w.hex(name, &[("xsi:type", "KeyContentType")], octets),
            KeyContent::Encrypted(key) => {
                w.open(name, &[("xsi:type", "EncKeyContentType")]);
                key.write(w);
                w.close(name);
            }
        }
    }
}

impl PartialEq for KeyContent {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (KeyContent::Clear(a), KeyContent::Clear(b)) => a.as_slice().ct_eq(b.as_slice()).into(),
            (KeyContent::Encrypted(a), KeyContent::Encrypted(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for KeyContent {}

impl fmt::Debug for KeyContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyContent::Clear(octets) => write!(f, "Clear({} octets)", octets.len()),
            KeyContent::Encrypted(key) => f.debug_tuple("Encrypted").field(key).finish(),
        }
    }
}

impl EncryptedKey {
    pub(super) fn read(node: Node<'_, '_>) -> Result<Self, Error> {
        let fields = node.fields()?;
        let method = fields.one("EncryptionMethod")?;
        let algorithm = method
            .attribute("Algorithm")
            .filter(|algorithm| !algorithm.is_empty())
            .ok_or_else(|| Error::Missing { path: format!("{}/@Algorithm", method.path()) })?
            .to_owned();
        let key_name = match fields.optional("KeyInfo")? {
            Some(info) => info.fields()?.optional_string("KeyName")?,
            None => None,
        };
        let cipher_value = fields
            .one("CipherData")?
            .fields()?
            .one("CipherValue")?
            .octets(CIPHER_VALUE_LEN, "1 to 1024 octets of base64 or hex")?
            .to_vec();
        Ok(EncryptedKey {
            algorithm,
            key_name,
            carried_key_name: fields.optional_string("CarriedKeyName")?,
            cipher_value,
        })
    }

    pub(super) fn write(&self, w: &mut DocumentWriter) {
        w.encrypted_key(
            &self.algorithm,
            self.key_name.as_deref(),
            &self.cipher_value,
            self.carried_key_name.as_deref(),
        );
    }
}

impl fmt::Debug for EncryptedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptedKey")
            .field("algorithm", &self.algorithm)
            .field("key_name", &self.key_name)
            .field("carried_key_name", &self.carried_key_name)
            .field("cipher_value", &format_args!("{} octets", self.cipher_value.len()))
            .finish()
    }
}

impl KmsKeySet {
    pub(super) fn read(node: Node<'_, '_>) -> Result<Self, Error> {
        node.check_version()?;
        let fields = node.fields()?;
        Ok(KmsKeySet {
            kms_uri: fields.uri("KmsUri")?,
            cert_uri: fields.optional_uri("CertUri")?,
            issuer: fields.optional_string("Issuer")?,
            user_uri: fields.uri("UserUri")?,
            user_id: fields.one("UserID")?.user_id()?,
            valid_from: fields.optional_time("ValidFrom")?,
            valid_to: fields.optional_time("ValidTo")?,
            key_period_no: fields.number("KeyPeriodNo")?,
            revoked: fields.boolean("Revoked")?,
            user_decrypt_key: KeyContent::read(&fields, KeyKind::Rsk)?,
            user_signing_key_ssk: KeyContent::read(&fields, KeyKind::Ssk)?,
            user_pub_token_pvt: KeyContent::read(&fields, KeyKind::Pvt)?,
        })
    }

    pub(super) fn write(&self, w: &mut DocumentWriter, options: &WriteOptions) {
        w.open("KmsKeySet", &[("Version", "1.1.0")]);
        w.leaf("KmsUri", &self.kms_uri);
        w.optional_leaf("CertUri", self.cert_uri.as_deref());
        w.optional_leaf("Issuer", self.issuer.as_deref());
        w.leaf("UserUri", &self.user_uri);
        w.user_id("UserID", &self.user_id, options.user_id_form);
        w.optional_time("ValidFrom", self.valid_from);
        w.optional_time("ValidTo", self.valid_to);
        w.number("KeyPeriodNo", self.key_period_no);
        w.flag("Revoked", self.revoked);
        self.user_decrypt_key.write(w, KeyKind::Rsk);
        self.user_signing_key_ssk.write(w, KeyKind::Ssk);
        self.user_pub_token_pvt.write(w, KeyKind::Pvt);
        w.close("KmsKeySet");
    }
}
