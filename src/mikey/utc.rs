use core::fmt;

use super::NtpTime;

const DAY: i64 = 86_400;
/// Days from 0000-03-01 to 1970-01-01 in the Gregorian calendar.
const DAYS_TO_1970: i64 = 719_468;
/// Days of 400 years, after which the calendar repeats.
const ERA: i64 = 146_097;
/// Seconds since 1970 of 10000-01-01, for which RFC 3339 has no form.
const END: i64 = 253_402_300_800;

/// A whole second that displays as RFC 3339 writes it in UTC, `2026-11-24T16:00:00Z`; after the year 9999, as a number of
/// seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Utc(i64);

impl Utc {
    /// A second counted from 1970-01-01T00:00:00Z.
    pub fn from_unix(seconds: u64) -> Self {
        Self(i64::try_from(seconds).unwrap_or(i64::MAX))
    }

    /// A second counted from 1900-01-01T00:00:00Z, of any era.
    pub fn from_ntp_seconds(seconds: u64) -> Self {
        let since_1970 = i128::from(seconds) - i128::from(NtpTime::UNIX_EPOCH);
        Self(i64::try_from(since_1970).unwrap_or(i64::MAX))
    }
}

impl From<NtpTime> for Utc {
    fn from(time: NtpTime) -> Self {
        Self::from_ntp_seconds(time.seconds())
    }
}

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 >= END {
            return write!(f, "{} s after 1970-01-01", self.0);
        }
        let (days, second) = (self.0.div_euclid(DAY) + DAYS_TO_1970, self.0.rem_euclid(DAY));
        // Years that begin in March end with the day that comes and goes.
        let (era, day) = (days.div_euclid(ERA), days.rem_euclid(ERA));
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day_of_year = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
        let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        let year = 400 * era + year + next_year;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day_of_month:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn seconds_are_dates() {
        for (seconds, date) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_393_144_754, "2014-02-23T08:39:14Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
            (253_402_300_800, "253402300800 s after 1970-01-01"),
            (u64::MAX, "9223372036854775807 s after 1970-01-01"),
        ] {
            assert_eq!(Utc::from_unix(seconds).to_string(), date);
        }
    }

    #[test]
    fn the_seconds_of_ntp_count_from_1900() {
        assert_eq!(Utc::from_ntp_seconds(0).to_string(), "1900-01-01T00:00:00Z");
        assert_eq!(Utc::from_ntp_seconds(2_592_000).to_string(), "1900-01-31T00:00:00Z");
        assert_eq!(Utc::from(NtpTime::from_unix(1_700_000_000)).to_string(), "2023-11-14T22:13:20Z");
        assert_eq!(Utc::from(NtpTime::from_bits(0)).to_string(), "2036-02-07T06:28:16Z");
    }
}
