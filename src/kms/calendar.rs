//! The system's clock in the forms that documents, key periods and the database have.

use crate::mikey::NtpTime;
use std::time::{SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;

/// Seconds from 1900 to 1970.
const NTP_OFFSET: u64 = 2_208_988_800;

/// Seconds since 1970; 0 before.
pub(super) fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

pub(super) fn ntp(time: SystemTime) -> NtpTime {
    NtpTime::from_unix(unix_seconds(time))
}

/// UTC in whole seconds, as the documents have it.
pub(super) fn date(time: SystemTime) -> OffsetDateTime {
    let date = OffsetDateTime::from(time);
    date.replace_nanosecond(0).unwrap_or(date)
}

/// The date that lies so many seconds after 1900, unless it is before 1970 or after 9999.
pub(super) fn date_of_ntp_seconds(seconds: u64) -> Option<OffsetDateTime> {
    let unix = i64::try_from(seconds.checked_sub(NTP_OFFSET)?).ok()?;
    OffsetDateTime::from_unix_timestamp(unix).ok()
}
