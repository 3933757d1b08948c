//! The payloads that a message is made of, one file each.

mod base_ticket;
mod cert;
mod chash;
mod cs_id_map;
mod data_type;
mod dh;
mod eccpt;
mod error_payload;
mod esk;
mod general_extension;
mod generic_id_map;
mod header;
mod ibake;
mod id;
mod idr;
mod kemac;
mod key_data;
mod key_id_information;
mod key_validity;
mod mac;
mod oma_bcast;
mod pke;
mod rand;
mod randr;
mod sakke;
mod sdp_ids;
mod secret_key;
mod security_policy;
mod sign;
#[cfg(test)]
mod testing;
mod ticket;
mod ticket_flags;
mod ticket_policy;
mod timestamp;
mod tr;
mod verification;

use alloc::vec::Vec;

pub use base_ticket::BaseTicket;
pub use cert::{Cert, CertType};
pub use chash::{Chash, HashFunction};
pub use cs_id_map::{CsIdMap, SrtpIdEntry};
pub use data_type::DataType;
pub use dh::{Dh, DhGroup};
pub use eccpt::{EccCurve, Eccpt};
pub use error_payload::{ErrorNumber, ErrorPayload};
pub use esk::Esk;
pub use general_extension::{ExtensionType, GeneralExtension};
pub use generic_id_map::{GenericIdEntry, GenericIdMap};
pub use header::{Header, PrfFunction};
pub use ibake::Ibake;
pub use id::{Id, IdType};
pub use idr::{IdRole, Idr};
pub use kemac::{EncryptionAlgorithm, Kemac};
pub use key_data::{KeyData, KeyDataType};
pub use key_id_information::{KeyId, KeyIdInformation, KeyIdType};
pub use key_validity::KeyValidity;
pub use mac::{Mac, MacAlgorithm};
pub use oma_bcast::{OmaBcast, OmaBcastSubtype};
pub use pke::{CacheType, Pke};
pub use rand::Rand;
pub use randr::{RandRole, Randr};
pub use sakke::{IdScheme, Sakke, SakkeParameters};
pub use sdp_ids::SdpIds;
pub(super) use sdp_ids::protocol_id;
pub use secret_key::{SecretKey, SecretKeyType};
pub use security_policy::{
    PolicyParameter, ProtocolType, SecurityPolicy, SrtpAuthentication, SrtpEncryption, SrtpParameter, SrtpPrf,
    TeslaParameter,
};
pub(crate) use sign::SIGN_HEADER_LEN;
pub use sign::{Sign, SignatureType};
pub use ticket::Ticket;
pub use ticket_flags::TicketFlags;
pub use ticket_policy::{TicketPolicy, TicketType};
pub use timestamp::Timestamp;
pub use tr::{Tr, TsRole};
pub use verification::Verification;

use super::Error;
use super::codec::Reader;
use super::registry::registry;

registry! {
    /// The type of a payload, as the payload before it announces it (RFC 3830 6.1, RFC 6043 6.1, RFC 6267 6.1,
    /// RFC 6509 4.1).
    PayloadType {
        LAST = 0, "last payload";
        KEMAC = 1, "KEMAC";
        PKE = 2, "PKE";
        DH = 3, "DH";
        SIGN = 4, "SIGN";
        T = 5, "T";
        ID = 6, "ID";
        CERT = 7, "CERT";
        CHASH = 8, "CHASH";
        V = 9, "V";
        SP = 10, "SP";
        RAND = 11, "RAND";
        ERR = 12, "ERR";
        TR = 13, "TR";
        IDR = 14, "IDR";
        RANDR = 15, "RANDR";
        TP = 16, "TP";
        TICKET = 17, "TICKET";
        KEY_DATA = 20, "Key data";
        GENERAL_EXTENSION = 21, "General Extension";
        IBAKE = 22, "IBAKE";
        ESK = 23, "ESK";
        SK = 24, "SK";
        ECCPT = 25, "ECCPT";
        SAKKE = 26, "SAKKE";
    }
}

/// A payload after the header.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Payload<'a> {
    /// T, a timestamp.
    Timestamp(Timestamp),
    /// RAND, random octets.
    Rand(Rand<'a>),
    /// ID, an identity.
    Id(Id<'a>),
    /// IDR, an identity with its role.
    Idr(Idr<'a>),
    /// SP, a security policy.
    SecurityPolicy(SecurityPolicy<'a>),
    /// SAKKE, an encapsulated key.
    Sakke(Sakke<'a>),
    /// General extension.
    GeneralExtension(GeneralExtension<'a>),
    /// KEMAC, keys in transport.
    Kemac(Kemac<'a>),
    /// PKE, an encrypted envelope key.
    Pke(Pke<'a>),
    /// DH, a public Diffie-Hellman value.
    Dh(Dh<'a>),
    /// CERT, a certificate.
    Cert(Cert<'a>),
    /// CHASH, the hash of a certificate.
    Chash(Chash<'a>),
    /// V, a verification message.
    Verification(Verification<'a>),
    /// ERR, an error.
    ErrorPayload(ErrorPayload),
    /// TR, a timestamp with its role.
    Tr(Tr),
    /// RANDR, random octets with their role.
    Randr(Randr<'a>),
    /// TP, a ticket policy.
    TicketPolicy(TicketPolicy<'a>),
    /// TICKET, a ticket.
    Ticket(Ticket<'a>),
    /// IBAKE, encrypted Diffie-Hellman values.
    Ibake(Ibake<'a>),
    /// ESK, an encrypted secret key.
    Esk(Esk<'a>),
    /// SIGN, a signature: the last payload of its message.
    Sign(Sign<'a>),
}

impl<'a> Payload<'a> {
    /// The type that the payload before this one announces.
    pub const fn payload_type(&self) -> PayloadType {
        match self {
            Self::Timestamp(_) => PayloadType::T,
            Self::Rand(_) => PayloadType::RAND,
            Self::Id(_) => PayloadType::ID,
            Self::Idr(_) => PayloadType::IDR,
            Self::SecurityPolicy(_) => PayloadType::SP,
            Self::Sakke(_) => PayloadType::SAKKE,
            Self::GeneralExtension(_) => PayloadType::GENERAL_EXTENSION,
            Self::Kemac(_) => PayloadType::KEMAC,
            Self::Pke(_) => PayloadType::PKE,
            Self::Dh(_) => PayloadType::DH,
            Self::Cert(_) => PayloadType::CERT,
            Self::Chash(_) => PayloadType::CHASH,
            Self::Verification(_) => PayloadType::V,
            Self::ErrorPayload(_) => PayloadType::ERR,
            Self::Tr(_) => PayloadType::TR,
            Self::Randr(_) => PayloadType::RANDR,
            Self::TicketPolicy(_) => PayloadType::TP,
            Self::Ticket(_) => PayloadType::TICKET,
            Self::Ibake(_) => PayloadType::IBAKE,
            Self::Esk(_) => PayloadType::ESK,
            Self::Sign(_) => PayloadType::SIGN,
        }
    }

    /// Octets that the payload occupies in a message, its next payload field included.
    pub fn encoded_len(&self) -> usize {
        match self {
            Self::Timestamp(timestamp) => 1 + timestamp.body_len(),
            Self::Rand(rand) => 1 + rand.body_len(),
            Self::Id(id) => 1 + id.body_len(),
            Self::Idr(idr) => 1 + idr.body_len(),
            Self::SecurityPolicy(policy) => 1 + policy.body_len(),
            Self::Sakke(sakke) => 1 + sakke.body_len(),
            Self::GeneralExtension(extension) => 1 + extension.body_len(),
            Self::Kemac(kemac) => 1 + kemac.body_len(),
            Self::Pke(pke) => 1 + pke.body_len(),
            Self::Dh(dh) => 1 + dh.body_len(),
            Self::Cert(cert) => 1 + cert.body_len(),
            Self::Chash(chash) => 1 + chash.body_len(),
            Self::Verification(verification) => 1 + verification.body_len(),
            Self::ErrorPayload(_) => 1 + ErrorPayload::BODY_LEN,
            Self::Tr(tr) => 1 + tr.body_len(),
            Self::Randr(randr) => 1 + randr.body_len(),
            Self::TicketPolicy(policy) => 1 + policy.body_len(),
            Self::Ticket(ticket) => 1 + ticket.body_len(),
            Self::Ibake(ibake) => 1 + ibake.body_len(),
            Self::Esk(esk) => 1 + esk.body_len(),
            Self::Sign(sign) => sign.encoded_len(),
        }
    }

    /// The same payload with all of its data owned.
    pub fn into_owned(self) -> Payload<'static> {
        match self {
            Self::Timestamp(timestamp) => Payload::Timestamp(timestamp),
            Self::Rand(rand) => Payload::Rand(rand.into_owned()),
            Self::Id(id) => Payload::Id(id.into_owned()),
            Self::Idr(idr) => Payload::Idr(idr.into_owned()),
            Self::SecurityPolicy(policy) => Payload::SecurityPolicy(policy.into_owned()),
            Self::Sakke(sakke) => Payload::Sakke(sakke.into_owned()),
            Self::GeneralExtension(extension) => Payload::GeneralExtension(extension.into_owned()),
            Self::Kemac(kemac) => Payload::Kemac(kemac.into_owned()),
            Self::Pke(pke) => Payload::Pke(pke.into_owned()),
            Self::Dh(dh) => Payload::Dh(dh.into_owned()),
            Self::Cert(cert) => Payload::Cert(cert.into_owned()),
            Self::Chash(chash) => Payload::Chash(chash.into_owned()),
            Self::Verification(verification) => Payload::Verification(verification.into_owned()),
            Self::ErrorPayload(error) => Payload::ErrorPayload(error),
            Self::Tr(tr) => Payload::Tr(tr),
            Self::Randr(randr) => Payload::Randr(randr.into_owned()),
            Self::TicketPolicy(policy) => Payload::TicketPolicy(policy.into_owned()),
            Self::Ticket(ticket) => Payload::Ticket(ticket.into_owned()),
            Self::Ibake(ibake) => Payload::Ibake(ibake.into_owned()),
            Self::Esk(esk) => Payload::Esk(esk.into_owned()),
            Self::Sign(sign) => Payload::Sign(sign.into_owned()),
        }
    }

    /// Reads a payload of the type that was announced, and the type of the next.
    pub(super) fn read(payload_type: PayloadType, reader: &mut Reader<'a>) -> Result<(Self, PayloadType), Error> {
        if payload_type == PayloadType::SIGN {
            return Ok((Self::Sign(Sign::read(reader)?), PayloadType::LAST));
        }
        let read_body = match payload_type {
            PayloadType::T => |reader: &mut Reader<'a>| Timestamp::read(reader).map(Self::Timestamp),
            PayloadType::RAND => |reader: &mut Reader<'a>| Rand::read(reader).map(Self::Rand),
            PayloadType::ID => |reader: &mut Reader<'a>| Id::read(reader).map(Self::Id),
            PayloadType::IDR => |reader: &mut Reader<'a>| Idr::read(reader).map(Self::Idr),
            PayloadType::SP => |reader: &mut Reader<'a>| SecurityPolicy::read(reader).map(Self::SecurityPolicy),
            PayloadType::SAKKE => |reader: &mut Reader<'a>| Sakke::read(reader).map(Self::Sakke),
            PayloadType::GENERAL_EXTENSION => {
                |reader: &mut Reader<'a>| GeneralExtension::read(reader).map(Self::GeneralExtension)
            }
            PayloadType::KEMAC => |reader: &mut Reader<'a>| Kemac::read(reader).map(Self::Kemac),
            PayloadType::PKE => |reader: &mut Reader<'a>| Pke::read(reader).map(Self::Pke),
            PayloadType::DH => |reader: &mut Reader<'a>| Dh::read(reader).map(Self::Dh),
            PayloadType::CERT => |reader: &mut Reader<'a>| Cert::read(reader).map(Self::Cert),
            PayloadType::CHASH => |reader: &mut Reader<'a>| Chash::read(reader).map(Self::Chash),
            PayloadType::V => |reader: &mut Reader<'a>| Verification::read(reader).map(Self::Verification),
            PayloadType::ERR => |reader: &mut Reader<'a>| ErrorPayload::read(reader).map(Self::ErrorPayload),
            PayloadType::KEY_DATA | PayloadType::SK | PayloadType::ECCPT => {
                return Err(Error::SubPayloadInClear { offset: reader.position(), payload_type });
            }
            PayloadType::TR => |reader: &mut Reader<'a>| Tr::read(reader).map(Self::Tr),
            PayloadType::RANDR => |reader: &mut Reader<'a>| Randr::read(reader).map(Self::Randr),
            PayloadType::TP => |reader: &mut Reader<'a>| TicketPolicy::read(reader).map(Self::TicketPolicy),
            PayloadType::TICKET => |reader: &mut Reader<'a>| Ticket::read(reader).map(Self::Ticket),
            PayloadType::IBAKE => |reader: &mut Reader<'a>| Ibake::read(reader).map(Self::Ibake),
            PayloadType::ESK => |reader: &mut Reader<'a>| Esk::read(reader).map(Self::Esk),
            payload_type => return Err(Error::UnsupportedPayload { offset: reader.position(), payload_type }),
        };
        let next = PayloadType(reader.octet("next payload")?);
        Ok((read_body(reader)?, next))
    }

    pub(super) fn write(&self, next: PayloadType, out: &mut Vec<u8>) -> Result<(), Error> {
        if !matches!(self, Self::Sign(_)) {
            out.push(next.0);
        }
        match self {
            Self::Timestamp(timestamp) => timestamp.write(out),
            Self::Rand(rand) => rand.write(out),
            Self::Id(id) => id.write(out),
            Self::Idr(idr) => idr.write(out),
            Self::SecurityPolicy(policy) => policy.write(out),
            Self::Sakke(sakke) => sakke.write(out),
            Self::GeneralExtension(extension) => extension.write(out),
            Self::Kemac(kemac) => kemac.write(out),
            Self::Pke(pke) => pke.write(out),
            Self::Dh(dh) => dh.write(out),
            Self::Cert(cert) => cert.write(out),
            Self::Chash(chash) => chash.write(out),
            Self::Verification(verification) => verification.write(out),
            Self::ErrorPayload(error) => error.write(out),
            Self::Tr(tr) => tr.write(out),
            Self::Randr(randr) => randr.write(out),
            Self::TicketPolicy(policy) => policy.write(out),
            Self::Ticket(ticket) => ticket.write(out),
            Self::Ibake(ibake) => ibake.write(out),
            Self::Esk(esk) => esk.write(out),
            Self::Sign(sign) => sign.write(out),
        }
    }
}

impl From<Timestamp> for Payload<'_> {
    fn from(timestamp: Timestamp) -> Self {
        Self::Timestamp(timestamp)
    }
}

impl From<ErrorPayload> for Payload<'_> {
    fn from(error: ErrorPayload) -> Self {
        Self::ErrorPayload(error)
    }
}

impl From<Tr> for Payload<'_> {
    fn from(tr: Tr) -> Self {
        Self::Tr(tr)
    }
}

macro_rules! from_payload {
    ($($payload:ident)*) => {
        $(impl<'a> From<$payload<'a>> for Payload<'a> {
            fn from(payload: $payload<'a>) -> Self {
                Self::$payload(payload)
            }
        })*
    };
}

from_payload! {
    Kemac Pke Dh Cert Chash Verification Randr TicketPolicy Ticket Ibake Esk Rand Id Idr SecurityPolicy Sakke
    GeneralExtension Sign
}

#[cfg(test)]
mod tests {
    use super::testing::{HEADER_LEN, parse_error};
    use super::*;

    #[test]
    fn payloads_that_cannot_be_read_are_named_with_their_offset() {
        for unknown in [PayloadType(18), PayloadType(27), PayloadType(99), PayloadType(255)] {
            let error = parse_error(unknown, &[0; 8]);
            assert_eq!(error, Error::UnsupportedPayload { offset: HEADER_LEN, payload_type: unknown });
        }
        for in_clear in [PayloadType::KEY_DATA, PayloadType::SK, PayloadType::ECCPT] {
            let error = parse_error(in_clear, &[0; 8]);
            assert_eq!(error, Error::SubPayloadInClear { offset: HEADER_LEN, payload_type: in_clear });
        }
        let behind_rand = parse_error(PayloadType::RAND, &[99, 1, 0xaa, 0]);
        let message = alloc::format!("{behind_rand}");
        assert_eq!(message, "payload of type 99 (unassigned) at octet 13 is not supported");
    }
}
