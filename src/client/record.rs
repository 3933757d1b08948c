//! What a store holds, as it stands in the sealed file.

use super::Error;
use super::calendar::{unix_date, unix_seconds};
use super::certificates::CertificateRecord;
use super::convention::Convention;
use super::octets::Octets;
use super::protection::are_newer;
use crate::kms_protocol::{ClientKeys, KmsCertificate};
use crate::mc::imessage::StatusZero;
use crate::mc::{IdentityForm, KeyPeriods, PeriodEpoch};
use crate::mikey::NtpTime;
use crate::xml_security::{self, NamedKey};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::mem;

/// The layout below. Raised when a change would make an older program misread it: in layout 1 a KMS has one certificate, whose
/// fields stand among the KMS's own.
pub(super) const VERSION: u32 = 2;

/// Read before the rest, so that a store of a newer program is named as such.
#[derive(Deserialize)]
pub(super) struct Versioned {
    pub(super) version: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Contents {
    pub(super) version: u32,
    pub(super) kms: Vec<KmsRecord>,
    pub(super) key_sets: Vec<KeySetRecord>,
    pub(super) keys: Vec<KeyRecord>,
    /// Each user is in at most one of each KMS.
    #[serde(default)]
    pub(super) client_keys: Vec<ClientKeysRecord>,
    #[serde(default)]
    pub(super) revocations: Vec<RevocationRecord>,
    /// By KMS, the time by its own clock, in seconds since 1970, of its newest answer over the network.
    #[serde(default)]
    pub(super) answered: BTreeMap<String, i64>,
}

impl Contents {
    pub(super) const EMPTY: Self = Self {
        version: VERSION,
        kms: Vec::new(),
        key_sets: Vec::new(),
        keys: Vec::new(),
        client_keys: Vec::new(),
        revocations: Vec::new(),
        answered: BTreeMap::new(),
    };

    pub(super) fn kms(&self, kms_uri: &str) -> Option<&KmsRecord> {
        self.kms.iter().find(|kms| kms.kms_uri == kms_uri)
    }

    /// Adds a KMS, or takes the place of the one with the same URI, but for what the user has set.
    pub(super) fn put_kms(&mut self, record: KmsRecord) {
        match self.kms.iter_mut().find(|kms| kms.kms_uri == record.kms_uri) {
            Some(known) => {
                let excused = mem::take(&mut known.excused);
                *known = KmsRecord { excused, status_zero: known.status_zero, ..record };
            }
            None => self.kms.push(record),
        }
    }

    /// Whether what is known of this KMS was signed by one that shares keys with some user of the store: by itself, or by the one that vouches
    /// for it.
    pub(super) fn is_vouched_for(&self, kms_uri: &str) -> bool {
        let is_foreign = || self.kms(kms_uri).is_some_and(|known| !known.home);
        self.client_keys.iter().any(|record| record.keys.kms_uri == kms_uri)
            || (!self.client_keys.is_empty() && is_foreign())
    }

    /// The TrK and InK with which a user provisions at a KMS, or at any.
    pub(super) fn client_keys(&self, user_uri: &str, kms_uri: Option<&str>) -> Option<&ClientKeys> {
        let serves = |record: &&ClientKeysRecord| {
            record.users.iter().any(|user| user == user_uri) && kms_uri.is_none_or(|kms| kms == record.keys.kms_uri)
        };
        self.client_keys.iter().find(serves).map(|record| &record.keys)
    }

    /// Notes that a user provisions with these keys, and that new ones took their place for all who do. Keys that a later pair has
    /// replaced already do not come back, such as those of files that were imported late.
    pub(super) fn put_client_keys(&mut self, user_uri: &str, keys: ClientKeys, new_keys: Option<ClientKeys>) {
        let latest = new_keys.as_ref().unwrap_or(&keys);
        if self.client_keys(user_uri, Some(&keys.kms_uri)).is_some_and(|stored| are_newer(stored, latest)) {
            return;
        }
        for record in self.client_keys.iter_mut().filter(|record| record.keys.kms_uri == keys.kms_uri) {
            record.users.retain(|user| user != user_uri);
        }
        let position = self.client_keys.iter().position(|record| record.keys == keys);
        let mut record = match position {
            Some(position) => self.client_keys.swap_remove(position),
            None => ClientKeysRecord { users: Vec::new(), keys },
        };
        record.users.push(user_uri.to_owned());
        record.keys = new_keys.unwrap_or(record.keys);
        self.client_keys.push(record);
        self.client_keys.retain(|record| !record.users.is_empty());
    }

    /// Adds a key set, or takes the place of the one of the same user, KMS and period.
    pub(super) fn put_key_set(&mut self, record: KeySetRecord) {
        match self.key_sets.iter_mut().find(|set| set.is(&record.user_uri, &record.kms_uri, record.period_no)) {
            Some(known) => *known = record,
            None => self.key_sets.push(record),
        }
    }
}

/// A TrK and an InK, and all who provision with them: one client may have several identities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ClientKeysText", into = "ClientKeysText")]
pub(super) struct ClientKeysRecord {
    users: Vec<String>,
    keys: ClientKeys,
}

#[derive(Clone, Serialize, Deserialize)]
struct ClientKeysText {
    users: Vec<String>,
    user_uri: String,
    kms_uri: String,
    transport: NamedKeyText,
    integrity: Option<NamedKeyText>,
}

#[derive(Clone, Serialize, Deserialize)]
struct NamedKeyText {
    name: String,
    key: Octets,
}

impl From<ClientKeysRecord> for ClientKeysText {
    fn from(ClientKeysRecord { users, keys }: ClientKeysRecord) -> Self {
        let text = |key: &NamedKey| NamedKeyText { name: key.name().to_owned(), key: Octets::new(key.octets()) };
        Self {
            users,
            transport: text(&keys.transport),
            integrity: keys.integrity.as_ref().map(text),
            user_uri: keys.user_uri,
            kms_uri: keys.kms_uri,
        }
    }
}

impl TryFrom<ClientKeysText> for ClientKeysRecord {
    type Error = xml_security::Error;

    fn try_from(text: ClientKeysText) -> Result<Self, Self::Error> {
        let key = |text: &NamedKeyText| NamedKey::new(&text.name, text.key.as_bytes());
        let keys = ClientKeys {
            transport: key(&text.transport)?,
            integrity: text.integrity.as_ref().map(key).transpose()?,
            user_uri: text.user_uri,
            kms_uri: text.kms_uri,
        };
        Ok(Self { users: text.users, keys })
    }
}

/// A KMS: its certificates, and the convention that its keys were found to follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "KmsText")]
pub(super) struct KmsRecord {
    pub(super) kms_uri: String,
    /// Issues keys to this client; otherwise known only as somebody else's KMS.
    pub(super) home: bool,
    /// Seconds.
    pub(super) period: u64,
    /// Seconds.
    pub(super) offset: u64,
    #[serde(with = "IdentityFormText")]
    pub(super) identity_form: IdentityForm,
    #[serde(with = "PeriodEpochText")]
    pub(super) period_epoch: PeriodEpoch,
    /// At least one, by ValidFrom.
    pub(super) certificates: Vec<CertificateRecord>,
    /// Number of the last certificate cache that came from this KMS.
    pub(super) cache_number: Option<u64>,
    /// Names of what is excused in messages of its users.
    pub(super) excused: Vec<String>,
    /// What status 0 in key parameters of its users means.
    #[serde(with = "StatusZeroText")]
    pub(super) status_zero: StatusZero,
}

impl KmsRecord {
    pub(super) fn of(certificate: &KmsCertificate, home: bool) -> Self {
        let Convention { identity_form, period_epoch } = Convention::default();
        Self {
            kms_uri: certificate.kms_uri.clone(),
            home,
            period: certificate.user_key_period,
            offset: certificate.user_key_offset,
            identity_form,
            period_epoch,
            certificates: vec![CertificateRecord::of(certificate)],
            cache_number: None,
            excused: Vec::new(),
            status_zero: StatusZero::default(),
        }
    }

    pub(super) fn convention(&self) -> Convention {
        Convention { identity_form: self.identity_form, period_epoch: self.period_epoch }
    }

    pub(super) fn periods(&self) -> Result<KeyPeriods, Error> {
        Ok(KeyPeriods::new(self.period, self.offset, self.period_epoch)?)
    }
}

/// A KMS of any layout.
#[derive(Deserialize)]
struct KmsText {
    kms_uri: String,
    home: bool,
    period: u64,
    offset: u64,
    #[serde(with = "IdentityFormText")]
    identity_form: IdentityForm,
    #[serde(with = "PeriodEpochText")]
    period_epoch: PeriodEpoch,
    #[serde(default)]
    certificates: Vec<CertificateRecord>,
    /// The only one, of layout 1.
    #[serde(flatten)]
    certificate: Option<CertificateRecord>,
    cache_number: Option<u64>,
    #[serde(default)]
    excused: Vec<String>,
    #[serde(default, with = "StatusZeroText")]
    status_zero: StatusZero,
}

impl TryFrom<KmsText> for KmsRecord {
    type Error = &'static str;

    fn try_from(text: KmsText) -> Result<Self, Self::Error> {
        let mut certificates = text.certificates;
        certificates.extend(text.certificate);
        if certificates.is_empty() {
            return Err("a KMS without a certificate");
        }
        Ok(Self {
            kms_uri: text.kms_uri,
            home: text.home,
            period: text.period,
            offset: text.offset,
            identity_form: text.identity_form,
            period_epoch: text.period_epoch,
            certificates,
            cache_number: text.cache_number,
            excused: text.excused,
            status_zero: text.status_zero,
        })
    }
}

/// A user's keys for one period, which were validated when they came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeySetRecord {
    pub(super) user_uri: String,
    pub(super) kms_uri: String,
    pub(super) period_no: u64,
    /// Unix seconds.
    pub(super) valid_from: Option<i64>,
    /// Unix seconds.
    pub(super) valid_to: Option<i64>,
    pub(super) rsk: Octets,
    pub(super) ssk: Octets,
    pub(super) pvt: Octets,
}

impl KeySetRecord {
    pub(super) fn is(&self, user_uri: &str, kms_uri: &str, period_no: u64) -> bool {
        self.period_no == period_no && self.user_uri == user_uri && self.kms_uri == kms_uri
    }

    /// Requires the time to be within ValidFrom and ValidTo.
    pub(super) fn require_valid_at(&self, time: NtpTime) -> Result<(), Error> {
        let at = unix_seconds(time);
        if self.valid_from.is_none_or(|from| from <= at) && self.valid_to.is_none_or(|to| at < to) {
            return Ok(());
        }
        let text = |time: Option<i64>| time.map_or_else(|| "any time".into(), unix_date);
        Err(Error::KeySetDates {
            user_uri: self.user_uri.clone(),
            period_no: self.period_no,
            from: text(self.valid_from),
            to: text(self.valid_to),
            at: unix_date(at),
        })
    }
}

/// A key that was sent or accepted in an I_MESSAGE.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeyRecord {
    pub(super) key_id: u32,
    pub(super) csb_id: u32,
    pub(super) key: Octets,
    pub(super) rand: Octets,
    /// UID of who sent it.
    pub(super) initiator_uid: Octets,
    /// Its URI, where it is known.
    pub(super) initiator_uri: Option<String>,
    pub(super) initiator_kms: String,
    /// The key period of the UID.
    pub(super) initiator_period: u64,
    pub(super) recipient: String,
    /// T of the message, seconds since 1900.
    pub(super) time: u64,
    /// Unix seconds.
    pub(super) activation: Option<u64>,
    /// Unix seconds.
    pub(super) expiry: Option<u64>,
    pub(super) groups: Vec<String>,
    /// Whether this client took it back.
    #[serde(default)]
    pub(super) revoked: bool,
}

/// A key that was taken back, without the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RevocationRecord {
    pub(super) key_id: u32,
    /// UID of who sent it.
    pub(super) initiator_uid: Octets,
    /// Its URI, where it is known.
    pub(super) initiator_uri: Option<String>,
    pub(super) initiator_kms: String,
    /// The key period of the UID.
    pub(super) initiator_period: u64,
    /// From whom; from all whom the user sent it to, if that is `None`.
    pub(super) recipient: Option<String>,
    /// T of the message that took it back, seconds since 1900.
    pub(super) time: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "IdentityForm", rename_all = "snake_case")]
pub(super) enum IdentityFormText {
    Raw,
    HexText,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "StatusZero", rename_all = "kebab-case")]
pub(super) enum StatusZeroText {
    PossiblyLive,
    Live,
    Revoked,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "PeriodEpoch", rename_all = "snake_case")]
pub(super) enum PeriodEpochText {
    Ntp,
    Unix,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As it was written when a KMS had one certificate.
    const LAYOUT_1: &str = r#"{"version":1,"kms":[{"kms_uri":"kms.example.org","cert_uri":null,"home":true,"revoked":false,
        "valid_from":null,"valid_to":1772352000,"period":2592000,"offset":0,"identity_form":"raw","period_epoch":"ntp",
        "domains":["example.org"],"pub_enc_key":"BAE=","pub_auth_key":"BAI=","cache_number":7}],
        "key_sets":[],"keys":[]}"#;

    #[test]
    fn a_store_of_layout_1_has_its_one_certificate() {
        let contents: Contents = serde_json::from_str(LAYOUT_1).unwrap();
        let [kms] = &contents.kms[..] else { panic!("one KMS") };
        let expected = CertificateRecord {
            cert_uri: None,
            revoked: false,
            valid_from: None,
            valid_to: Some(1_772_352_000),
            domains: vec!["example.org".into()],
            pub_enc_key: Octets::new(&[4, 1]),
            pub_auth_key: Octets::new(&[4, 2]),
        };
        assert_eq!(kms.certificates, [expected]);
        assert_eq!((kms.home, kms.cache_number, kms.period), (true, Some(7), 2_592_000));
        let written = serde_json::to_string(&contents).unwrap();
        assert_eq!(serde_json::from_str::<Contents>(&written).unwrap().kms, contents.kms);
        let without = LAYOUT_1.replace("\"pub_auth_key\":\"BAI=\",", "");
        assert!(serde_json::from_str::<Contents>(&without).is_err());
    }
}
