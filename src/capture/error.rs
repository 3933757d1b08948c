use super::Unread;

/// Why an input gives no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
    /// It is too long to be read.
    #[error("it is longer than {limit} octets")]
    TooLong {
        /// The most octets that are read of its kind.
        limit: usize,
    },
    /// It has no message.
    #[error("{}", explain(unread))]
    NoMessage {
        /// What it has in place of one.
        unread: Vec<Unread>,
    },
}

fn explain(unread: &[Unread]) -> String {
    let Some(first) = unread.first() else {
        return "no SIP, RTSP or SDP with a key-mgmt line or an application/mikey body".to_owned();
    };
    let place = first.origin.packet.as_ref().map_or_else(String::new, |packet| format!("frame {}: ", packet.frame));
    match unread.len() - 1 {
        0 => format!("{place}{}", first.fault),
        more => format!("{place}{} (and {more} more)", first.fault),
    }
}

/// What is wrong with something that should have been a message, or could hide one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    // Texts
    /// A character that base64 does not have, or a length that it cannot have.
    #[error("not base64: {why}")]
    Base64 {
        /// What the decoder says.
        why: String,
    },
    /// Hexadecimal digits that do not pair.
    #[error("an odd number of hexadecimal digits, {count}")]
    OddDigits {
        /// How many.
        count: usize,
    },
    /// A character among hexadecimal digits that is none.
    #[error("{found:?} is no hexadecimal digit")]
    HexDigit {
        /// The character.
        found: char,
    },
    /// A line of a hex dump whose octets do not pair.
    #[error("line {line} of the hex dump has an odd number of digits: copy the whole line")]
    HexDumpDigits {
        /// Counted from 1.
        line: usize,
    },
    /// A line of a hex dump that does not follow on the one before.
    #[error("line {line} of the hex dump is at {stated:#x}, expected {expected:#x}: copy the whole dump")]
    HexDumpOffset {
        /// Counted from 1.
        line: usize,
        /// The offset that it states.
        stated: usize,
        /// The octets before it.
        expected: usize,
    },
    /// A hex dump that leaves out more repeated rows than it has octets itself.
    #[error(
        "line {line} of the hex dump is at {stated:#x} after rows left out, in all more than {limit} octets: print every row"
    )]
    HexDumpRepeats {
        /// Counted from 1.
        line: usize,
        /// The offset that it states.
        stated: usize,
        /// Octets of the text.
        limit: usize,
    },
    /// `hexdump` without `-C` swaps octets.
    #[error("a hex dump of 16-bit words, whose octets may be swapped: use hexdump -C or xxd")]
    HexDumpWords,
    /// A `key-mgmt` line without a message.
    #[error("key-mgmt line {line}: {why}")]
    KeyManagement {
        /// Line of the SDP body, counted from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// A `key-mgmt` line for something else than MIKEY.
    #[error("its key-mgmt lines are not for MIKEY")]
    OtherProtocol {
        /// Line of the SDP body, counted from 1.
        line: usize,
    },

    /// A `KeyMgmt` header without a message.
    #[error("KeyMgmt header: {why}")]
    KeyMgmt {
        /// What is wrong.
        why: String,
    },

    // SIP, RTSP and MIME
    /// A SIP or RTSP message whose headers do not end.
    #[error("a SIP or RTSP message without the empty line that ends its headers")]
    SipHeaders,
    /// A SIP or RTSP message that is cut.
    #[error("a SIP or RTSP message that is cut: its body has {present} of {stated} octets")]
    SipCut {
        /// Octets of the body that are there.
        present: usize,
        /// Content-Length.
        stated: usize,
    },
    /// A SIP or RTSP message on a stream whose end nothing tells.
    #[error("a SIP or RTSP message over TCP without a valid Content-Length")]
    SipLength,
    /// A SIP or RTSP message on a stream that is too long.
    #[error("a SIP or RTSP message of {stated} octets, at most {limit} are read")]
    SipTooLong {
        /// What it states.
        stated: usize,
        /// The limit.
        limit: usize,
    },
    /// A body with a `key-mgmt` line that no Content-Type makes SDP.
    #[error("a body without Content-Type, in which there is a key-mgmt line")]
    NoContentType,
    /// A `key-mgmt` line behind the end of a SIP or RTSP message.
    #[error("a key-mgmt line behind the body, whose length Content-Length states, or 0 if RTSP has none")]
    BehindLength,
    /// A body that was compressed or otherwise coded.
    #[error("a body with Content-Encoding {coding:?}, which is not read")]
    ContentEncoding {
        /// The coding.
        coding: String,
    },
    /// A transfer encoding that MIME does not have.
    #[error(
        "a body with Content-Transfer-Encoding {encoding:?}, expected binary, 8bit, 7bit, base64 or quoted-printable"
    )]
    TransferEncoding {
        /// The encoding.
        encoding: String,
    },
    /// A multipart body whose type does not say how to part it.
    #[error("a multipart body without a boundary parameter")]
    NoBoundary,
    /// A multipart body without its boundary.
    #[error("a multipart body in which its boundary {boundary:?} is not found")]
    BoundaryNotFound {
        /// The boundary.
        boundary: String,
    },
    /// A multipart body that does not end.
    #[error("a multipart body that is cut: the closing --{boundary}-- is missing")]
    MultipartNotClosed {
        /// The boundary.
        boundary: String,
    },
    /// Multipart bodies in multipart bodies.
    #[error("multipart bodies nested more than {limit} deep")]
    NestedTooDeep {
        /// The limit.
        limit: usize,
    },
    /// A body of type application/mikey with nothing in it.
    #[error("an application/mikey body that is empty")]
    EmptyBody,
    /// A `key-mgmt` line in something that is neither a SIP nor an RTSP message.
    #[error("a key-mgmt line outside of a SIP or RTSP message that could be put together")]
    OutsideSip,

    // Captures
    /// The file ends within a packet or a block.
    #[error("the capture is cut: it ends within the block after frame {frame}")]
    CaptureCut {
        /// The last frame that is whole.
        frame: u64,
    },
    /// Something in the file that is no packet or block.
    #[error("the capture is damaged after frame {frame}")]
    CaptureDamaged {
        /// The last frame that is whole.
        frame: u64,
    },
    /// Packets of a network that is not known.
    #[error(
        "link type {link} is not read: expected Ethernet (1), raw IP (101), Linux cooked (113, 276) or loopback (0, 108)"
    )]
    LinkType {
        /// The number in tcpdump's list.
        link: i32,
    },
    /// Packets of which the capture has only the beginning.
    #[error("{count} packets are cut by the capture's snap length, the first is frame {frame}: capture with -s 0")]
    PacketsCut {
        /// How many.
        count: u64,
        /// The first.
        frame: u64,
    },
    /// An IP packet of which fragments are missing.
    #[error("fragments of an IP packet are missing")]
    Fragments,
    /// More fragments than are kept.
    #[error("more than {limit} octets of fragments are open, the oldest are dropped")]
    TooManyFragments {
        /// The limit.
        limit: usize,
    },
    /// Segments of a TCP stream are missing.
    #[error("{octets} octets of the TCP stream are missing")]
    Hole {
        /// How many.
        octets: u32,
    },
    /// A MIKEY message on a stream of such messages that is cut.
    #[error("a MIKEY message over TCP that is cut after {present} octets")]
    MikeyCut {
        /// Octets that are there.
        present: usize,
    },
    /// More streams than are followed.
    #[error("more than {limit} TCP streams, the others are not followed")]
    TooManyStreams {
        /// The limit.
        limit: usize,
    },
    /// More messages than are kept.
    #[error("more than {limit} MIKEY messages, the others are left out: filter the capture")]
    TooManyMessages {
        /// The limit.
        limit: usize,
    },
    /// An encrypted stream.
    #[error("a TLS stream: what is in it cannot be read; capture before encryption")]
    Tls,
}
