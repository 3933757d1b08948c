//! The I_MESSAGE: one signed, encrypted message that carries a key (TS 33.180 annex E, clause 5.2.2).
//!
//! # What a signature proves
//! That the initiator's KMS, as the message names it, issued a signing key for the UID that signed. A UID is a hash over
//! the user's URI, the URI of the KMS and the key period, so every known KMS can issue keys for every URI, and a message
//! signed under one says nothing of users whom another serves. Who the user is therefore rests on two more things, which
//! [`Incoming::verify`] requires wherever a URI is known, and [`Opened::confirm_initiator`] where it comes later:
//!
//! * The UID is that of the URI at that KMS.
//! * The KMS is the user's: the one that the receiver [expects](Expected::kms_uri), or else not one that leaves the domain
//!   of the URI to another known KMS ([`Kms::with_domains`](super::Kms::with_domains)).
//!
//! A KMS that lists no domains is trusted with every domain that no other known one lists. A hidden initiator without a
//! URI is a UID of that KMS and nothing more.
//!
//! # Sending
//! An [`Offer`] says which key goes from whom to whom; [`Offer::build`] encodes, encapsulates and signs it.
//!
//! # Receiving
//! A message passes through three types, and no step can be left out or taken early:
//!
//! | type | made by | holds |
//! |---|---|---|
//! | [`Incoming`] | [`Incoming::parse`] | a message of the right shape, nothing of it trusted |
//! | [`Verified`] | [`Incoming::verify`] | a message for me, timely, signed by its initiator |
//! | [`Opened`] | [`Verified::decapsulate`] | the key, its parameters, its media keys; or the key that is [revoked](Decapsulated::Revoked) |
//!
//! Checks run in this order, cheap ones before dear ones, and all that need no secret before the first secret is used:
//!
//! 1. Shape ([`Incoming::parse`]): MIKEY syntax; data type 26; PRF; one T (NTP-UTC), one RAND of 16 octets, both
//!    identities in one mode, both KMS URIs; purpose tag; CS ID map; security policies; SAKKE parameter set, ID scheme
//!    and length; signature type, length and place; the clear part of key parameters, their DPPK-ID included.
//! 2. Replay: the caller looks [`Incoming::replay_tag`] up between `parse` and `verify`, and records it once all holds.
//! 3. Deviations that only a [`Compatibility`] setting excuses.
//! 4. The key type that the caller expects here.
//! 5. Time: T is in the window around now.
//! 6. The recipient is me: one of my key sets has its UID, or its URI and the key period of T; its KMS issued that set.
//! 7. The key period of T is that of the key set.
//! 8. The initiator's KMS is known; both KMS certificates are valid at T.
//! 9. The initiator is the expected one, if any is, and its KMS may issue its keys.
//! 10. Signature.
//! 11. R of the encapsulation is a point of the curve and has none of the orders 1, 2 and 4; decapsulation, with its own
//!     check of R.
//! 12. GMK-ID against GUK-ID, where the message has both.
//! 13. Key parameters: GCM tag, contents, type against purpose tag, revoked, expired, not yet active.
//!
//! [`Policy::time_rules`] turns the refusals that only time causes (5, and revoked, expired, not yet active in 13) into
//! [findings](Opened::findings), for tools that look at old messages; everything else holds there as well.
//!
//! # Example
//! ```
//! use mikey_sakke::mc::imessage::{Expected, Incoming, Offer, Policy, Receiver};
//! use mikey_sakke::mc::{CsId, IdentityForm, KeyId, KeyPeriods, KeySet, KeyType, Kms, PeriodEpoch};
//! use mikey_sakke::mikey::NtpTime;
//! use mikey_sakke::{eccsi, sakke};
//! # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
//!
//! // A KMS, and the key sets of two of its users for the key period of now.
//! let (decryption, signing) = (sakke::MasterSecret::generate(&mut rng)?, eccsi::MasterSecret::generate(&mut rng)?);
//! let periods = KeyPeriods::new(2_592_000, 0, PeriodEpoch::Ntp)?;
//! let (enc, auth) = (decryption.public_key(), signing.public_key());
//! let kms = Kms::new("kms.example.org", &enc, &auth, periods, IdentityForm::Raw);
//! let now = NtpTime::from_unix(1_790_000_000);
//! let period = periods.number_at(now)?;
//! let mut key_set = |user: &str| {
//!     let identity = kms.identity(&kms.uid(user, period)?);
//!     let rsk = decryption.extract(identity.as_bytes())?;
//!     let pair = signing.extract_random(identity.as_bytes(), &mut rng)?;
//!     Ok::<_, Box<dyn std::error::Error>>(KeySet::validate(&kms, user, period, rsk, pair)?)
//! };
//! let (alice, bob) = (key_set("sip:alice@example.org")?, key_set("sip:bob@example.org")?);
//!
//! // Alice sends Bob a private call key.
//! let pck = sakke::SharedSecret::generate(&mut rng);
//! let pck_id = KeyId::generate(KeyType::Pck, &mut rng);
//! let offer = Offer::new(&alice, bob.user_uri(), &kms, pck_id, pck, now, [0x2a; 16])?; // RAND should be random
//! let message = offer.build(&mut rng)?;
//!
//! // Bob opens the message and has the same media keys.
//! let receiver = Receiver {
//!     key_sets: &[&bob],
//!     kmss: &[&kms],
//!     initiator: Some(Expected::user("sip:alice@example.org")),
//!     key_type: Some(KeyType::Pck),
//! };
//! let incoming = Incoming::parse(&message)?;
//! let opened = incoming.verify(&receiver, &Policy::new(now))?.decapsulate()?.live()?;
//! let session = CsId::McpttInitiator;
//! assert_eq!(opened.bundle.media_keys(session), offer.bundle().media_keys(session));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod compatibility;
mod excuse;
mod header;
mod incoming;
mod judgement;
mod offer;
mod opened;
mod own;
mod payloads;
mod peer;
mod profile;
mod refusals;
mod sessions;
mod to_self;
mod verify;

pub use compatibility::{Compatibility, Deviation, StatusZero};
pub use excuse::Excuse;
pub use incoming::{CarriedIdentity, CarriedParty, Incoming};
pub use judgement::Judgement;
pub use offer::{IdentityMode, Offer, SessionMap};
pub use opened::{Decapsulated, Opened, Revocation};
pub use own::SentTo;
pub use peer::{Expected, Peer};
pub use profile::{SrtpPolicy, default_policy};
pub use verify::{Policy, Receiver, TimeRules, TimeWindow, Verified};
