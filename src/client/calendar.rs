//! Times for people, and times from documents.

use crate::kms_protocol;
use crate::mikey::NtpTime;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// 2104-02-26, where 64-bit NTP timestamps end, in Unix seconds.
const NTP_END: i64 = 4_233_462_144;

/// RFC 3339 in UTC to the second.
pub(super) fn date_time(time: NtpTime) -> String {
    ntp_date(time.seconds())
}

/// RFC 3339 in UTC of seconds since 1900.
pub(super) fn ntp_date(seconds: u64) -> String {
    kms_protocol::ntp_date(seconds).and_then(text).unwrap_or_else(|| format!("{seconds} s after 1900"))
}

/// RFC 3339 in UTC of Unix seconds.
pub(super) fn unix_date(unix: i64) -> String {
    let date = OffsetDateTime::from_unix_timestamp(unix).ok();
    date.and_then(text).unwrap_or_else(|| format!("{unix} s after 1970"))
}

/// `None` outside the years that RFC 3339 has.
fn text(date: OffsetDateTime) -> Option<String> {
    date.format(&Rfc3339).ok()
}

/// Unix seconds as an NTP timestamp; `None` outside 1970 to 2104, which it could not tell from a time inside.
pub(super) fn ntp_time(unix: i64) -> Option<NtpTime> {
    u64::try_from(unix).ok().filter(|_| unix < NTP_END).map(NtpTime::from_unix)
}

/// The same moment as Unix seconds, 0 before 1970.
pub(super) fn unix_seconds(time: NtpTime) -> i64 {
    time.unix_seconds().and_then(|seconds| i64::try_from(seconds).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_rfc_3339() {
        assert_eq!(date_time(NtpTime::from_unix(1_621_257_916)), "2021-05-17T13:25:16Z");
        assert_eq!(ntp_date(0), "1900-01-01T00:00:00Z");
        assert_eq!(unix_date(0), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn what_has_no_date_is_still_named() {
        assert_eq!(ntp_date(u64::MAX), "18446744073709551615 s after 1900");
        assert_eq!(unix_date(i64::MAX), "9223372036854775807 s after 1970");
    }

    #[test]
    fn timestamps_do_not_fold_times_that_they_cannot_hold() {
        assert_eq!(ntp_time(NTP_END - 1).and_then(NtpTime::unix_seconds), u64::try_from(NTP_END - 1).ok());
        for unix in [NTP_END, i64::MAX, -1, i64::MIN] {
            assert_eq!(ntp_time(unix), None, "{unix}");
        }
    }
}
