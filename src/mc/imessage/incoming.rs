//! Step 1: the shape of a message, before anything of it is trusted.
use super::sessions::Sessions;
use super::{Deviation, SrtpPolicy, profile};
use crate::mc::error::Party;
use crate::mc::key_parameters::require_dppk_id;
use crate::mc::protected_payload::ProtectedPayload;
use crate::mc::text::is_printable;
use crate::mc::{Error, KeyId, KeyParameters, KeyType, UID_LEN, Uid};
use crate::mikey::{
    DataType, ExtensionType, GeneralExtension, Header, IdRole, IdScheme, IdType, Idr, Message, NtpTime, Payload,
    PrfFunction, Rand, SIGN_HEADER_LEN, Sakke, SakkeParameters, SecurityPolicy, Sign, SignatureType, Timestamp,
};
use crate::sakke::SharedSecret;
use crate::{eccsi, sakke};
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
        let mut deviations = Vec::new();
        let csb_id = judge_header(&message.header, &mut deviations)?;
        let payloads = Payloads::collect(&message)?;

        let time = payloads.time()?;
        let rand = payloads.rand()?;
        let (initiator, recipient) = payloads.parties(&mut deviations)?;
        let policies = payloads.policies()?;
        let sessions = Sessions::judge(&message.header.cs_id_map, policies, csb_id, &mut deviations)?;
        let sed = payloads.sed(&mut deviations)?;
        let parameters = payloads.parameters(csb_id, &mut deviations)?;
        payloads.judge_signature()?;

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
        let sakke = Sakke::from_standalone(octets)?;
        require_profile(&sakke)?;
        match sakke.data.len() {
            sakke::SED_LEN => Ok(sakke.data.into_owned()),
            found => Err(Error::SakkeLength { found }),
        }
    }

    pub(super) const fn parameters(&self) -> Option<&CarriedParameters> {
        self.parameters.as_ref()
    }

    pub(super) const fn sessions(&self) -> &Sessions {
        &self.sessions
    }
}

fn judge_header(header: &Header<'_>, deviations: &mut Vec<Deviation>) -> Result<KeyId, Error> {
    if header.data_type != DataType::Sakke {
        return Err(Error::DataType { found: header.data_type });
    }
    if header.verification_expected {
        deviations.push(Deviation::VFlag);
    }
    match header.prf {
        PrfFunction::HMAC_SHA_256 => {}
        PrfFunction::MIKEY_1 => deviations.push(Deviation::PrfZero),
        found => return Err(Error::Prf { found }),
    }
    KeyId::from_u32(header.csb_id)
}

/// The payloads of a message by kind, each there as often as it may be.
#[derive(Default)]
struct Payloads<'m> {
    timestamp: Option<Timestamp>,
    rand: Option<&'m Rand<'m>>,
    initiator: Option<&'m Idr<'m>>,
    recipient: Option<&'m Idr<'m>>,
    initiator_kms: Option<&'m Idr<'m>>,
    recipient_kms: Option<&'m Idr<'m>>,
    policies: Vec<&'m SecurityPolicy<'m>>,
    sakke: Option<&'m Sakke<'m>>,
    parameters: Option<&'m GeneralExtension<'m>>,
    to_self: Option<&'m GeneralExtension<'m>>,
    sign: Option<&'m Sign<'m>>,
}

impl<'m> Payloads<'m> {
    fn collect(message: &'m Message<'m>) -> Result<Self, Error> {
        let mut found = Self::default();
        for payload in &message.payloads {
            match payload {
                Payload::Timestamp(timestamp) => once(&mut found.timestamp, *timestamp, "T")?,
                Payload::Rand(rand) => once(&mut found.rand, rand, "RAND")?,
                Payload::Idr(idr) => found.add_identity(idr)?,
                Payload::SecurityPolicy(policy) => found.policies.push(policy),
                Payload::Sakke(sakke) => once(&mut found.sakke, sakke, "SAKKE")?,
                Payload::GeneralExtension(extension) => match extension.extension_type {
                    ExtensionType::KEY_PARAMETERS => {
                        once(&mut found.parameters, extension, "key parameters extension")?;
                    }
                    ExtensionType::SAKKE_TO_SELF => once(&mut found.to_self, extension, "SAKKE-to-self extension")?,
                    // Extensions of other types are optional to understand (RFC 3830 6.15).
                    _ => {}
                },
                Payload::Sign(sign) => once(&mut found.sign, sign, "signature")?,
                other => return Err(Error::UnexpectedPayload { found: other.payload_type() }),
            }
        }
        Ok(found)
    }

    fn add_identity(&mut self, idr: &'m Idr<'m>) -> Result<(), Error> {
        let slot = match idr.role {
            IdRole::INITIATOR | IdRole::INITIATOR_UID => &mut self.initiator,
            IdRole::RESPONDER | IdRole::RESPONDER_UID => &mut self.recipient,
            IdRole::INITIATOR_KMS => &mut self.initiator_kms,
            IdRole::RESPONDER_KMS => &mut self.recipient_kms,
            role => return Err(Error::UnexpectedRole { role }),
        };
        once(slot, idr, role_name(idr.role))
    }

    fn time(&self) -> Result<NtpTime, Error> {
        match self.timestamp {
            Some(Timestamp::NtpUtc(time)) => Ok(time),
            Some(other) => Err(Error::TimestampType { found: other.type_number() }),
            None => Err(Error::Missing { what: "T" }),
        }
    }

    fn rand(&self) -> Result<[u8; 16], Error> {
        let octets = &self.rand.ok_or(Error::Missing { what: "RAND" })?.octets;
        octets.as_ref().try_into().map_err(|_| Error::RandLength { found: octets.len() })
    }

    fn parties(&self, deviations: &mut Vec<Deviation>) -> Result<(CarriedParty, CarriedParty), Error> {
        let initiator = self.initiator.ok_or(Error::Missing { what: "IDRi" })?;
        let recipient = self.recipient.ok_or(Error::Missing { what: "IDRr" })?;
        let initiator_kms = self.initiator_kms.ok_or(Error::Missing { what: "IDRkmsi" })?;
        let recipient_kms = self.recipient_kms.ok_or(Error::Missing { what: "IDRkmsr" })?;
        if is_hidden(initiator) != is_hidden(recipient) {
            return Err(Error::MixedRoles);
        }
        let initiator = read_party(Party::Initiator, initiator, initiator_kms, deviations)?;
        let recipient = read_party(Party::Recipient, recipient, recipient_kms, deviations)?;
        Ok((initiator, recipient))
    }

    /// Judges the security policies and lists them by number.
    fn policies(&self) -> Result<Vec<(u8, SrtpPolicy)>, Error> {
        let mut policies: Vec<(u8, SrtpPolicy)> = Vec::with_capacity(self.policies.len());
        for policy in &self.policies {
            if policies.iter().any(|(number, _)| *number == policy.policy_no) {
                return Err(Error::Repeated { what: "security policy of one number" });
            }
            policies.push((policy.policy_no, profile::judge_policy(policy)?));
        }
        Ok(policies)
    }

    fn sed(&self, deviations: &mut Vec<Deviation>) -> Result<&'m [u8], Error> {
        let sakke = self.sakke.ok_or(Error::Missing { what: "SAKKE" })?;
        require_profile(sakke)?;
        match sakke.data.len() {
            sakke::SED_LEN => {}
            length if length > sakke::POINT_LEN && length < sakke::SED_LEN => {
                deviations.push(Deviation::ShortEncapsulation);
            }
            found => return Err(Error::SakkeLength { found }),
        }
        Ok(&sakke.data)
    }

    fn parameters(&self, csb_id: KeyId, deviations: &mut Vec<Deviation>) -> Result<Option<CarriedParameters>, Error> {
        let Some(extension) = self.parameters else { return Ok(None) };
        if let Ok(octets) = extension.data.as_ref().try_into() {
            deviations.push(Deviation::ClearKeyParameters);
            return Ok(Some(CarriedParameters::Clear(octets)));
        }
        let payload = ProtectedPayload::parse(&extension.data)?;
        require_dppk_id(&payload, csb_id)?;
        Ok(Some(CarriedParameters::Protected(payload)))
    }

    fn judge_signature(&self) -> Result<(), Error> {
        let sign = self.sign.ok_or(Error::Missing { what: "signature" })?;
        if sign.signature_type != SignatureType::ECCSI {
            return Err(Error::SignatureType { found: sign.signature_type });
        }
        if sign.signature.len() != eccsi::SIGNATURE_LEN {
            return Err(Error::SignatureLength { found: sign.signature.len() });
        }
        Ok(())
    }
}

/// The parameter set and the identities of TS 33.180.
fn require_profile(sakke: &Sakke<'_>) -> Result<(), Error> {
    if sakke.parameters != SakkeParameters::SET_1 {
        return Err(Error::SakkeParameterSet { found: sakke.parameters });
    }
    if sakke.id_scheme != IdScheme::MCX_UID {
        return Err(Error::IdScheme { found: sakke.id_scheme });
    }
    Ok(())
}

fn once<T>(slot: &mut Option<T>, value: T, what: &'static str) -> Result<(), Error> {
    match slot.replace(value) {
        Some(_) => Err(Error::Repeated { what }),
        None => Ok(()),
    }
}

const fn role_name(role: IdRole) -> &'static str {
    match role {
        IdRole::INITIATOR => "IDRi",
        IdRole::RESPONDER => "IDRr",
        IdRole::INITIATOR_KMS => "IDRkmsi",
        IdRole::RESPONDER_KMS => "IDRkmsr",
        IdRole::INITIATOR_UID => "IDRuidi",
        IdRole::RESPONDER_UID => "IDRuidr",
        _ => "IDR",
    }
}

fn is_hidden(idr: &Idr<'_>) -> bool {
    matches!(idr.role, IdRole::INITIATOR_UID | IdRole::RESPONDER_UID)
}

fn read_party(
    party: Party,
    user: &Idr<'_>,
    kms: &Idr<'_>,
    deviations: &mut Vec<Deviation>,
) -> Result<CarriedParty, Error> {
    for idr in [user, kms] {
        if idr.id_type != IdType::URI {
            return Err(Error::IdentityType { role: role_name(idr.role), found: idr.id_type });
        }
    }
    let uid = <[u8; UID_LEN]>::try_from(user.data.as_ref()).map(Uid::from_bytes);
    let identity = match (is_hidden(user), uid, uri_text(&user.data, user.role)) {
        (true, Ok(uid), _) => CarriedIdentity::Uid(uid),
        (true, Err(_), _) => {
            return Err(Error::UidLength { role: role_name(user.role), found: user.data.len() });
        }
        (false, _, Ok(uri)) => CarriedIdentity::Uri(uri.into()),
        (false, Ok(uid), Err(_)) => {
            deviations.push(Deviation::UidInPlainRole(party));
            CarriedIdentity::Uid(uid)
        }
        (false, Err(_), Err(error)) => return Err(error),
    };
    let kms_uri = match kms.data.strip_suffix(&[0]) {
        Some(uri) => {
            deviations.push(Deviation::KmsUriTrailingNul(party));
            uri
        }
        None => &kms.data,
    };
    let kms_uri = uri_text(kms_uri, kms.role)?;
    Ok(CarriedParty { identity, kms_uri: kms_uri.into() })
}

/// Text that can be shown, which a UID practically never is: a random one with a chance of 2^-45.
fn uri_text(octets: &[u8], role: IdRole) -> Result<&str, Error> {
    match core::str::from_utf8(octets) {
        Ok(text) if !is_printable(text) => Err(Error::UnprintableUri { role: role_name(role) }),
        Ok(text) if !text.is_empty() => Ok(text),
        _ => Err(Error::NotAUri { role: role_name(role) }),
    }
}
