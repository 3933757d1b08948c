//! Messages in a stream of octets: of SIP (RFC 3261 18.3) and RTSP (RFC 2326 4.4), each as long as its Content-Length says,
//! with media between those of RTSP; of MIKEY, each as long as its payloads say.
use super::sip::{self, Head};
use super::{Collector, Fault, MAX_TEXT_LEN, Origin, Packet, bare, rtsp, sdp, start_line};
use crate::mikey::{Error, Message};

/// Start line and headers of a message are not longer.
const MAX_HEAD_LEN: usize = 64 << 10;

/// Puts the messages of one direction together.
#[derive(Default)]
pub(super) struct Framer {
    /// The beginning of a message; empty between messages.
    buffer: Vec<u8>,
    /// The packet that brought its last octets.
    packet: Option<Packet>,
    /// Octets of the whole message, once its headers are there.
    expected: Option<usize>,
    /// Octets of interleaved media that are still to come.
    media: usize,
    /// Whether an RTSP message was there, so that media may be.
    spoke_rtsp: bool,
    told_of_tls: bool,
}

/// What begins somewhere in a stream.
enum Kind {
    /// A SIP or RTSP message.
    Text,
    /// A MIKEY message.
    Mikey,
    /// Media between RTSP messages.
    Media,
}

impl Framer {
    /// Adds what the stream brings next.
    pub(super) fn add(&mut self, octets: &[u8], packet: &Packet, found: &mut Collector) {
        self.packet = Some(packet.clone());
        let passed_over = self.media.min(octets.len());
        self.media -= passed_over;
        let mut octets = octets.get(passed_over..).unwrap_or_default();
        if self.buffer.is_empty() {
            // Empty lines between messages keep connections open.
            octets = octets.trim_ascii_start();
            if self.kind_of(octets).is_none() {
                self.name(octets, found);
                return;
            }
        }
        self.buffer.extend_from_slice(octets);
        while !self.buffer.is_empty() && self.take_one(found) {}
    }

    /// Ends the stream. What has begun is cut.
    pub(super) fn finish(&mut self, found: &mut Collector) {
        let buffer = std::mem::take(&mut self.buffer);
        self.media = 0;
        match self.kind_of(&buffer) {
            Some(Kind::Text) => self.name_cut(&buffer, found),
            Some(Kind::Mikey) => found.fault(Fault::MikeyCut { present: buffer.len() }, &self.origin()),
            Some(Kind::Media) | None => {}
        }
        self.expected = None;
    }

    fn name_cut(&self, buffer: &[u8], found: &mut Collector) {
        match Head::parse(buffer) {
            Some(head) => {
                let present = buffer.len() - head.len;
                let stated = self.expected.map_or(0, |expected| expected - head.len);
                found.fault(Fault::SipCut { present, stated }, &head.within(&self.origin()));
            }
            // Something else may begin with a word in capitals.
            None if sip::head_len(buffer).is_none() && buffer.contains(&b'\n') => {
                found.fault(Fault::SipHeaders, &self.origin());
            }
            None => {}
        }
    }

    fn kind_of(&self, octets: &[u8]) -> Option<Kind> {
        match octets {
            _ if start_line::begins(octets) => Some(Kind::Text),
            _ if bare::may_begin(octets) && self.packet.as_ref().is_some_and(bare::is_between) => Some(Kind::Mikey),
            [b'$', ..] if self.spoke_rtsp || self.packet.as_ref().is_some_and(rtsp::is_between) => Some(Kind::Media),
            _ => None,
        }
    }

    /// Takes what is at the beginning of the buffer, if it is whole. Whether to go on.
    fn take_one(&mut self, found: &mut Collector) -> bool {
        match self.kind_of(&self.buffer) {
            Some(Kind::Text) => self.take_text(found),
            Some(Kind::Mikey) => self.take_mikey(found),
            Some(Kind::Media) => self.take_media(),
            None => {
                let other = std::mem::take(&mut self.buffer);
                self.name(&other, found);
                false
            }
        }
    }

    /// What is malformed, so that nothing tells where it ends, is taken as a message with all that is there: its parser says
    /// what is wrong with it.
    fn take_mikey(&mut self, found: &mut Collector) -> bool {
        let len = match Message::measure(&self.buffer) {
            Err(Error::Truncated { .. }) if self.buffer.len() <= Message::MAX_LEN => return false,
            measured => measured.unwrap_or(self.buffer.len()),
        };
        let rest = self.buffer.split_off(len);
        found.add(std::mem::replace(&mut self.buffer, rest), Vec::new(), self.origin());
        true
    }

    fn take_media(&mut self) -> bool {
        let mut end = 0;
        while let Some(len) = self.buffer.get(end..).and_then(rtsp::interleaved_len) {
            end += len;
        }
        self.media = end.saturating_sub(self.buffer.len());
        self.buffer.drain(..end.min(self.buffer.len()));
        end > 0
    }

    fn take_text(&mut self, found: &mut Collector) -> bool {
        if self.expected.is_none() && !self.measure(found) {
            return false;
        }
        let Some(expected) = self.expected.filter(|expected| *expected <= self.buffer.len()) else { return false };
        let rest = self.buffer.split_off(expected);
        let message = std::mem::replace(&mut self.buffer, rest.trim_ascii_start().to_vec());
        self.expected = None;
        sip::read_datagram(&message, &self.origin(), found);
        true
    }

    /// Learns the length of the message from its headers. Whether it is known.
    fn measure(&mut self, found: &mut Collector) -> bool {
        let Some(head) = Head::parse(&self.buffer) else {
            if self.buffer.len() > MAX_HEAD_LEN {
                found.fault(Fault::SipHeaders, &self.origin());
                self.buffer.clear();
            }
            return false;
        };
        self.spoke_rtsp |= head.is_rtsp();
        let origin = head.within(&self.origin());
        match head.content_length().and_then(|length| head.len.checked_add(length)) {
            Some(stated) if stated <= MAX_TEXT_LEN => {
                self.expected = Some(stated);
                return true;
            }
            Some(stated) => found.fault(Fault::SipTooLong { stated, limit: MAX_TEXT_LEN }, &origin),
            None => found.fault(Fault::SipLength, &origin),
        }
        self.buffer.clear();
        false
    }

    /// Names what is none of these, if a message could be in it.
    fn name(&mut self, octets: &[u8], found: &mut Collector) {
        // A record of TLS: alert, handshake or data, of any version since SSL 3.0.
        if matches!(octets, [20..=23, 3, 0..=4, ..]) && !self.told_of_tls {
            self.told_of_tls = true;
            found.fault(Fault::Tls, &self.origin());
        } else if sdp::is_in(octets) {
            found.fault(Fault::OutsideSip, &self.origin());
        }
    }

    fn origin(&self) -> Origin {
        Origin { packet: self.packet.clone(), ..Origin::default() }
    }
}
