use core::fmt;

/// What kind of message this is (RFC 3830 6.1 and its successors). An unknown kind cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum DataType {
    /// Initiator's pre-shared key message (RFC 3830).
    PreShared = 0,
    /// Verification message of a pre-shared key message (RFC 3830).
    PreSharedVerification = 1,
    /// Initiator's public-key transport message (RFC 3830).
    PublicKey = 2,
    /// Verification message of a public-key message (RFC 3830).
    PublicKeyVerification = 3,
    /// Initiator's Diffie-Hellman message (RFC 3830).
    DiffieHellmanInit = 4,
    /// Responder's Diffie-Hellman message (RFC 3830).
    DiffieHellmanResponse = 5,
    /// Error message (RFC 3830).
    Error = 6,
    /// Initiator's HMAC-authenticated Diffie-Hellman message (RFC 4650).
    DhHmacInit = 7,
    /// Responder's HMAC-authenticated Diffie-Hellman message (RFC 4650).
    DhHmacResponse = 8,
    /// Initiator's reverse RSA message (RFC 4738).
    RsaReverseInit = 9,
    /// Responder's reverse RSA message (RFC 4738).
    RsaReverseResponse = 10,
    /// Ticket request under a pre-shared key (RFC 6043).
    TicketRequestPreShared = 11,
    /// Ticket request under a public key (RFC 6043).
    TicketRequestPublicKey = 12,
    /// Answer to a ticket request (RFC 6043).
    TicketRequestResponse = 13,
    /// Ticket transfer (RFC 6043).
    TicketTransferInit = 14,
    /// Answer to a ticket transfer (RFC 6043).
    TicketTransferResponse = 15,
    /// Ticket resolution under a pre-shared key (RFC 6043).
    TicketResolvePreShared = 16,
    /// Ticket resolution under a public key (RFC 6043).
    TicketResolvePublicKey = 17,
    /// Answer to a ticket resolution (RFC 6043).
    TicketResolveResponse = 18,
    /// Key request under a pre-shared key (RFC 6267).
    IbakeRequestPreShared = 19,
    /// Key request under a public key (RFC 6267).
    IbakeRequestPublicKey = 20,
    /// Answer to a key request (RFC 6267).
    IbakeRequestResponse = 21,
    /// Initiator's first identity-based message (RFC 6267).
    IbakeInit1 = 22,
    /// Responder's first identity-based message (RFC 6267).
    IbakeResponse1 = 23,
    /// Initiator's second identity-based message (RFC 6267).
    IbakeInit2 = 24,
    /// Responder's second identity-based message (RFC 6267).
    IbakeResponse2 = 25,
    /// SAKKE message: the I_MESSAGE of RFC 6509.
    Sakke = 26,
}

impl DataType {
    const ALL: [Self; 27] = [
        Self::PreShared,
        Self::PreSharedVerification,
        Self::PublicKey,
        Self::PublicKeyVerification,
        Self::DiffieHellmanInit,
        Self::DiffieHellmanResponse,
        Self::Error,
        Self::DhHmacInit,
        Self::DhHmacResponse,
        Self::RsaReverseInit,
        Self::RsaReverseResponse,
        Self::TicketRequestPreShared,
        Self::TicketRequestPublicKey,
        Self::TicketRequestResponse,
        Self::TicketTransferInit,
        Self::TicketTransferResponse,
        Self::TicketResolvePreShared,
        Self::TicketResolvePublicKey,
        Self::TicketResolveResponse,
        Self::IbakeRequestPreShared,
        Self::IbakeRequestPublicKey,
        Self::IbakeRequestResponse,
        Self::IbakeInit1,
        Self::IbakeResponse1,
        Self::IbakeInit2,
        Self::IbakeResponse2,
        Self::Sakke,
    ];

    /// The data type with this registered number, or `None` if there is none.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// The registered number.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The name in the registry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PreShared => "Pre-shared",
            Self::PreSharedVerification => "PSK ver msg",
            Self::PublicKey => "Public key",
            Self::PublicKeyVerification => "PK ver msg",
            Self::DiffieHellmanInit => "D-H init",
            Self::DiffieHellmanResponse => "D-H resp",
            Self::Error => "Error",
            Self::DhHmacInit => "DHHMAC init",
            Self::DhHmacResponse => "DHHMAC resp",
            Self::RsaReverseInit => "RSA-R I_MSG",
            Self::RsaReverseResponse => "RSA-R R_MSG",
            Self::TicketRequestPreShared => "REQUEST_INIT_PSK",
            Self::TicketRequestPublicKey => "REQUEST_INIT_PK",
            Self::TicketRequestResponse => "REQUEST_RESP",
            Self::TicketTransferInit => "TRANSFER_INIT",
            Self::TicketTransferResponse => "TRANSFER_RESP",
            Self::TicketResolvePreShared => "RESOLVE_INIT_PSK",
            Self::TicketResolvePublicKey => "RESOLVE_INIT_PK",
            Self::TicketResolveResponse => "RESOLVE_RESP",
            Self::IbakeRequestPreShared => "REQUEST_KEY_PSK",
            Self::IbakeRequestPublicKey => "REQUEST_KEY_PKE",
            Self::IbakeRequestResponse => "REQUEST_KEY_RESP",
            Self::IbakeInit1 => "I_MESSAGE_1",
            Self::IbakeResponse1 => "R_MESSAGE_1",
            Self::IbakeInit2 => "I_MESSAGE_2",
            Self::IbakeResponse2 => "R_MESSAGE_2",
            Self::Sakke => "SAKKE msg",
        }
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.number(), self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_values_correspond() {
        for number in 0..=u8::MAX {
            match DataType::from_number(number) {
                Some(data_type) => assert_eq!(data_type.number(), number),
                None => assert!(number > DataType::Sakke.number()),
            }
        }
        assert_eq!(DataType::from_number(26), Some(DataType::Sakke));
    }
}
