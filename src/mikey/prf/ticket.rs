//! Keys of MIKEY-TICKET (RFC 6043 5.1 and A.2).

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::{NO_CS, Prf, label};
use crate::mikey::Error;
use crate::mikey::codec::{put_data_8, put_data_16};

/// Constant of a forked MPKr (RFC 6043 5.1.1).
pub const FORKED_MPK: u32 = 0x2B28_8856;
/// Constant of a forked TGK (RFC 6043 5.1.1).
pub const FORKED_TGK: u32 = 0x1512_B54A;
/// Constant of MPKi, the MPK of the initiator (RFC 6043 A.2.2).
pub const MPK_INITIATOR: u32 = 0x220E_99A2;
/// Constant of MPKr, the MPK of the responder (RFC 6043 A.2.2).
pub const MPK_RESPONDER: u32 = 0x1F4D_675B;

const FORKED: u8 = 0x00;
const FROM_TGK: u8 = 0x03;
const FROM_TPK: u8 = 0x05;
const FROM_MPK: u8 = 0x06;

/// Which message of an exchange a key protects (RFC 6043 5.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TicketMessage {
    /// The initial one.
    Initial = 0x01,
    /// The response.
    Response = 0x02,
}

/// The random octets that enter the derivation of a key, empty where they are omitted, each at most 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TicketRands<'a> {
    /// RANDRi.
    pub initiator: &'a [u8],
    /// RANDRr.
    pub responder: &'a [u8],
}

impl TicketRands<'_> {
    fn put(&self, label: &mut Vec<u8>) -> Result<(), Error> {
        put_data_8(label, self.initiator, "RANDRi")?;
        put_data_8(label, self.responder, "RANDRr")
    }
}

impl Prf {
    /// A forked key, of the length of the key that is forked (RFC 6043 5.1.1): [`FORKED_MPK`] or [`FORKED_TGK`], for the
    /// responder with the ID Data `responder_id`.
    ///
    /// # Errors
    /// [`Error::TooLong`] for ID Data of more than 65535 octets or a RANDRkms of more than 255.
    pub fn forked_key(
        self,
        key: &[u8],
        constant: u32,
        responder_id: &[u8],
        rand_kms: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut label = label(constant, NO_CS, u32::MAX);
        label.push(FORKED);
        put_data_16(&mut label, responder_id, "ID Data")?;
        put_data_8(&mut label, rand_kms, "RANDRkms")?;
        Ok(self.derive(key, &label, key.len()))
    }

    /// A key that protects a message, from a pre-shared key, an envelope key or an MPK (RFC 6043 5.1.2):
    /// [`MESSAGE_ENC`](super::MESSAGE_ENC), [`MESSAGE_AUTH`](super::MESSAGE_AUTH) or
    /// [`MESSAGE_SALT`](super::MESSAGE_SALT).
    ///
    /// # Errors
    /// [`Error::TooLong`] for more than 255 random octets.
    pub fn ticket_message_key(
        self,
        key: &[u8],
        constant: u32,
        csb_id: u32,
        message: TicketMessage,
        rands: TicketRands<'_>,
        out_len: usize,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut label = label(constant, NO_CS, csb_id);
        label.push(message as u8);
        rands.put(&mut label)?;
        Ok(self.derive(key, &label, out_len))
    }

    /// A key of a crypto session from a TGK, a forked TGK or a GTGK (RFC 6043 5.1.3): [`TEK`](super::TEK),
    /// [`SALT`](super::SALT), [`AUTH`](super::AUTH) or [`ENC`](super::ENC).
    ///
    /// # Errors
    /// [`Error::TooLong`] for more than 255 random octets.
    pub fn ticket_session_key(
        self,
        tgk: &[u8],
        constant: u32,
        cs_id: u8,
        rands: TicketRands<'_>,
        out_len: usize,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut label = label(constant, cs_id, u32::MAX);
        label.push(FROM_TGK);
        rands.put(&mut label)?;
        Ok(self.derive(tgk, &label, out_len))
    }

    /// A key that protects a base ticket, from a ticket protection key (TPK) and the RAND of the ticket (RFC 6043 A.2.1):
    /// [`MESSAGE_ENC`](super::MESSAGE_ENC), [`MESSAGE_AUTH`](super::MESSAGE_AUTH) or
    /// [`MESSAGE_SALT`](super::MESSAGE_SALT).
    ///
    /// # Errors
    /// [`Error::TooLong`] for a RAND of more than 255 octets.
    pub fn ticket_key(
        self,
        tpk: &[u8],
        constant: u32,
        rand: &[u8],
        out_len: usize,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.key_of_ticket(tpk, constant, FROM_TPK, rand, out_len)
    }

    /// The MPK of one party, of the length of the MPK in the ticket (RFC 6043 A.2.2): [`MPK_INITIATOR`] or
    /// [`MPK_RESPONDER`].
    ///
    /// # Errors
    /// [`Error::TooLong`] for a RAND of more than 255 octets.
    pub fn ticket_mpk(self, mpk: &[u8], constant: u32, rand: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.key_of_ticket(mpk, constant, FROM_MPK, rand, mpk.len())
    }

    fn key_of_ticket(
        self,
        key: &[u8],
        constant: u32,
        use_of_key: u8,
        rand: &[u8],
        out_len: usize,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut label = label(constant, NO_CS, u32::MAX);
        label.push(use_of_key);
        put_data_8(&mut label, rand, "RAND")?;
        Ok(self.derive(key, &label, out_len))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MESSAGE_ENC, TEK};
    use super::*;

    const KEY: &[u8] = b"0123456789abcdef";
    const PRF: Prf = Prf::HmacSha256;

    fn of_label(label: &[&[u8]], out_len: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
        Ok(PRF.derive(KEY, &label.concat(), out_len))
    }

    #[test]
    fn labels_are_laid_out_as_specified() {
        let enc = [0x15, 0x05, 0x33, 0xe1];
        let none = [0xff; 5];
        let rands = TicketRands { initiator: &[0xaa], responder: &[0xbb, 0xcc] };
        let initial = PRF.ticket_message_key(KEY, MESSAGE_ENC, 0x0102_0304, TicketMessage::Initial, rands, 16);
        assert_eq!(initial, of_label(&[&enc, &[0xff, 1, 2, 3, 4, 1, 1, 0xaa, 2, 0xbb, 0xcc]], 16));
        let only_initiator = TicketRands { responder: &[], ..rands };
        let response = PRF.ticket_message_key(KEY, MESSAGE_ENC, 9, TicketMessage::Response, only_initiator, 16);
        assert_eq!(response, of_label(&[&enc, &[0xff, 0, 0, 0, 9, 2, 1, 0xaa, 0]], 16));
        let session = PRF.ticket_session_key(KEY, TEK, 7, rands, 16);
        let tek = [0x2a, 0xd0, 0x1c, 0x64];
        assert_eq!(session, of_label(&[&tek, &[7], &none[1..], &[3, 1, 0xaa, 2, 0xbb, 0xcc]], 16));
        let forked = PRF.forked_key(KEY, FORKED_TGK, b"bob", &[0xdd]);
        let fork = [0x15, 0x12, 0xb5, 0x4a];
        assert_eq!(forked, of_label(&[&fork, &none, &[0, 0, 3], b"bob", &[1, 0xdd]], KEY.len()));
        assert_eq!(PRF.ticket_key(KEY, MESSAGE_ENC, &[0xee], 9), of_label(&[&enc, &none, &[5, 1, 0xee]], 9));
        let mpk_i = [0x22, 0x0e, 0x99, 0xa2];
        let mpk = PRF.ticket_mpk(KEY, MPK_INITIATOR, &[0xee]);
        assert_eq!(mpk, of_label(&[&mpk_i, &none, &[6, 1, 0xee]], KEY.len()));
    }

    #[test]
    fn what_no_payload_can_hold_enters_no_label() {
        let long = [0; 256];
        let too_long = |field| Err(Error::TooLong { field, found: 256, limit: 255 });
        let responder = TicketRands { responder: &long, ..TicketRands::default() };
        assert_eq!(PRF.ticket_session_key(KEY, TEK, 7, responder, 16), too_long("RANDRr"));
        assert_eq!(PRF.ticket_key(KEY, MESSAGE_ENC, &long, 16), too_long("RAND"));
        assert_eq!(PRF.ticket_mpk(KEY, MPK_RESPONDER, &long), too_long("RAND"));
        assert_eq!(PRF.forked_key(KEY, FORKED_MPK, b"bob", &long), too_long("RANDRkms"));
    }
}
