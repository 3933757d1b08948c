use alloc::vec::Vec;

use crate::mikey::codec::Reader;
use crate::mikey::{Error, NtpTime};

const NTP_UTC: u8 = 0;
const NTP: u8 = 1;
const COUNTER: u8 = 2;
const NTP_UTC_32: u8 = 3;

/// T, the time or counter at which the message was made (RFC 3830 6.6, RFC 6043 6.3). The variant is the TS type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Timestamp {
    /// Type 0, NTP-UTC: NTP time of a clock set to UTC.
    NtpUtc(NtpTime),
    /// Type 1, NTP: NTP time of a clock of its own.
    Ntp(NtpTime),
    /// Type 2, COUNTER: counts messages to the same receiver.
    Counter(u32),
    /// Type 3, NTP-UTC-32: the whole seconds of NTP-UTC alone (RFC 6043 6.3).
    NtpUtc32(u32),
}

impl Timestamp {
    /// The registered number of the TS type.
    pub const fn type_number(self) -> u8 {
        match self {
            Self::NtpUtc(_) => NTP_UTC,
            Self::Ntp(_) => NTP,
            Self::Counter(_) => COUNTER,
            Self::NtpUtc32(_) => NTP_UTC_32,
        }
    }

    /// The name of the TS type.
    pub const fn type_name(self) -> &'static str {
        match self {
            Self::NtpUtc(_) => "NTP-UTC",
            Self::Ntp(_) => "NTP",
            Self::Counter(_) => "COUNTER",
            Self::NtpUtc32(_) => "NTP-UTC-32",
        }
    }

    pub(super) const fn body_len(self) -> usize {
        match self {
            Self::NtpUtc(_) | Self::Ntp(_) => 9,
            Self::Counter(_) | Self::NtpUtc32(_) => 5,
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let offset = reader.position();
        let ntp = |reader: &mut Reader<'_>| reader.array("T NTP time").map(u64::from_be_bytes).map(NtpTime::from_bits);
        match reader.octet("T TS type")? {
            NTP_UTC => ntp(reader).map(Self::NtpUtc),
            NTP => ntp(reader).map(Self::Ntp),
            COUNTER => reader.u32("T counter").map(Self::Counter),
            NTP_UTC_32 => reader.u32("T NTP seconds").map(Self::NtpUtc32),
            found => Err(Error::UnknownTimestampType { offset, found }),
        }
    }

    pub(super) fn write(self, out: &mut Vec<u8>) -> Result<(), Error> {
        out.push(self.type_number());
        match self {
            Self::NtpUtc(time) | Self::Ntp(time) => out.extend_from_slice(&time.to_bits().to_be_bytes()),
            Self::Counter(number) | Self::NtpUtc32(number) => out.extend_from_slice(&number.to_be_bytes()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::PayloadType;
    use super::super::testing::{HEADER_LEN, assert_form, parse_error};
    use super::*;

    #[test]
    fn each_type_has_its_length() {
        let time = NtpTime::from_bits(0xD6B4_3232_0000_0000);
        assert_form(Timestamp::NtpUtc(time), &[0, 0, 0xD6, 0xB4, 0x32, 0x32, 0, 0, 0, 0]);
        assert_form(Timestamp::Ntp(time), &[0, 1, 0xD6, 0xB4, 0x32, 0x32, 0, 0, 0, 0]);
        assert_form(Timestamp::Counter(0x0102_0304), &[0, 2, 1, 2, 3, 4]);
        assert_form(Timestamp::NtpUtc32(0xD6B4_3232), &[0, 3, 0xD6, 0xB4, 0x32, 0x32]);
    }

    #[test]
    fn an_unknown_type_is_refused() {
        let error = parse_error(PayloadType::T, &[0, 4, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(error, Error::UnknownTimestampType { offset: HEADER_LEN + 1, found: 4 });
    }

    #[test]
    fn a_time_with_the_length_of_a_counter_is_refused() {
        let error = parse_error(PayloadType::T, &[0, 0, 1, 2, 3, 4]);
        let expected = Error::Truncated { field: "T NTP time", offset: HEADER_LEN + 2, expected: 8, found: 4 };
        assert_eq!(error, expected);
    }
}
