//! Times for people.

use crate::mikey::NtpTime;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// RFC 3339 in UTC to the second, or the seconds since 1900 where the calendar ends.
pub(super) fn date_time(time: NtpTime) -> String {
    let seconds = time.seconds();
    time.unix_seconds()
        .and_then(|unix| i64::try_from(unix).ok())
        .and_then(unix_text)
        .unwrap_or_else(|| format!("{seconds} s after 1900-01-01"))
}

/// RFC 3339 in UTC of Unix seconds; `None` outside the years 0 to 9999.
pub(super) fn unix_text(unix: i64) -> Option<String> {
    OffsetDateTime::from_unix_timestamp(unix).ok()?.format(&Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_rfc_3339() {
        assert_eq!(date_time(NtpTime::from_unix(1_621_257_916)), "2021-05-17T13:25:16Z");
        assert_eq!(date_time(NtpTime::from_unix(0)), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn what_has_no_date_is_still_named() {
        assert_eq!(date_time(NtpTime::from_seconds(5)), "5 s after 1900-01-01");
        assert_eq!(unix_text(i64::MAX), None);
    }
}
