//! Dates of times that are counted from 1900, as key periods are.

use crate::mikey::NtpTime;
use time::OffsetDateTime;

/// The date, UTC, that lies so many seconds after 1900-01-01T00:00:00Z; `None` after the year 9999.
///
/// Unlike an [`NtpTime`], which folds every time into the years 1968 to 2104, this is exact.
pub fn ntp_date(seconds: u64) -> Option<OffsetDateTime> {
    let unix = i128::from(seconds) - i128::from(NtpTime::UNIX_EPOCH);
    OffsetDateTime::from_unix_timestamp(i64::try_from(unix).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn dates_count_from_1900_without_folding() {
        assert_eq!(ntp_date(0), Some(datetime!(1900-01-01 00:00:00 UTC)));
        assert_eq!(ntp_date(2_208_988_800), Some(datetime!(1970-01-01 00:00:00 UTC)));
        assert_eq!(ntp_date(1 << 33), Some(datetime!(2172-03-15 12:56:32 UTC)));
        assert_eq!(ntp_date(u64::MAX), None);
        assert_eq!(ntp_date(1 << 40), None);
    }
}
