//! Floor 5: MIKEY messages in what the field sends. Octets in, messages out.
//!
//! People who look into a call have a line of SDP, a SIP or RTSP message from a log, a hex dump from a terminal, or a capture of
//! packets. [`read`] finds out what it got and takes every MIKEY message from it, each with its [`Origin`]: for a
//! capture the frame, the time, the addresses and the SIP or RTSP message around it. What should have been a message and is
//! none comes along as [`Unread`], so that nothing is passed over in silence.
//!
//! ```
//! let found = mikey_sakke::capture::read(b"v=0\r\na=key-mgmt:mikey ARoFgQ==\r\n")?;
//! assert_eq!(found.messages[0].octets, [0x01, 0x1a, 0x05, 0x81]);
//! # Ok::<(), mikey_sakke::capture::Error>(())
//! ```
//!
//! The octets of a message are not judged here: that is for [`mikey::Message::parse`](crate::mikey::Message::parse).
//! Whatever the input says, reading it takes at most four times its octets of memory and 64 KiB.

mod bare;
mod collector;
mod error;
mod file;
mod found;
mod fragments;
mod hex_dump;
mod mime;
mod packet;
mod reader;
mod rtsp;
mod sdp;
mod sip;
mod start_line;
mod stream;
mod streams;
mod tcp;
mod text;

use collector::Collector;

pub use error::{Error, Fault};
pub use found::{Form, Found, Mikey, Origin, Packet, Remark, RtspOrigin, SipOrigin, Transport, Unread};
pub use text::from_hex;

/// The most octets of a capture that are read.
pub const MAX_CAPTURE_LEN: usize = 64 << 20;
/// The most octets of anything else that are read; no network carries a message that is longer.
pub const MAX_TEXT_LEN: usize = 1 << 20;

/// Every MIKEY message in `input`, whatever form it has.
///
/// Of very many messages those are kept that come first, the more the longer the input is: [`Fault::TooManyMessages`] names
/// the limit.
///
/// # Errors
/// [`Error::Empty`], [`Error::TooLong`], and [`Error::NoMessage`] with what was there in place of one.
pub fn read(input: &[u8]) -> Result<Found, Error> {
    let limit = if is_capture(input) { MAX_CAPTURE_LEN } else { MAX_TEXT_LEN };
    if input.len() > limit {
        return Err(Error::TooLong { limit });
    }
    if input.trim_ascii().is_empty() {
        return Err(Error::Empty);
    }
    let found = if is_capture(input) { reader::capture(input) } else { text::read(input) };
    if found.messages.is_empty() { Err(Error::NoMessage { unread: found.unread }) } else { Ok(found) }
}

/// Whether `input` begins as a pcap or pcapng file does.
pub fn is_capture(input: &[u8]) -> bool {
    file::Kind::of(input).is_some()
}
