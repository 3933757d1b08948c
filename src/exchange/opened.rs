use alloc::vec::Vec;
use core::fmt;

use super::cs_id_map::agree;
use super::mac_key::MacKey;
use super::{Bundle, Error, Parties, verification};
use crate::mikey::{CsIdMap, DataType, Header, Message, Timestamp};

/// A verification message, and what it settles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationMessage {
    /// The R_MESSAGE as it goes on the wire.
    pub octets: Vec<u8>,
    /// What the responder derives media keys from: the initiator has the same once it [reads](super::Sent::read_answer) the
    /// message.
    pub bundle: Bundle,
}

/// An I_MESSAGE that passed every check, with its keys.
pub struct Opened {
    pub(super) bundle: Bundle,
    pub(super) parties: Parties<'static>,
    pub(super) header: Header<'static>,
    pub(super) timestamp: Timestamp,
    pub(super) mac_key: Option<MacKey>,
}

impl Opened {
    /// The keys, and what media keys are derived from unless a [verification message](Self::verification_message) settles
    /// more.
    pub const fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// Who the two ends are: as the message names them, or as the responder knew. With a pre-shared key of these two
    /// alone, the initiator is authentic.
    pub const fn parties(&self) -> &Parties<'static> {
        &self.parties
    }

    /// Whether the initiator waits for a [verification message](Self::verification_message).
    pub const fn wants_verification(&self) -> bool {
        self.header.verification_expected
    }

    /// Makes the R_MESSAGE: HDR, T, \[IDr\], V (RFC 3830 3.1, 5.2). V has the MAC algorithm of the I_MESSAGE and covers
    /// the R_MESSAGE but for the MAC, Identity_i || Identity_r || Timestamp.
    ///
    /// `cs_id_map` is that of the [bundle](Bundle::cs_id_map), with what the initiator left open filled in. Of an SRTP-ID map
    /// these are SSRCs that are 0, of streams that the responder sends, with their ROCs (RFC 3830 6.1.1). A GENERIC-ID entry
    /// must be complete: one policy, which the initiator suggests or, where it suggests none, has in its message; session
    /// data, for SRTP; and the SPI of a key (RFC 6043 6.1.1).
    ///
    /// # Errors
    /// [`Error::NoVerification`] if none is wanted, or the I_MESSAGE had the NULL MAC; for the sessions
    /// [`Error::PolicyCount`], [`Error::SessionDataLength`], [`Error::NoSpi`], [`Error::SessionsChanged`],
    /// [`Error::NoSuchPolicy`], [`Error::PolicyProtocol`], [`Error::NoSuchKey`], [`Error::RepeatedSsrc`];
    /// [`Error::Mikey`] for what its field cannot hold.
    pub fn verification_message(&self, cs_id_map: CsIdMap<'_>) -> Result<VerificationMessage, Error> {
        let mac_key = self.mac_key.as_ref().filter(|_| self.wants_verification()).ok_or(Error::NoVerification)?;
        let bundle = agree(&self.bundle, &cs_id_map)?;
        let header = Header {
            data_type: DataType::PreSharedVerification,
            verification_expected: false,
            prf: self.header.prf,
            csb_id: self.header.csb_id,
            cs_id_map,
        };
        let message = Message::new(header).with(self.timestamp);
        let message = self.parties.responder.iter().cloned().fold(message, Message::with);
        let octets = verification::seal(message, mac_key, &self.parties, self.timestamp)?;
        Ok(VerificationMessage { octets, bundle })
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("bundle", &self.bundle).field("parties", &self.parties).finish_non_exhaustive()
    }
}
