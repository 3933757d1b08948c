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
    Bundle, Error, ErrorMessage, MIN_RAND_LEN, Opened, Parties, Party, PreSharedKey, Protection, Settings, extensions,
    key_transport, time, verification,
};
use crate::mikey::prf::Prf;
use crate::mikey::{
    DataType, GeneralExtension, Header, Id, Kemac, KeyData, KeyIdInformation, Message, NtpTime, Payload, PayloadType,
    SdpIds, SecurityPolicy, SubPayload, SubPayloads, Timestamp,
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
    /// key does. What the message names must agree, and it must name the initiator that is expected here, unless
    /// [`Settings::unnamed_initiator`] is set. Who offers keys under the same pre-shared key, too, has to say whom the
    /// message must be from, or takes its own offers when someone sends them back.
    pub parties: Parties<'a>,
    /// The key management protocols of the SDP description that the message came in, as
    /// [`sdp::protocol_ids`](crate::mikey::sdp::protocol_ids) reads them. The message must list the same, or someone may
    /// have deleted the lines of a stronger protocol (RFC 4567 4.1.4). `None` compares nothing: where there is no
    /// description, or one of an initiator that is known to send no list, as GStreamer.
    pub sdp_ids: Option<SdpIds<'a>>,
    /// What is allowed.
    pub settings: Settings,
}

impl Reception<'_> {
    /// Nothing known but the time, under default settings.
    pub fn at(now: NtpTime) -> Self {
        Self { now, parties: Parties::default(), sdp_ids: None, settings: Settings::default() }
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
        let room = Room::of(&message);
        let header = message.header.into_owned();
        drop(message.payloads);
        let payloads = Payloads::collect(octets, room)?;
        let Protected { protection, encrypted } = payloads.kemac.ok_or(Error::Missing { what: "KEMAC" })?;
        let rand = payloads.rand.ok_or(Error::Missing { what: "RAND" })?;
        if rand.len() < MIN_RAND_LEN {
            return Err(Error::RandLength { found: rand.len() });
        }
        Ok(Self {
            octets: octets.to_vec().into(),
            header,
            timestamp: payloads.timestamp.ok_or(Error::Missing { what: "T" })?,
            rand,
            parties: Parties { initiator: payloads.initiator, responder: payloads.responder },
            policies: payloads.policies,
            extensions: payloads.extensions,
            protection,
            encrypted,
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

    /// General extensions.
    pub fn extensions(&self) -> &[GeneralExtension<'static>] {
        &self.extensions
    }

    /// The key management protocols that the initiator says that it offers (RFC 4567 4.1.4, 7). See
    /// [`Reception::sdp_ids`].
    ///
    /// # Errors
    /// [`Error::Repeated`], and [`Error::Mikey`] for data that are no list.
    pub fn sdp_ids(&self) -> Result<Option<SdpIds<'_>>, Error> {
        extensions::sdp_ids(&self.extensions)
    }

    /// The IDs of the keys that the message carries (RFC 4563 4).
    ///
    /// # Errors
    /// [`Error::Repeated`], and [`Error::Mikey`] for data that are no key IDs.
    pub fn key_ids(&self) -> Result<Option<KeyIdInformation<'_>>, Error> {
        extensions::key_ids(&self.extensions)
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
    /// [`Error::RepeatedPolicy`], [`Error::NoSuchPolicy`], [`Error::RepeatedSession`], [`Error::PolicyProtocol`],
    /// [`Error::SessionDataLength`], [`Error::NoSuchKey`], [`Error::RepeatedSsrc`], [`Error::SdpIds`].
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
        if self.may_be_from_responder(reception) {
            return Err(match self.parties.initiator {
                Some(_) => Error::Identity { party: Party::Initiator },
                None => Error::UnnamedInitiator,
            });
        }
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
        self.judge_sdp_ids(reception.sdp_ids.as_ref())?;
        Ok(Opened { bundle, parties, header: self.header.clone(), timestamp: self.timestamp, mac_key })
    }

    /// An error message in answer, authenticated by V if this I_MESSAGE is authentic under `key`: an answer to a stranger
    /// is never (RFC 3830 5.1.2). `reception` is that under which it was opened.
    ///
    /// V covers the identities as the I_MESSAGE names them, "identical to those transported in the ID and T payloads" (5.2),
    /// so that the initiator can verify it even where they are what is wrong ([`Error::Identity`]). One's own offer that
    /// someone sent back is not answered with a V, which would tell its sender that the responder refused it.
    ///
    /// # Errors
    /// [`Error::Missing`] if there is nothing to tell, [`Error::Mikey`] for what its field cannot hold.
    pub fn error_message(
        &self,
        report: &ErrorMessage<'_>,
        key: Option<&PreSharedKey>,
        reception: &Reception<'_>,
    ) -> Result<Vec<u8>, Error> {
        let message = report.with_header(self.header.clone(), self.timestamp)?;
        match key.filter(|_| !self.may_be_from_responder(reception)).and_then(|key| self.authentic(key)) {
            Some(mac_key) => {
                verification::seal(message, &mac_key, &self.parties.or(&reception.parties), self.timestamp)
            }
            None => Ok(message.to_bytes()?),
        }
    }

    /// Whether the one that the message names as its initiator is known to be the responder. A message that names nobody
    /// may be the responder's own where the ends are told apart, unless it is known to make none.
    fn may_be_from_responder(&self, Reception { parties, settings, .. }: &Reception<'_>) -> bool {
        match &self.parties.initiator {
            Some(initiator) => Some(initiator) == parties.responder.as_ref(),
            None => {
                let is_known = parties.initiator.is_some() || parties.responder.is_some();
                is_known && !settings.unnamed_initiator
            }
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

    /// "The receiver SHALL then match the list in the General Extension Payload with the list included in SDP" (RFC 4567 7).
    fn judge_sdp_ids(&self, described: Option<&SdpIds<'_>>) -> Result<(), Error> {
        let Some(described) = described else { return Ok(()) };
        let listed = self.sdp_ids()?.ok_or(Error::Missing { what: "SDP IDs" })?;
        if listed == *described { Ok(()) } else { Err(Error::SdpIds) }
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

/// How many payloads there are of the kinds that a message may have more than once of.
#[derive(Clone, Copy)]
struct Room {
    policies: usize,
    extensions: usize,
}

impl Room {
    fn of(message: &Message<'_>) -> Self {
        let count = |kind| message.payloads.iter().filter(|payload| payload.payload_type() == kind).count();
        Self { policies: count(PayloadType::SP), extensions: count(PayloadType::GENERAL_EXTENSION) }
    }
}

/// The payloads of an I_MESSAGE by kind, each there as often as it may be (RFC 3830 3.1).
struct Payloads {
    timestamp: Option<Timestamp>,
    rand: Option<Vec<u8>>,
    initiator: Option<Id<'static>>,
    responder: Option<Id<'static>>,
    policies: Vec<SecurityPolicy<'static>>,
    extensions: Vec<GeneralExtension<'static>>,
    kemac: Option<Protected>,
}

/// What matters of KEMAC before its keys are decrypted.
struct Protected {
    protection: Protection,
    /// Where Encr data is.
    encrypted: Range<usize>,
}

impl Payloads {
    /// Takes one payload after the other, for a list of all beside what is kept of them would exceed what so few octets may
    /// make a reader allocate.
    fn collect(octets: &[u8], room: Room) -> Result<Self, Error> {
        let mut found = Self {
            timestamp: None,
            rand: None,
            initiator: None,
            responder: None,
            policies: Vec::with_capacity(room.policies),
            extensions: Vec::with_capacity(room.extensions),
            kemac: None,
        };
        for payload in Message::walk(octets)? {
            let (octets, payload) = payload?;
            if found.kemac.is_some() {
                return Err(Error::NotLast { payload_type: PayloadType::KEMAC });
            }
            match payload {
                Payload::Timestamp(timestamp) => once(&mut found.timestamp, timestamp, "T")?,
                Payload::Rand(rand) => once(&mut found.rand, rand.octets.into_owned(), "RAND")?,
                Payload::Id(id) if found.initiator.is_none() => found.initiator = Some(id.into_owned()),
                Payload::Id(id) => once(&mut found.responder, id.into_owned(), "IDr")?,
                Payload::SecurityPolicy(policy) => found.policies.push(policy.into_owned()),
                Payload::GeneralExtension(extension) => found.extensions.push(extension.into_owned()),
                Payload::Kemac(kemac) => found.kemac = Some(Protected::of(&kemac, octets.start)),
                other => return Err(Error::UnexpectedPayload { found: other.payload_type() }),
            }
        }
        Ok(found)
    }
}

impl Protected {
    fn of(kemac: &Kemac<'_>, start: usize) -> Self {
        let start = start + KEMAC_HEADER_LEN;
        Self {
            protection: Protection { encryption: kemac.encryption, mac: kemac.mac.algorithm() },
            encrypted: start..start + kemac.data.len(),
        }
    }
}
