use core::fmt;

const ALL: u16 = 0x0fff;

/// The twelve flags of a ticket policy, by the letters of their specification (RFC 6043 6.10).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct TicketFlags(u16);

impl TicketFlags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// The KMS made the ticket, not the initiator.
    pub const D: Self = Self(1 << 11);
    /// The responder has to have the ticket resolved.
    pub const E: Self = Self(1 << 10);
    /// TRANSFER_RESP is sent.
    pub const F: Self = Self(1 << 9);
    /// The responder makes a RANDRr.
    pub const G: Self = Self(1 << 8);
    /// RANDRi enters the derivation of keys from a TGK or GTGK.
    pub const H: Self = Self(1 << 7);
    /// Keys are forked.
    pub const I: Self = Self(1 << 6);
    /// The ticket may be used again.
    pub const J: Self = Self(1 << 5);
    /// The KMS changed the policy or the keys that were asked for.
    pub const K: Self = Self(1 << 4);
    /// The initiator may supply session keys.
    pub const L: Self = Self(1 << 3);
    /// The responder may supply session keys.
    pub const M: Self = Self(1 << 2);
    /// An initiator needs nothing but RFC 6043 to send a TRANSFER_INIT with the ticket.
    pub const N: Self = Self(1 << 1);
    /// A responder needs nothing but RFC 6043 to process a TRANSFER_INIT with the ticket.
    pub const O: Self = Self(1);

    /// The flags of the low twelve bits, D the highest.
    pub const fn from_bits_truncated(bits: u16) -> Self {
        Self(bits & ALL)
    }

    /// The flags as the low twelve bits.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// These flags and those.
    #[must_use]
    pub const fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether all of these are among the flags.
    pub const fn contains(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }
}

/// The letters of the flags that are set.
impl fmt::Display for TicketFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = ('D'..='O').zip((0..12).rev());
        letters.filter(|(_, bit)| self.0 >> bit & 1 == 1).try_for_each(|(letter, _)| write!(f, "{letter}"))
    }
}

impl fmt::Debug for TicketFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TicketFlags({self})")
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn flags_are_known_by_their_letters() {
        let flags = TicketFlags::D.with(TicketFlags::H).with(TicketFlags::O);
        assert_eq!(format!("{flags} {flags:?} {}", TicketFlags::NONE), "DHO TicketFlags(DHO) ");
        assert!(flags.contains(TicketFlags::D.with(TicketFlags::O)));
        assert!(!flags.contains(TicketFlags::D.with(TicketFlags::I)));
        assert_eq!(format!("{}", TicketFlags::from_bits_truncated(u16::MAX)), "DEFGHIJKLMNO");
        assert_eq!(TicketFlags::from_bits_truncated(0xf801), TicketFlags::D.with(TicketFlags::O));
    }
}
