//! Floor 4: MIKEY under a pre-shared key (RFC 3830), as cameras and streaming servers use it over RTSP and SIP.
//!
//! An initiator and a responder have a [`PreSharedKey`]. The initiator [seals](Offer::seal) an [`Offer`] into an
//! I_MESSAGE; the responder [opens](Incoming::open) it, and both hold the same [`Bundle`] of keys, from which each
//! derives [SRTP keys](Bundle::srtp_keys). If the initiator asked for it, the responder proves with a
//! [verification message](Opened::verification_message) that it took them, and chooses what the initiator left open: both
//! then have a bundle of the agreed sessions. What it refuses it may answer with an [`ErrorMessage`]. The initiator
//! [reads](Sent::read_answer) both.
//!
//! The keys of messages are derived, and messages are read and written, by [`mikey`](crate::mikey). MIKEY-SAKKE, whose
//! I_MESSAGE has no answer (RFC 6509 2.2.1), is [`mc::imessage`](crate::mc::imessage).
//!
//! ```
//! use mikey_sakke::exchange::{Answer, Incoming, Offer, Parties, PreSharedKey, Reception, Settings};
//! use mikey_sakke::mikey::{
//!     CsIdMap, GenericIdEntry, GenericIdMap, Id, KeyData, KeyDataType, KeyValidity, NtpTime, ProtocolType, SecurityPolicy,
//!     SrtpEncryption, SrtpParameter, Timestamp,
//! };
//! use mikey_sakke::replay::ReplayCache;
//!
//! let key = PreSharedKey::new(vec![0x5a; 32])?; // Random octets in earnest, as RAND and the TGK below.
//! let now = NtpTime::from_unix(1_790_000_000);
//!
//! // One stream, under one of two ciphers. SSRC and SPI are left to the responder.
//! let cipher = |number, cipher: SrtpEncryption| {
//!     SecurityPolicy::srtp(number, &[(SrtpParameter::ENCRYPTION_ALGORITHM, cipher.0)])
//! };
//! let session = GenericIdEntry {
//!     cs_id: 1,
//!     protocol: ProtocolType::SRTP,
//!     session_data_flag: false,
//!     policy_numbers: &[0, 1],
//!     session_data: &[],
//!     spi: &[],
//! };
//! let offer = Offer {
//!     cs_id_map: CsIdMap::GenericId(GenericIdMap::new(&[session])?),
//!     parties: Parties::new(Id::uri("rtsp://camera.example.org"), Id::uri("rtsp://recorder.example.org")),
//!     policies: vec![cipher(0, SrtpEncryption::AES_GCM), cipher(1, SrtpEncryption::AES_CM)],
//!     keys: vec![KeyData::new(KeyDataType::Tgk, vec![0x33; 16], KeyValidity::spi(vec![1, 2, 3, 4]))],
//!     wants_verification: true,
//!     ..Offer::new(0x89ab_cdef, Timestamp::NtpUtc(now), vec![0xa5; 16])
//! };
//! let sent = offer.seal(Some(&key), &Settings::default())?;
//!
//! let incoming = Incoming::parse(sent.octets())?;
//! let mut replays = ReplayCache::default();
//! let opened = incoming.open(Some(&key), &Reception::at(now), &mut replays)?;
//!
//! let chosen = GenericIdEntry { policy_numbers: &[1], session_data: &[0x12, 0x34, 0x56, 0x78], spi: &[1, 2, 3, 4], ..session };
//! let answer = opened.verification_message(CsIdMap::GenericId(GenericIdMap::new(&[chosen])?))?;
//! let Answer::Verified(agreed) = sent.read_answer(&answer.octets)? else { panic!("it is no error message") };
//! assert_eq!(agreed.srtp_keys(1)?, answer.bundle.srtp_keys(1)?);
//! # Ok::<(), mikey_sakke::exchange::Error>(())
//! ```

mod answer;
mod bundle;
mod clause;
mod cs_id_map;
mod error;
mod error_message;
mod extensions;
mod incoming;
mod key_transport;
mod key_wrap;
mod mac_key;
mod message_keys;
mod offer;
mod opened;
mod parties;
mod pre_shared_key;
mod sent;
mod settings;
mod srtp_keys;
#[cfg(test)]
mod tests;
mod time;
mod verification;

pub use answer::Answer;
pub use bundle::Bundle;
pub use cs_id_map::{MapRole, map_faults};
pub use error::{Error, Party};
pub use error_message::ErrorMessage;
pub use extensions::repeated_extensions;
pub use incoming::{Incoming, Reception};
pub use offer::Offer;
pub use opened::{Opened, VerificationMessage};
pub use parties::Parties;
pub use pre_shared_key::PreSharedKey;
pub use sent::Sent;
pub use settings::{KeysInClear, Protection, Settings};
pub use srtp_keys::SrtpKeys;

/// The fewest octets of RAND that are sent and taken (RFC 3830 6.11).
pub const MIN_RAND_LEN: usize = 16;
