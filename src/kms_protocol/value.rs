//! The text forms of single values: what is read, and what is written.

use crate::cut::cut;
use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use time::{Date, Month, OffsetDateTime, Time, UtcOffset};
use zeroize::Zeroizing;

/// What a dateTime must look like.
pub(super) const TIME_FORM: &str = "a dateTime such as 2026-03-01T08:00:00Z";

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// At most 64 characters of a text, for an error.
pub(crate) fn excerpt(text: &str) -> String {
    cut(text, 64)
}

/// A dateTime of XML Schema; without a zone it is UTC. Years 0001 to 9999.
pub(super) fn parse_time(text: &str) -> Option<OffsetDateTime> {
    let (date, time) = text.split_once('T')?;
    let (year, rest) = date.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let month = Month::try_from(u8::try_from(digits(month, 2)?).ok()?).ok()?;
    let date =
        Date::from_calendar_date(i32::try_from(digits(year, 4)?).ok()?, month, u8::try_from(digits(day, 2)?).ok()?)
            .ok()?;

    let zone_at = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (time, zone) = time.split_at_checked(zone_at)?;
    let (clock, fraction) = match time.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (time, None),
    };
    let (hour, rest) = clock.split_once(':')?;
    let (minute, second) = rest.split_once(':')?;
    let part = |text| u8::try_from(digits(text, 2)?).ok();
    let nanosecond = match fraction {
        Some(fraction) => nanoseconds(fraction)?,
        None => 0,
    };
    let (hour, minute, second) = (part(hour)?, part(minute)?, part(second)?);
    let midnight_after = hour == 24;
    if midnight_after && (minute, second, nanosecond) != (0, 0, 0) {
        return None;
    }
    let time = Time::from_hms_nano(if midnight_after { 0 } else { hour }, minute, second, nanosecond).ok()?;
    let date = if midnight_after { date.next_day()? } else { date };
    let time = date.with_time(time).assume_offset(zone_offset(zone)?).checked_to_offset(UtcOffset::UTC)?;
    (time.year() > 0).then_some(time)
}

/// Whether a dateTime says in which zone it is.
pub(super) fn has_zone(text: &str) -> bool {
    text.split_once('T').is_none_or(|(_, time)| time.contains(['Z', '+', '-']))
}

fn zone_offset(zone: &str) -> Option<UtcOffset> {
    if zone.is_empty() || zone == "Z" {
        return Some(UtcOffset::UTC);
    }
    let (sign, value) = match zone.strip_prefix('-') {
        Some(value) => (-1, value),
        None => (1, zone.strip_prefix('+')?),
    };
    let (hours, minutes) = value.split_once(':')?;
    let (hours, minutes) = (i8::try_from(digits(hours, 2)?).ok()?, i8::try_from(digits(minutes, 2)?).ok()?);
    if minutes > 59 || hours > 14 || (hours == 14 && minutes > 0) {
        return None;
    }
    UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok()
}

/// A number of exactly this many decimal digits.
fn digits(text: &str, count: usize) -> Option<u32> {
    if text.len() != count || !text.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// The fraction of a second; what is finer than a nanosecond is cut off.
fn nanoseconds(fraction: &str) -> Option<u32> {
    if fraction.is_empty() || !fraction.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    let first_nine: String = fraction.chars().chain(core::iter::repeat('0')).take(9).collect();
    first_nine.parse().ok()
}

/// A dateTime in UTC with `Z`, and a fraction where there is one.
pub(super) fn format_time(time: OffsetDateTime) -> String {
    let time = time.to_offset(UtcOffset::UTC);
    let mut text = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    );
    if time.nanosecond() != 0 {
        let fraction = format!(".{:09}", time.nanosecond());
        text.push_str(fraction.trim_end_matches('0'));
    }
    text.push('Z');
    text
}

/// A boolean of XML Schema.
pub(super) fn parse_boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// A non-negative integer of XML Schema below 2^64.
pub(super) fn parse_number(text: &str) -> Option<u64> {
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    unsigned.bytes().all(|octet| octet.is_ascii_digit()).then(|| unsigned.parse().ok()).flatten()
}

/// Octets as hex in either case or, if any character is none of hex, as base64; white space anywhere is passed over. The
/// kind of fault otherwise.
pub(super) fn parse_octets(text: &str) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let mut compact = Zeroizing::new(Vec::with_capacity(text.len()));
    compact.extend(text.bytes().filter(|octet| !octet.is_ascii_whitespace()));
    if compact.is_empty() {
        return Err("empty");
    }
    if compact.iter().all(u8::is_ascii_hexdigit) {
        if !compact.len().is_multiple_of(2) {
            return Err("hex with an odd number of digits");
        }
        let mut octets = Zeroizing::new(Vec::with_capacity(compact.len() / 2));
        octets.extend(compact.chunks_exact(2).map(|pair| pair.iter().fold(0, |octet, &c| octet << 4 | nibble(c))));
        return Ok(octets);
    }
    let mut octets = Zeroizing::new(vec![0; base64::decoded_len_estimate(compact.len())]);
    let len = BASE64.decode_slice(compact.as_slice(), &mut octets).map_err(|_| "neither hex nor base64")?;
    octets.truncate(len);
    Ok(octets)
}

/// The value of a hex digit; 0 for any other character.
fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}

/// Hex with these sixteen digits.
pub(super) fn format_hex(octets: &[u8], digits: &[u8; 16]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(octets.len() * 2));
    for octet in octets {
        for nibble in [octet >> 4, octet & 15] {
            text.push(digits.get(usize::from(nibble)).copied().map_or('0', char::from));
        }
    }
    text
}

pub(super) const UPPER_CASE: &[u8; 16] = b"0123456789ABCDEF";
pub(super) const LOWER_CASE: &[u8; 16] = b"0123456789abcdef";

/// Base64 with padding.
pub(super) fn format_base64(octets: &[u8]) -> String {
    BASE64.encode(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn times_with_zone_without_zone_and_with_fractions() {
        for (text, time) in [
            ("2021-05-10T11:23:02", datetime!(2021-05-10 11:23:02 UTC)),
            ("2021-05-10T11:23:02Z", datetime!(2021-05-10 11:23:02 UTC)),
            ("2021-05-10T11:23:02+02:00", datetime!(2021-05-10 09:23:02 UTC)),
            ("2021-05-10T23:23:02-05:30", datetime!(2021-05-11 04:53:02 UTC)),
            ("2021-05-10T11:23:02.5", datetime!(2021-05-10 11:23:02.5 UTC)),
            ("2021-05-10T11:23:02.1234567899Z", datetime!(2021-05-10 11:23:02.123456789 UTC)),
            ("2021-12-31T24:00:00Z", datetime!(2022-01-01 00:00:00 UTC)),
            ("2024-02-29T00:00:00Z", datetime!(2024-02-29 00:00:00 UTC)),
        ] {
            assert_eq!(parse_time(text), Some(time), "{text}");
        }
    }

    #[test]
    fn a_time_without_zone_is_known() {
        for (text, has_zone) in [
            ("2021-05-10T11:23:02", false),
            ("2021-05-10T11:23:02.5", false),
            ("2021-05-10T11:23:02Z", true),
            ("2021-05-10T11:23:02+02:00", true),
            ("2021-05-10T11:23:02-02:00", true),
        ] {
            assert_eq!(super::has_zone(text), has_zone, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "T",
            "2021-05-10",
            "2021-05-10 11:23:02",
            "2021-05-10T11:23",
            "21-05-10T11:23:02Z",
            "2021-5-10T11:23:02Z",
            "2021-02-29T11:23:02Z",
            "2021-13-01T11:23:02Z",
            "2021-05-10T25:00:00Z",
            "2021-05-10T24:00:01Z",
            "2021-05-10T11:60:02Z",
            "2021-05-10T11:23:02.Z",
            "2021-05-10T11:23:02.+1Z",
            "2021-05-10T11:23:02Zjunk",
            "2021-05-10T11:23:02+0200",
            "2021-05-10T11:23:02+15:00",
            "2021-05-10T11:23:02+01:60",
            "+021-05-10T11:23:02Z",
            "-2021-05-10T11:23:02Z",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T24:00:00Z",
            "9999-12-31T23:59:59-14:00",
            "２０21-05-10T11:23:02Z",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(format_time(datetime!(2021-05-10 11:23:02 +02:00)), "2021-05-10T09:23:02Z");
        assert_eq!(format_time(datetime!(0999-01-01 00:00:00.120 UTC)), "0999-01-01T00:00:00.12Z");
    }

    #[test]
    fn octets_in_hex_of_either_case_with_white_space_and_in_base64() {
        for text in ["04fA 10", " 04FA\n\t10 ", "BPoQ", "BP oQ\n"] {
            assert_eq!(parse_octets(text).unwrap().as_slice(), [0x04, 0xfa, 0x10], "{text}");
        }
        assert_eq!(parse_octets("BPo=").unwrap().as_slice(), [0x04, 0xfa]);
        assert_eq!(parse_octets("BPo").unwrap().as_slice(), [0x04, 0xfa]);
        assert_eq!(parse_octets(" "), Err("empty"));
        assert_eq!(parse_octets("04f"), Err("hex with an odd number of digits"));
        assert_eq!(parse_octets("04fx-"), Err("neither hex nor base64"));
        assert_eq!(parse_octets("\u{e9}"), Err("neither hex nor base64"));
    }

    #[test]
    fn numbers_and_booleans() {
        assert_eq!(parse_number("2592000"), Some(2_592_000));
        assert_eq!(parse_number("+007"), Some(7));
        for text in ["", "-1", "+-1", "1.0", "0x10", "18446744073709551616"] {
            assert_eq!(parse_number(text), None, "{text}");
        }
        assert_eq!(
            ["true", "1", "false", "0", "TRUE"].map(parse_boolean),
            [Some(true), Some(true), Some(false), Some(false), None]
        );
    }
}
