//! The payloads of an I_MESSAGE by kind, and the rules that each of them keeps.
use super::incoming::CarriedParameters;
use super::refusals::Refusals;
use super::{CarriedIdentity, CarriedParty, Deviation, SrtpPolicy, profile};
use crate::mc::error::Party;
use crate::mc::key_parameters::require_dppk_id;
use crate::mc::protected_payload::ProtectedPayload;
use crate::mc::text::is_printable;
use crate::mc::{Error, KeyId, KeyParameters, ProtectedLayout, UID_LEN, Uid};
use crate::mikey::{
    ExtensionType, GeneralExtension, IdRole, IdScheme, IdType, Idr, Message, NtpTime, Payload, Rand, Sakke,
    SakkeParameters, SecurityPolicy, Sign, SignatureType, Timestamp,
};
use crate::{eccsi, sakke};
use alloc::string::String;
use alloc::vec::Vec;

/// The payloads of a message by kind, each there as often as it may be.
#[derive(Default)]
pub(super) struct Payloads<'m> {
    timestamp: Option<Timestamp>,
    rand: Option<&'m Rand<'m>>,
    initiator: Option<&'m Idr<'m>>,
    recipient: Option<&'m Idr<'m>>,
    initiator_kms: Option<&'m Idr<'m>>,
    recipient_kms: Option<&'m Idr<'m>>,
    policies: Vec<&'m SecurityPolicy<'m>>,
    sakke: Option<&'m Sakke<'m>>,
    parameters: Option<&'m GeneralExtension<'m>>,
    pub(super) to_self: Option<&'m GeneralExtension<'m>>,
    sign: Option<&'m Sign<'m>>,
}

impl<'m> Payloads<'m> {
    /// Sorts the payloads. What is there again or has no place is a refusal.
    pub(super) fn collect(message: &'m Message<'m>, refusals: &mut impl Refusals) -> Result<Self, Error> {
        let mut found = Self::default();
        for payload in &message.payloads {
            if let Err(error) = found.add(payload) {
                refusals.refuse(error)?;
            }
        }
        Ok(found)
    }

    fn add(&mut self, payload: &'m Payload<'m>) -> Result<(), Error> {
        match payload {
            Payload::Timestamp(timestamp) => once(&mut self.timestamp, *timestamp, "T"),
            Payload::Rand(rand) => once(&mut self.rand, rand, "RAND"),
            Payload::Idr(idr) => self.add_identity(idr),
            Payload::SecurityPolicy(policy) => {
                self.policies.push(policy);
                Ok(())
            }
            Payload::Sakke(sakke) => once(&mut self.sakke, sakke, "SAKKE"),
            Payload::GeneralExtension(extension) => match extension.extension_type {
                ExtensionType::KEY_PARAMETERS => once(&mut self.parameters, extension, "key parameters extension"),
                ExtensionType::SAKKE_TO_SELF => once(&mut self.to_self, extension, "SAKKE-to-self extension"),
                // Extensions of other types are optional to understand (RFC 3830 6.15).
                _ => Ok(()),
            },
            Payload::Sign(sign) => once(&mut self.sign, sign, "signature"),
            other => Err(Error::UnexpectedPayload { found: other.payload_type() }),
        }
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

    pub(super) fn time(&self) -> Result<NtpTime, Error> {
        match self.timestamp {
            Some(Timestamp::NtpUtc(time)) => Ok(time),
            Some(other) => Err(Error::TimestampType { found: other.type_number() }),
            None => Err(Error::Missing { what: "T" }),
        }
    }

    pub(super) fn rand(&self) -> Result<[u8; 16], Error> {
        let octets = &self.rand.ok_or(Error::Missing { what: "RAND" })?.octets;
        octets.as_ref().try_into().map_err(|_| Error::RandLength { found: octets.len() })
    }

    pub(super) fn parties(&self, deviations: &mut Vec<Deviation>) -> Result<(CarriedParty, CarriedParty), Error> {
        let users = (self.user(Party::Initiator)?, self.user(Party::Recipient)?);
        let kmss = (self.kms(Party::Initiator)?, self.kms(Party::Recipient)?);
        self.require_one_mode()?;
        let mut read = |party, user, kms| -> Result<CarriedParty, Error> {
            let identity = read_user(party, user, deviations)?;
            Ok(CarriedParty { identity, kms_uri: read_kms_uri(party, kms, deviations)? })
        };
        Ok((read(Party::Initiator, users.0, kmss.0)?, read(Party::Recipient, users.1, kmss.1)?))
    }

    /// Everything that is wrong with the identities.
    pub(super) fn party_faults(&self, deviations: &mut Vec<Deviation>) -> Vec<Error> {
        let mut faults: Vec<Error> = self.require_one_mode().err().into_iter().collect();
        for party in [Party::Initiator, Party::Recipient] {
            let user = self.user(party).and_then(|user| read_user(party, user, deviations));
            let kms = self.kms(party).and_then(|kms| read_kms_uri(party, kms, deviations));
            faults.extend(user.err().into_iter().chain(kms.err()));
        }
        faults
    }

    fn user(&self, party: Party) -> Result<&'m Idr<'m>, Error> {
        match party {
            Party::Initiator => self.initiator.ok_or(Error::Missing { what: "IDRi" }),
            Party::Recipient => self.recipient.ok_or(Error::Missing { what: "IDRr" }),
        }
    }

    fn kms(&self, party: Party) -> Result<&'m Idr<'m>, Error> {
        match party {
            Party::Initiator => self.initiator_kms.ok_or(Error::Missing { what: "IDRkmsi" }),
            Party::Recipient => self.recipient_kms.ok_or(Error::Missing { what: "IDRkmsr" }),
        }
    }

    fn require_one_mode(&self) -> Result<(), Error> {
        match (self.initiator, self.recipient) {
            (Some(initiator), Some(recipient)) if is_hidden(initiator) != is_hidden(recipient) => {
                Err(Error::MixedRoles)
            }
            _ => Ok(()),
        }
    }

    /// Judges the security policies and lists them by number.
    pub(super) fn policies(&self, refusals: &mut impl Refusals) -> Result<Vec<(u8, SrtpPolicy)>, Error> {
        let mut policies: Vec<(u8, SrtpPolicy)> = Vec::with_capacity(self.policies.len());
        for policy in &self.policies {
            if policies.iter().any(|(number, _)| *number == policy.policy_no) {
                refusals.refuse(Error::Repeated { what: "security policy of one number" })?;
            }
            profile::policy_faults(policy).try_for_each(|fault| refusals.refuse(fault))?;
            policies.push((policy.policy_no, profile::srtp_policy(policy)));
        }
        Ok(policies)
    }

    pub(super) fn sed(&self, deviations: &mut Vec<Deviation>) -> Result<&'m [u8], Error> {
        let sakke = self.sakke()?;
        sakke_rules(sakke).into_iter().collect::<Result<(), _>>()?;
        require_length(sakke, deviations)?;
        Ok(&sakke.data)
    }

    /// Everything that is wrong with SAKKE.
    pub(super) fn sakke_faults(&self, deviations: &mut Vec<Deviation>) -> Vec<Error> {
        match self.sakke() {
            Ok(sakke) => {
                let length = require_length(sakke, deviations);
                sakke_rules(sakke).into_iter().chain([length]).filter_map(Result::err).collect()
            }
            Err(missing) => Vec::from([missing]),
        }
    }

    fn sakke(&self) -> Result<&'m Sakke<'m>, Error> {
        self.sakke.ok_or(Error::Missing { what: "SAKKE" })
    }

    pub(super) fn parameters(
        &self,
        csb_id: KeyId,
        deviations: &mut Vec<Deviation>,
    ) -> Result<Option<CarriedParameters>, Error> {
        let Some(extension) = self.parameters else { return Ok(None) };
        if let Ok(octets) = extension.data.as_ref().try_into() {
            deviations.push(Deviation::ClearKeyParameters);
            return Ok(Some(CarriedParameters::Clear(octets)));
        }
        let payload = ProtectedPayload::parse(&extension.data)?;
        require_dppk_id(payload.dppk_id(), csb_id.to_u32())?;
        Ok(Some(CarriedParameters::Protected(payload)))
    }

    /// Everything that is wrong with the clear part of the key parameters of a message of this CSB-ID.
    pub(super) fn parameters_faults(&self, csb_id: u32, deviations: &mut Vec<Deviation>) -> Vec<Error> {
        let Some(extension) = self.parameters else { return Vec::new() };
        if extension.data.len() == KeyParameters::OLD_LEN {
            deviations.push(Deviation::ClearKeyParameters);
            return Vec::new();
        }
        match ProtectedLayout::parse(&extension.data) {
            Ok(layout) => layout.faults().chain(require_dppk_id(layout.dppk_id, csb_id).err()).collect(),
            Err(error) => Vec::from([error]),
        }
    }

    /// That there is a signature, and type and length of it.
    pub(super) fn signature_rules(&self) -> [Result<(), Error>; 2] {
        let Some(sign) = self.sign else { return [Err(Error::Missing { what: "signature" }), Ok(())] };
        [
            match sign.signature_type {
                SignatureType::ECCSI => Ok(()),
                found => Err(Error::SignatureType { found }),
            },
            match sign.signature.len() {
                eccsi::SIGNATURE_LEN => Ok(()),
                found => Err(Error::SignatureLength { found }),
            },
        ]
    }
}

/// The parameter set and the identities of TS 33.180.
pub(super) fn sakke_rules(sakke: &Sakke<'_>) -> [Result<(), Error>; 2] {
    [
        match sakke.parameters {
            SakkeParameters::SET_1 => Ok(()),
            found => Err(Error::SakkeParameterSet { found }),
        },
        match sakke.id_scheme {
            IdScheme::MCX_UID => Ok(()),
            found => Err(Error::IdScheme { found }),
        },
    ]
}

fn require_length(sakke: &Sakke<'_>, deviations: &mut Vec<Deviation>) -> Result<(), Error> {
    match sakke.data.len() {
        sakke::SED_LEN => Ok(()),
        length if length > sakke::POINT_LEN && length < sakke::SED_LEN => {
            deviations.push(Deviation::ShortEncapsulation);
            Ok(())
        }
        found => Err(Error::SakkeLength { found }),
    }
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

fn read_user(party: Party, user: &Idr<'_>, deviations: &mut Vec<Deviation>) -> Result<CarriedIdentity, Error> {
    require_uri_type(user)?;
    let uid = <[u8; UID_LEN]>::try_from(user.data.as_ref()).map(Uid::from_bytes);
    match (is_hidden(user), uid, uri_text(&user.data, user.role)) {
        (true, Ok(uid), _) => Ok(CarriedIdentity::Uid(uid)),
        (true, Err(_), _) => Err(Error::UidLength { role: role_name(user.role), found: user.data.len() }),
        (false, _, Ok(uri)) => Ok(CarriedIdentity::Uri(uri.into())),
        (false, Ok(uid), Err(_)) => {
            deviations.push(Deviation::UidInPlainRole(party));
            Ok(CarriedIdentity::Uid(uid))
        }
        (false, Err(_), Err(error)) => Err(error),
    }
}

fn read_kms_uri(party: Party, kms: &Idr<'_>, deviations: &mut Vec<Deviation>) -> Result<String, Error> {
    require_uri_type(kms)?;
    let uri = match kms.data.strip_suffix(&[0]) {
        Some(uri) => {
            deviations.push(Deviation::KmsUriTrailingNul(party));
            uri
        }
        None => &kms.data,
    };
    Ok(uri_text(uri, kms.role)?.into())
}

fn require_uri_type(idr: &Idr<'_>) -> Result<(), Error> {
    match idr.id_type {
        IdType::URI => Ok(()),
        found => Err(Error::IdentityType { role: role_name(idr.role), found }),
    }
}

/// Text that can be shown, which a UID practically never is: a random one with a chance of 2^-45.
fn uri_text(octets: &[u8], role: IdRole) -> Result<&str, Error> {
    match core::str::from_utf8(octets) {
        Ok(text) if !is_printable(text) => Err(Error::UnprintableUri { role: role_name(role) }),
        Ok(text) if !text.is_empty() => Ok(text),
        _ => Err(Error::NotAUri { role: role_name(role) }),
    }
}
