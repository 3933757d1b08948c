//! The responder's side: from octets to keys.

use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::answer::once;
use super::mac_key::MacKey;
use super::message_keys::MessageKeys;
use super::{
    Bundle, Error, ErrorMessage, MIN_RAND_LEN, Opened, Parties, PreSharedKey, Protection, Settings, key_transport,
    time, verification,
};
use crate::mikey::prf::Prf;
use crate::mikey::{
    DataType, GeneralExtension, Header, Id, Kemac, KeyData, Message, NtpTime, Payload, PayloadType, Rand,
    SecurityPolicy, SubPayload, SubPayloads, Timestamp,
};
use crate::replay::{ReplayCache, Seen};

/// Octets of KEMAC before its data: next payload, Encr alg, Encr data len.
const KEMAC_HEADER_LEN: usize = 4;

/// An I_MESSAGE of the right form. Nothing in it is authenticated.
///
/// It tells who it claims to be from and for, by which the responder finds the pre-shared key; [`open`](Self::open) does
/// the rest.
pub struct Incoming {
    /// With the NULL encryption, keys are in them.
    octets: Zeroizing<Vec<u8>>,
    header: Header<'static>,
    timestamp: Timestamp,
    rand: Vec<u8>,
    parties: Parties<'static>,
    policies: Vec<SecurityPolicy<'static>>,
    extensions: Vec<GeneralExtension<'static>>,
    protection: Protection,
    /// Where Encr data is.
    encrypted: Range<usize>,
}

/// What a responder knows and allows when it opens a message.
#[derive(Debug, Clone)]
pub struct Reception<'a> {
    /// The time.
    pub now: NtpTime,
    /// Who the two ends are, as far as the signalling that the message came with tells, or the choice of the pre-shared
    /// key does. What the message names must agree. Who offers keys under the same pre-shared key, too, has to say whom
    /// the message must be from, or takes its own offers when someone sends them back.
    pub parties: Parties<'a>,
    /// What is allowed.
    pub settings: Settings,
}

impl Reception<'_> {
    /// Nothing known but the time, under default settings.
    pub fn at(now: NtpTime) -> Self {
        Self { now, parties: Parties::default(), settings: Settings::default() }
    }
}

impl Incoming {
    /// Reads a message and judges its form.
    ///
    /// # Errors
    /// [`Error::Mikey`], [`Error::DataType`], [`Error::UnexpectedPayload`], [`Error::Missing`], [`Error::Repeated`],
    /// [`Error::NotLast`], [`Error::RandLength`].
    pub fn parse(octets: &[u8]) -> Result<Self, Error> {
        let message = Message::parse(octets)?;
        let found = message.header.data_type;
        if found != DataType::PreShared {
            return Err(Error::DataType { found, expected: DataType::PreShared });
        }
        let payloads = Payloads::collect(&message)?;
        let (kemac_start, kemac) = payloads.kemac.ok_or(Error::Missing { what: "KEMAC" })?;
        let rand = payloads.rand.ok_or(Error::Missing { what: "RAND" })?.octets.to_vec();
        if rand.len() < MIN_RAND_LEN {
            return Err(Error::RandLength { found: rand.len() });
        }
        let encrypted_start = kemac_start + KEMAC_HEADER_LEN;
        Ok(Self {
            octets: octets.to_vec().into(),
            timestamp: payloads.timestamp.ok_or(Error::Missing { what: "T" })?,
            rand,
            parties: Parties { initiator: payloads.initiator.cloned(), responder: payloads.responder.cloned() }
                .into_owned(),
            policies: payloads.policies.into_iter().cloned().map(SecurityPolicy::into_owned).collect(),
            extensions: payloads.extensions.into_iter().cloned().map(GeneralExtension::into_owned).collect(),
            protection: Protection { encryption: kemac.encryption, mac: kemac.mac.algorithm() },
            encrypted: encrypted_start..encrypted_start + kemac.data.len(),
            header: message.header.into_owned(),
        })
    }

    /// CSB ID.
    pub const fn csb_id(&self) -> u32 {
        self.header.csb_id
    }

    /// T.
    pub const fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// Whom the message names, by its own account.
    pub const fn parties(&self) -> &Parties<'static> {
        &self.parties
    }

    /// How the message says that it is protected.
    pub const fn protection(&self) -> Protection {
        self.protection
    }

    /// General extensions, such as the key ID of RFC 4563.
    pub fn extensions(&self) -> &[GeneralExtension<'static>] {
        &self.extensions
    }

    /// Whether the initiator wants a verification message: the V flag.
    pub const fn wants_verification(&self) -> bool {
        self.header.verification_expected
    }

    /// Checks the message and decrypts its keys, in the order of RFC 3830 5.3: time; replay; identities and algorithms;
    /// MAC; then, when it is authentic and remembered in `replays`, keys and policies.
    ///
    /// `key` is the pre-shared key of the two parties; without one, only a message whose keys are in clear can be opened,
    /// and only where [`Settings::keys_in_clear`] allows that.
    ///
    /// # Errors
    /// In that order: [`Error::TimestampType`], [`Error::TooOld`], [`Error::InTheFuture`]; [`Error::Replayed`],
    /// [`Error::Forgotten`]; [`Error::Identity`], [`Error::Prf`], [`Error::Encryption`], [`Error::NullMac`],
    /// [`Error::KeysInClear`], [`Error::NoPreSharedKey`]; [`Error::Authentication`]; [`Error::KeyWrapLength`],
    /// [`Error::KeyWrap`], [`Error::Mikey`], [`Error::UnexpectedPayload`], [`Error::Missing`], [`Error::KeyType`],
    /// [`Error::RepeatedPolicy`], [`Error::NoSuchPolicy`].
    pub fn open(
        &self,
        key: Option<&PreSharedKey>,
        reception: &Reception<'_>,
        replays: &mut ReplayCache,
    ) -> Result<Opened, Error> {
        let time = time::instant(self.timestamp)?;
        time::judge(time, reception.now, &reception.settings)?;
        match replays.look_up(time.seconds(), self.replay_tag()) {
            Seen::Never => {}
            Seen::Before => return Err(Error::Replayed),
            Seen::Forgotten => return Err(Error::Forgotten),
        }
        let parties = self.parties.agreeing_with(&reception.parties)?;
        let prf = self.prf()?;
        self.protection.judge(&reception.settings, key.is_some())?;
        let keys = key.map(|key| self.message_keys(key, prf));
        let mac_key = keys.as_ref().and_then(|keys| keys.mac_key(self.protection.mac));
        if let Some(mac_key) = &mac_key {
            mac_key.verify(&self.octets, &[])?;
        }
        let oldest = reception.now.seconds().saturating_sub(reception.settings.clock_skew);
        let _ = replays.insert(time.seconds(), self.replay_tag(), oldest);

        let bundle = Bundle {
            csb_id: self.header.csb_id,
            prf,
            rand: self.rand.clone(),
            cs_id_map: self.header.cs_id_map.clone(),
            policies: self.policies.clone(),
            keys: self.decrypt(keys.as_ref(), time)?,
        };
        bundle.judge()?;
        Ok(Opened { bundle, parties, header: self.header.clone(), timestamp: self.timestamp, mac_key })
    }

    /// An error message in answer, authenticated by V if this I_MESSAGE is authentic under `key`: an answer to a stranger
    /// is never (RFC 3830 5.1.2). `parties` is what [`Reception::parties`] was.
    ///
    /// # Errors
    /// [`Error::Missing`] if there is nothing to tell, [`Error::Identity`], [`Error::Mikey`] for what its field cannot
    /// hold.
    pub fn error_message(
        &self,
        report: &ErrorMessage<'_>,
        key: Option<&PreSharedKey>,
        parties: &Parties<'_>,
    ) -> Result<Vec<u8>, Error> {
        let message = report.with_header(self.header.clone(), self.timestamp)?;
        match key.and_then(|key| self.authentic(key)) {
            Some(mac_key) => {
                verification::seal(message, &mac_key, &self.parties.agreeing_with(parties)?, self.timestamp)
            }
            None => Ok(message.to_bytes()?),
        }
    }

    /// What a replay cache keeps of the message: SHA-256 of the octets that its MAC covers.
    fn replay_tag(&self) -> [u8; 32] {
        let covered = self.octets.len().saturating_sub(self.protection.mac.mac_len());
        Sha256::digest(self.octets.get(..covered).unwrap_or_default()).into()
    }

    fn prf(&self) -> Result<Prf, Error> {
        Prf::from_function(self.header.prf).ok_or(Error::Prf { found: self.header.prf })
    }

    fn message_keys<'m>(&'m self, key: &'m PreSharedKey, prf: Prf) -> MessageKeys<'m> {
        MessageKeys { key, prf, csb_id: self.header.csb_id, rand: &self.rand }
    }

    fn authentic(&self, key: &PreSharedKey) -> Option<MacKey> {
        let mac_key = self.message_keys(key, self.prf().ok()?).mac_key(self.protection.mac)?;
        mac_key.verify(&self.octets, &[]).ok()?;
        Some(mac_key)
    }

    fn decrypt(&self, keys: Option<&MessageKeys<'_>>, time: NtpTime) -> Result<Vec<KeyData<'static>>, Error> {
        let data = self.octets.get(self.encrypted.clone()).unwrap_or_default();
        if data.is_empty() {
            return Err(Error::Missing { what: "Key data" });
        }
        let plain = key_transport::decrypt(self.protection.encryption, keys, time, data)?;
        let payloads = SubPayloads::parse(PayloadType::KEY_DATA, &plain)?.payloads;
        payloads
            .into_iter()
            .map(|payload| match payload {
                SubPayload::KeyData(key) => Ok(key.into_owned()),
                other => Err(Error::UnexpectedPayload { found: other.payload_type() }),
            })
            .collect()
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("header", &self.header).field("parties", &self.parties).finish_non_exhaustive()
    }
}

/// The payloads of an I_MESSAGE by kind, each there as often as it may be (RFC 3830 3.1).
#[derive(Default)]
struct Payloads<'m> {
    timestamp: Option<Timestamp>,
    rand: Option<&'m Rand<'m>>,
    initiator: Option<&'m Id<'m>>,
    responder: Option<&'m Id<'m>>,
    policies: Vec<&'m SecurityPolicy<'m>>,
    extensions: Vec<&'m GeneralExtension<'m>>,
    /// With the octet at which it starts.
    kemac: Option<(usize, &'m Kemac<'m>)>,
}

impl<'m> Payloads<'m> {
    fn collect(message: &'m Message<'m>) -> Result<Self, Error> {
        let mut found = Self::default();
        for (octets, payload) in message.located() {
            if found.kemac.is_some() {
                return Err(Error::NotLast { payload_type: PayloadType::KEMAC });
            }
            match payload {
                Payload::Timestamp(timestamp) => once(&mut found.timestamp, *timestamp, "T")?,
                Payload::Rand(rand) => once(&mut found.rand, rand, "RAND")?,
                Payload::Id(id) if found.initiator.is_none() => found.initiator = Some(id),
                Payload::Id(id) => once(&mut found.responder, id, "IDr")?,
                Payload::SecurityPolicy(policy) => found.policies.push(policy),
                Payload::GeneralExtension(extension) => found.extensions.push(extension),
                Payload::Kemac(kemac) => found.kemac = Some((octets.start, kemac)),
                other => return Err(Error::UnexpectedPayload { found: other.payload_type() }),
            }
        }
        Ok(found)
    }
}
