use super::Fault;
use super::sip::short;
use core::fmt;
use core::time::Duration;
use std::net::SocketAddr;

/// What an input held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The messages, in the order in which they were complete.
    pub messages: Vec<Mikey>,
    /// What should have been a message, or could hide one, and cannot be read.
    pub unread: Vec<Unread>,
}

/// The octets of a MIKEY message, not yet parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mikey {
    /// The octets.
    pub octets: Vec<u8>,
    /// Where they come from.
    pub origin: Origin,
    /// How their text deviates from its specification.
    pub remarks: Vec<Remark>,
}

/// Something that is no message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// What is wrong with it.
    pub fault: Fault,
    /// Where it is.
    pub origin: Origin,
}

/// Where something was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The form that carried it.
    pub form: Form,
    /// The packet that completed it, in a capture or a dump of packets.
    pub packet: Option<Packet>,
    /// The SIP message around it.
    pub sip: Option<SipOrigin>,
    /// The RTSP message around it.
    pub rtsp: Option<RtspOrigin>,
}

impl Origin {
    pub(super) fn of(form: Form) -> Self {
        Self { form, ..Self::default() }
    }

    pub(super) fn in_form(&self, form: Form) -> Self {
        Self { form, ..self.clone() }
    }

    /// For the URI that a `KeyMgmt` header has, if it has one.
    pub(super) fn for_uri(&self, uri: Option<&str>) -> Self {
        let mut origin = self.clone();
        if let (Some(rtsp), Some(uri)) = (&mut origin.rtsp, uri) {
            rtsp.uri = Some(short(uri));
        }
        origin
    }
}

/// What carried a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Form {
    /// The octets themselves.
    #[default]
    Binary,
    /// Hexadecimal digits.
    Hex,
    /// A hex dump with offsets.
    HexDump,
    /// Base64, alone or after the word `mikey`.
    Base64,
    /// A `key-mgmt` attribute (RFC 4567).
    Sdp,
    /// A `KeyMgmt` header of RTSP (RFC 4567 3.2).
    KeyMgmt,
    /// A body of type `application/mikey`.
    Body,
    /// A pcap or pcapng file as such.
    Capture,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Binary => "binary",
            Self::Hex => "hex",
            Self::HexDump => "hex dump",
            Self::Base64 => "base64",
            Self::Sdp => "sdp",
            Self::KeyMgmt => "keymgmt",
            Self::Body => "application/mikey",
            Self::Capture => "capture",
        })
    }
}

/// A packet of a capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Its number, counted from 1 as Wireshark does.
    pub frame: u64,
    /// When it was captured, since 1970.
    pub time: Option<Duration>,
    /// Who sent it.
    pub source: SocketAddr,
    /// To whom.
    pub destination: SocketAddr,
    /// Over what.
    pub transport: Transport,
}

/// The transport protocols that carry SIP and RTSP in clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        })
    }
}

/// A SIP message, as far as it tells messages apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SipOrigin {
    /// The method of a request, or the one that a response answers.
    pub method: Option<String>,
    /// The status of a response.
    pub status: Option<u16>,
    /// Call-ID, at most 128 octets of it.
    pub call_id: Option<String>,
}

/// An RTSP message, as far as it tells messages apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RtspOrigin {
    /// The method of a request.
    pub method: Option<String>,
    /// The status of a response.
    pub status: Option<u16>,
    /// What the message is for, at most 128 octets of it: the URI of the `KeyMgmt` header, or else of the request (RFC 4567
    /// 3.2).
    pub uri: Option<String>,
}

/// How the text of a message deviates, though it can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Remark {
    /// The base64 lacks padding.
    Unpadded,
    /// The last character of the base64 has bits that stand for nothing.
    TrailingBits,
    /// A body is base64 and does not say so.
    UndeclaredBase64,
}

impl Remark {
    /// The clause that says otherwise.
    pub const fn clause(self) -> &'static str {
        match self {
            Self::Unpadded => "RFC 4567 3.1, RFC 4648 3.2",
            Self::TrailingBits => "RFC 4567 3.1, RFC 4648 3.5",
            Self::UndeclaredBase64 => "RFC 2045 6.1",
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unpadded => "the base64 has no padding",
            Self::TrailingBits => "the base64 is not canonical: bits after the last octet are set",
            Self::UndeclaredBase64 => "the body is base64 without Content-Transfer-Encoding: base64",
        })
    }
}
