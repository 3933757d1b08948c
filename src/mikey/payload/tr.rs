use alloc::vec::Vec;

use super::Timestamp;
use crate::mikey::Error;
use crate::mikey::codec::Reader;
use crate::mikey::registry::registry;

registry! {
    /// What a timestamp of a ticket policy is (RFC 6043 6.4).
    TsRole {
        ISSUE = 1, "time of issue, TRi";
        START = 2, "start of validity period, TRs";
        END = 3, "end of validity period, TRe";
        REKEYING_INTERVAL = 4, "rekeying interval, TRr";
    }
}

/// TR, a timestamp with its role (RFC 6043 6.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tr {
    /// What the timestamp is.
    pub role: TsRole,
    /// The timestamp.
    pub timestamp: Timestamp,
}

impl Tr {
    /// A timestamp in this role.
    pub const fn new(role: TsRole, timestamp: Timestamp) -> Self {
        Self { role, timestamp }
    }

    pub(super) const fn body_len(self) -> usize {
        1 + self.timestamp.body_len()
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let role = TsRole(reader.octet("TR TS Role")?);
        Ok(Self { role, timestamp: Timestamp::read(reader)? })
    }

    pub(super) fn write(self, out: &mut Vec<u8>) -> Result<(), Error> {
        out.push(self.role.0);
        self.timestamp.write(out)
    }
}

#[cfg(test)]
mod tests {
    use super::super::PayloadType;
    use super::super::testing::{HEADER_LEN, assert_form, parse_error};
    use super::*;
    use crate::mikey::NtpTime;

    #[test]
    fn role_and_timestamp() {
        let start = Tr::new(TsRole::START, Timestamp::NtpUtc32(0xD6B4_3232));
        assert_form(start, &[0, 2, 3, 0xD6, 0xB4, 0x32, 0x32]);
        let time = Timestamp::NtpUtc(NtpTime::from_bits(7));
        assert_form(Tr::new(TsRole(200), time), &[0, 200, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
    }

    #[test]
    fn unknown_types_and_wrong_lengths_are_refused() {
        let error = parse_error(PayloadType::TR, &[0, 1, 9, 0, 0, 0, 0]);
        assert_eq!(error, Error::UnknownTimestampType { offset: HEADER_LEN + 2, found: 9 });
        let error = parse_error(PayloadType::TR, &[0, 1, 3, 0]);
        assert_eq!(error, Error::Truncated { field: "T NTP seconds", offset: HEADER_LEN + 3, expected: 4, found: 1 });
    }
}
