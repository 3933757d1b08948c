use core::cmp::Ordering;

const ERA: u64 = 1 << 32;
const TOP_BIT: u64 = 1 << 63;

/// A 64-bit NTP timestamp: 32 bits of seconds since 1900-01-01T00:00:00Z, 32 bits of fraction (RFC 5905 6).
///
/// The 32 bits of seconds wrap on 2036-02-07T06:28:16Z. By the convention of RFC 4330 3, a timestamp with its top bit
/// set belongs to the first era (1968-01-20 to 2036-02-07), any other to the second (2036-02-07 to 2104-02-26).
/// [`seconds`](Self::seconds) unfolds it so; ordering follows the unfolded time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NtpTime(u64);

impl NtpTime {
    /// Seconds from 1900-01-01 to 1970-01-01.
    pub const UNIX_EPOCH: u64 = 2_208_988_800;

    /// The timestamp that these 64 bits mean on the wire.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The 64 bits as they go on the wire.
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The timestamp of a whole second counted from 1900, of either era.
    ///
    /// The format holds no more than the 136 years from 1968-01-20 to 2104-02-26; a time outside them folds into them.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds << 32)
    }

    /// The timestamp of a whole second counted from 1970, at most 2104-02-26 (see [`from_seconds`](Self::from_seconds)).
    pub const fn from_unix(seconds: u64) -> Self {
        Self::from_seconds(seconds.wrapping_add(Self::UNIX_EPOCH))
    }

    /// Whole seconds since 1900, with the era unfolded: between 2^31 and 2^32 + 2^31.
    pub const fn seconds(self) -> u64 {
        let seconds = self.0 >> 32;
        if self.0 & TOP_BIT == 0 { seconds + ERA } else { seconds }
    }

    /// Whole seconds since 1970, or `None` for a time before.
    pub const fn unix_seconds(self) -> Option<u64> {
        self.seconds().checked_sub(Self::UNIX_EPOCH)
    }
}

impl Ord for NtpTime {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.0 ^ TOP_BIT).cmp(&(other.0 ^ TOP_BIT))
    }
}

impl PartialOrd for NtpTime {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_ts_33_180_annex_d() {
        // 2014-02-23T08:39:14Z
        assert_eq!(NtpTime::from_unix(1_393_144_754).to_bits(), 0xD6B4_3232_0000_0000);
        let time = NtpTime::from_bits(0xD6B4_3232_0000_0000);
        assert_eq!(time.seconds(), 3_602_133_554);
        assert_eq!(time.unix_seconds(), Some(1_393_144_754));
        assert_eq!(NtpTime::from_seconds(3_602_133_554), time);
    }

    #[test]
    fn seconds_count_on_across_the_end_of_the_first_era() {
        let last = NtpTime::from_seconds(0xFFFF_FFFF);
        let first = NtpTime::from_seconds(0x1_0000_0000);
        assert_eq!(last.to_bits(), 0xFFFF_FFFF_0000_0000);
        assert_eq!(first.to_bits(), 0);
        assert_eq!(first.seconds(), last.seconds() + 1);
        assert_eq!(first.unix_seconds(), Some(2_085_978_496)); // 2036-02-07T06:28:16Z
        assert!(first > last);
        assert!(NtpTime::from_bits(1) > first);
    }

    #[test]
    fn the_format_reaches_from_1968_to_2104() {
        let earliest = NtpTime::from_bits(1 << 63);
        assert_eq!(earliest.seconds(), 1 << 31);
        assert_eq!(earliest.unix_seconds(), None);
        let latest = NtpTime::from_bits((1 << 63) - 1);
        assert_eq!(latest.seconds(), (1 << 32) + (1 << 31) - 1);
        assert!(latest > earliest);
    }
}
