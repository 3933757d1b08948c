//! Step 1: the shape of a message, before anything of it is trusted.
use super::payloads::Payloads;
use super::refusals::AtFirst;
use super::sessions::Sessions;
use super::{Deviation, header, to_self};
use crate::eccsi;
use crate::mc::protected_payload::ProtectedPayload;
use crate::mc::{Error, KeyId, KeyParameters, KeyType, Uid};
use crate::mikey::{Message, NtpTime, SIGN_HEADER_LEN};
use crate::sakke::SharedSecret;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use sha2::{Digest, Sha256};

/// How a message names one of its ends.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub enum CarriedIdentity {
    /// By UID.
    Uid(Uid),
    /// By URI.
    Uri(String),
}

impl fmt::Display for CarriedIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uid(uid) => uid.fmt(f),
            Self::Uri(uri) => uri.fmt(f),
        }
    }
}

/// One end of a message as the message names it: nothing proves it yet.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct CarriedParty {
    /// The user.
    pub identity: CarriedIdentity,
    /// The user's KMS.
    pub kms_uri: String,
}

/// Key parameters as a message carries them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum CarriedParameters {
    /// Under the key of the message.
    Protected(ProtectedPayload),
    /// [`Deviation::ClearKeyParameters`].
    Clear([u8; KeyParameters::OLD_LEN]),
}

impl CarriedParameters {
    pub(super) fn open(&self, key: &SharedSecret) -> Result<KeyParameters, Error> {
        match self {
            Self::Protected(payload) => KeyParameters::parse(&payload.open(key)?),
            Self::Clear(octets) => KeyParameters::parse_old(octets),
        }
    }
}

/// A message of the right shape. Nothing in it is authenticated.
#[derive(Clone, Debug)]
pub struct Incoming {
    octets: Vec<u8>,
    time: NtpTime,
    csb_id: KeyId,
    rand: [u8; 16],
    initiator: CarriedParty,
    recipient: CarriedParty,
    sed: Vec<u8>,
    /// The SAKKE-to-self extension, not yet read.
    to_self: Option<Vec<u8>>,
    parameters: Option<CarriedParameters>,
    sessions: Sessions,
    deviations: Vec<Deviation>,
}

impl Incoming {
    /// Reads a MIKEY message and judges its shape: step 1 of the [order](super).
    ///
    /// Each fault has its own variant of [`Error`]; faults of MIKEY syntax are [`Error::Mikey`].
    pub fn parse(octets: &[u8]) -> Result<Self, Error> {
        let message = Message::parse(octets)?;
        let mut deviations: Vec<_> = header::deviations(&message.header).collect();
        header::rules(&message.header).into_iter().collect::<Result<(), _>>()?;
        let csb_id = KeyId::from_u32(message.header.csb_id)?;
        let payloads = Payloads::collect(&message, &mut AtFirst)?;

        let time = payloads.time()?;
        let rand = payloads.rand()?;
        let (initiator, recipient) = payloads.parties(&mut deviations)?;
        let policies = payloads.policies(&mut AtFirst)?;
        let map = &message.header.cs_id_map;
        let sessions = Sessions::judge(map, policies, Some(csb_id), &mut deviations, &mut AtFirst)?;
        let sed = payloads.sed(&mut deviations)?;
        let parameters = payloads.parameters(csb_id, &mut deviations)?;
        payloads.signature_rules().into_iter().collect::<Result<(), _>>()?;

        Ok(Self {
            octets: octets.to_vec(),
            time,
            csb_id,
            rand,
            initiator,
            recipient,
            sed: sed.to_vec(),
            to_self: payloads.to_self.map(|extension| extension.data.to_vec()),
            parameters,
            sessions,
            deviations,
        })
    }

    /// T: when the message was made, and which key periods it belongs to.
    pub const fn time(&self) -> NtpTime {
        self.time
    }

    /// The CSB-ID: the key's identifier, or for a GMK the recipient's GUK-ID.
    pub const fn csb_id(&self) -> KeyId {
        self.csb_id
    }

    /// What the key is for, by the purpose tag of the CSB-ID.
    pub const fn key_type(&self) -> KeyType {
        self.csb_id.key_type()
    }

    /// RAND.
    pub const fn rand(&self) -> &[u8; 16] {
        &self.rand
    }

    /// Who sends, by the message's own account.
    pub const fn initiator(&self) -> &CarriedParty {
        &self.initiator
    }

    /// Whom the message is for.
    pub const fn recipient(&self) -> &CarriedParty {
        &self.recipient
    }

    /// What the message does that only a [`Compatibility`](super::Compatibility) setting excuses.
    pub fn deviations(&self) -> &[Deviation] {
        &self.deviations
    }

    /// What a replay cache keeps of a message: SHA-256 of the octets that its signature covers. The signature itself stays
    /// out, since a signature of the same octets can be turned into another valid one without any key.
    ///
    /// Look it up before [`verify`](Self::verify), add it once the message is opened.
    pub fn replay_tag(&self) -> [u8; 32] {
        Sha256::digest(self.signed_octets()).into()
    }

    /// What the signature covers: everything before it, the two header octets of the SIGN payload included (E.1.2).
    pub(super) fn signed_octets(&self) -> &[u8] {
        self.octets.get(..self.signature_start()).unwrap_or_default()
    }

    /// What the signatures of some old senders cover.
    pub(super) fn octets_before_sign(&self) -> &[u8] {
        self.octets.get(..self.signature_start().saturating_sub(SIGN_HEADER_LEN)).unwrap_or_default()
    }

    pub(super) fn signature(&self) -> &[u8] {
        self.octets.get(self.signature_start()..).unwrap_or_default()
    }

    fn signature_start(&self) -> usize {
        self.octets.len().saturating_sub(eccsi::SIGNATURE_LEN)
    }

    /// SAKKE encapsulated data, of the right length or, as a deviation, of fewer octets.
    pub(super) fn sed(&self) -> &[u8] {
        &self.sed
    }

    /// SAKKE encapsulated data for the initiator itself.
    pub(super) fn sed_to_self(&self) -> Result<Vec<u8>, Error> {
        let octets = self.to_self.as_ref().ok_or(Error::Missing { what: "SAKKE-to-self extension" })?;
        to_self::sed(octets)
    }

    pub(super) const fn parameters(&self) -> Option<&CarriedParameters> {
        self.parameters.as_ref()
    }

    pub(super) const fn sessions(&self) -> &Sessions {
        &self.sessions
    }
}
