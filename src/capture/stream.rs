//! SIP messages in a stream of octets (RFC 3261 18.3): each as long as its Content-Length says.
use super::sip::{self, Head};
use super::{Collector, Fault, MAX_TEXT_LEN, Origin, Packet, sdp};

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
    told_of_tls: bool,
}

impl Framer {
    /// Adds what the stream brings next.
    pub(super) fn add(&mut self, octets: &[u8], packet: &Packet, found: &mut Collector) {
        let mut octets = octets;
        self.packet = Some(packet.clone());
        if self.buffer.is_empty() {
            // Empty lines between messages keep connections open.
            octets = octets.trim_ascii_start();
            if !sip::begins(octets) {
                self.name(octets, found);
                return;
            }
        }
        self.buffer.extend_from_slice(octets);
        while !self.buffer.is_empty() && self.take_message(found) {}
    }

    /// Ends the stream. What has begun is cut.
    pub(super) fn finish(&mut self, found: &mut Collector) {
        let buffer = std::mem::take(&mut self.buffer);
        if buffer.is_empty() {
            return;
        }
        match Head::parse(&buffer) {
            Some(head) => {
                let present = buffer.len() - head.len;
                let stated = self.expected.map_or(0, |expected| expected - head.len);
                found.fault(Fault::SipCut { present, stated }, &head.within(&self.origin()));
            }
            // Something else may begin with a word in capitals.
            None if sip::head_len(&buffer).is_none() && buffer.contains(&b'\n') => {
                found.fault(Fault::SipHeaders, &self.origin());
            }
            None => {}
        }
        self.expected = None;
    }

    /// Takes the message at the beginning of the buffer, if it is whole. Whether to go on.
    fn take_message(&mut self, found: &mut Collector) -> bool {
        if !sip::begins(&self.buffer) {
            let other = std::mem::take(&mut self.buffer);
            self.name(&other, found);
            return false;
        }
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

    /// Names what is no SIP, if a message could be in it.
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
