//! Floor 3: MIKEY messages, the key derivation that goes with them, and the SDP lines and RTSP headers that carry them.
//!
//! A [`Message`] is a [`Header`] and a list of typed [`Payload`]s (RFC 3830, with the payloads of RFC 6043, RFC 6267 and
//! RFC 6509). [`SubPayloads`] are what some of them hold once decrypted. [`Message::parse`] reads one and borrows from its input; [`Message::to_bytes`] writes one; one undoes the
//! other. [`prf`] derives the keys of crypto sessions, [`sdp`] reads and writes `a=key-mgmt:` lines,
//! [`rtsp`] `KeyMgmt` headers (RFC 4567).
//!
//! This floor knows form, not meaning: a parsed message has been checked for lengths and known payload types, and for
//! nothing else.
//!
//! ```
//! use mikey_sakke::mikey::{CsIdMap, Header, IdRole, Idr, Message, NtpTime, Rand, Timestamp};
//!
//! let message = Message::new(Header::sakke(0x1234_5678, CsIdMap::Empty { cs_count: 0 }))
//!     .with(Timestamp::NtpUtc(NtpTime::from_unix(1_393_144_754)))
//!     .with(Rand::new(vec![7; 16]))
//!     .with(Idr::uri(IdRole::INITIATOR, b"sip:alice@example.org".as_slice()));
//! let octets = message.to_bytes()?;
//! assert_eq!(Message::parse(&octets)?, message);
//! # Ok::<(), mikey_sakke::mikey::Error>(())
//! ```

mod chain;
mod clause;
pub(crate) mod codec;
mod error;
mod message;
mod ntp_time;
mod partial;
mod payload;
pub mod prf;
mod registry;
pub mod rtsp;
pub mod sdp;
mod secret_octets;
mod signature;
mod sub_payloads;
mod utc;

pub use error::Error;
pub use message::Message;
pub use ntp_time::NtpTime;
pub use partial::{Fault, Part, Partial};
pub(crate) use payload::SIGN_HEADER_LEN;
pub use payload::{
    BaseTicket, CacheType, Cert, CertType, Chash, CsIdMap, DataType, Dh, DhGroup, EccCurve, Eccpt, EncryptionAlgorithm,
    ErrorNumber, ErrorPayload, Esk, ExtensionType, GeneralExtension, GenericIdEntry, GenericIdMap, HashFunction,
    Header, Ibake, Id, IdRole, IdScheme, IdType, Idr, Kemac, KeyData, KeyDataType, KeyId, KeyIdInformation, KeyIdType,
    KeyValidity, Mac, MacAlgorithm, OmaBcast, OmaBcastSubtype, Payload, PayloadType, Pke, PolicyParameter, PrfFunction,
    ProtocolType, Rand, RandRole, Randr, Sakke, SakkeParameters, SdpIds, SecretKey, SecretKeyType, SecurityPolicy,
    Sign, SignatureType, SrtpAuthentication, SrtpEncryption, SrtpIdEntry, SrtpParameter, SrtpPrf, TeslaParameter,
    Ticket, TicketFlags, TicketPolicy, TicketType, Timestamp, Tr, TsRole, Verification,
};
pub use secret_octets::SecretOctets;
pub use sub_payloads::{SubPayload, SubPayloads};
pub use utc::Utc;
