use mikey_sakke::mikey::{NtpTime, Utc};
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A point in time as people write it, for example `2026-11-24T16:00:00Z`.
pub fn parse(text: &str) -> Result<NtpTime, String> {
    let time = OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|error| format!("{error}; write it like 2026-11-24T16:00:00Z"))?;
    let seconds = u64::try_from(time.unix_timestamp()).map_err(|_| "a time from 1970 on is needed".to_owned())?;
    let time = NtpTime::from_unix(seconds);
    match time.unix_seconds() {
        Some(held) if held == seconds => Ok(time),
        _ => Err("a time before 2104-02-26T09:42:24Z is needed: later ones have no NTP timestamp".to_owned()),
    }
}

/// The same for where the life of a key begins or ends.
pub fn parse_limit(text: &str) -> Result<NtpTime, String> {
    match parse(text)? {
        time if time.unix_seconds() == Some(0) => {
            Err("this very second stands for no limit: leave the option out, or name another".to_owned())
        }
        time => Ok(time),
    }
}

/// `time` for people: `2026-11-24T16:00:00Z`.
pub fn display(time: NtpTime) -> String {
    display_ntp(time.seconds())
}

/// The same for seconds since 1900, of any year.
pub fn display_ntp(seconds: u64) -> String {
    Utc::from_ntp_seconds(seconds).to_string()
}

/// The same for seconds since 1970.
pub fn display_unix(seconds: u64) -> String {
    Utc::from_unix(seconds).to_string()
}

/// The same for a time since 1970 with its fraction of a second.
pub fn display_since_1970(time: Duration) -> String {
    i128::try_from(time.as_nanos())
        .ok()
        .and_then(|nanoseconds| OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok())
        .map_or_else(|| format!("{} s after 1970-01-01", time.as_secs()), display_date)
}

/// The same for a date.
pub fn display_date(date: OffsetDateTime) -> String {
    date.format(&Rfc3339).unwrap_or_else(|_| date.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_text() {
        let time = parse("2014-02-23T08:39:14Z").unwrap();
        assert_eq!(time.seconds(), 0xD6B4_3232);
        assert_eq!(display(time), "2014-02-23T08:39:14Z");
    }

    #[test]
    fn times_that_a_timestamp_cannot_hold_are_not_folded() {
        assert_eq!(display_ntp(2_592_000), "1900-01-31T00:00:00Z");
        assert_eq!(display_ntp(u64::MAX), "9223372036854775807 s after 1970-01-01");
    }

    #[test]
    fn a_time_that_is_no_time_says_how_to_write_one() {
        assert!(parse("tomorrow").unwrap_err().contains("2026-11-24T16:00:00Z"));
        assert_eq!(parse("1969-12-31T23:59:59Z").unwrap_err(), "a time from 1970 on is needed");
    }

    #[test]
    fn times_that_would_be_taken_for_others_are_refused() {
        assert_eq!(display(parse("2104-02-26T09:42:23Z").unwrap()), "2104-02-26T09:42:23Z");
        for later in ["2104-02-26T09:42:24Z", "2105-01-01T00:00:00Z", "2200-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
            assert!(parse(later).unwrap_err().contains("2104-02-26"), "{later}");
        }
        assert!(parse_limit("1970-01-01T00:00:00Z").unwrap_err().contains("no limit"));
        assert_eq!(parse_limit("1970-01-01T00:00:01Z").unwrap().unix_seconds(), Some(1));
    }
}
