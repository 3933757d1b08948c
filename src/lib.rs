//! Key management for 3GPP mission critical services (MCX).
//!
//! Two people, or a group, talk end to end encrypted on radios that have only each other's addresses. A key management
//! server (KMS) issues each identity a decryption key (SAKKE, RFC 6508) and a signing key (ECCSI, RFC 6507) for a key
//! period; then anyone can send a key to an identity in one signed, encrypted message (MIKEY-SAKKE, RFC 6509), with no
//! round trip. TS 33.180 puts that into a system, and this crate implements it.
//!
//! The modules are floors of one house; each uses only those below it:
//!
//! | floor | module | is |
//! |---|---|---|
//! | 6 | [`kms`], [`client`] | the key management server and the key management client |
//! | 5 | [`kms_protocol`] | the documents that both exchange (TS 33.180 Annex D) |
//! | 5 | [`capture`] | MIKEY messages in texts, SIP messages and captures of packets |
//! | 5 | [`sealing`] | secrets at rest under a passphrase |
//! | 4 | [`mc`] | the mission critical profile: UIDs, key periods, key identifiers, I_MESSAGEs, media keys |
//! | 4 | [`exchange`] | MIKEY under a pre-shared key (RFC 3830), with verification and error messages |
//! | 4 | [`replay`] | which messages were accepted already |
//! | 3 | [`mikey`] | MIKEY messages (RFC 3830, 6043, 6509) |
//! | 3 | [`xml_security`] | XML signatures under shared keys, and keys wrapped under them |
//! | 2 | [`sakke`], [`eccsi`] | the two identity-based schemes, with [batches](batch) |
//! | 1 | [`arith`] | fields, curves, the pairing, fixed-base tables |
//!
//! Floors 1 to 4 do no input or output, and all but [`xml_security`] build without the standard library
//! (`--no-default-features`).
#![cfg_attr(not(any(feature = "std", test)), no_std)]

extern crate alloc;

pub mod arith;
pub mod batch;
mod cut;
pub mod eccsi;
pub mod exchange;
pub mod mc;
pub mod mikey;
#[cfg(test)]
mod multiplications;
pub mod replay;
pub mod sakke;
mod vectors;

#[cfg(feature = "capture")]
pub mod capture;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "kms")]
pub mod kms;
#[cfg(feature = "kms-protocol")]
pub mod kms_protocol;
#[cfg(feature = "sealing")]
pub mod sealing;
#[cfg(feature = "xml-security")]
pub mod xml_security;
