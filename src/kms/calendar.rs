//! The system's clock in the forms that documents, key periods and the database have.

use crate::kms_protocol::ntp_date;
use crate::mikey::NtpTime;
use std::time::{SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;

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
    ntp_date(seconds).filter(|date| *date >= OffsetDateTime::UNIX_EPOCH)
}
