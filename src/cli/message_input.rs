use super::failure::{Advise, Context, Failure};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use std::io::Read;
use std::path::Path;

const FORMS: &str =
    "A message may be given as base64, `mikey BASE64`, an SDP a=key-mgmt line or a whole SDP body, hex, or binary.";

/// No message that a network carries is longer; it keeps a mistaken file name from filling the memory.
const LONGEST: u64 = 1 << 20;

/// Reads a MIKEY message from `file`, or from standard input if it is `-` or absent, in whatever form it comes.
pub fn read(file: Option<&Path>) -> Result<Vec<u8>, Failure> {
    let file = file.filter(|path| path.as_os_str() != "-");
    let name = file.map_or_else(|| "standard input".to_owned(), |path| path.display().to_string());
    let octets = octets(file).context(format_args!("cannot read {name}"))?;
    decode(&octets).map_err(|what| Failure::new(format!("{name} holds no message: {what}"))).advise(FORMS)
}

fn octets(file: Option<&Path>) -> std::io::Result<Vec<u8>> {
    let source: Box<dyn Read> = match file {
        Some(path) => Box::new(std::fs::File::open(path)?),
        None => Box::new(std::io::stdin().lock()),
    };
    let mut octets = Vec::new();
    source.take(LONGEST + 1).read_to_end(&mut octets)?;
    Ok(octets)
}

/// The octets of the message in `input`, whatever form it has.
fn decode(input: &[u8]) -> Result<Vec<u8>, String> {
    if u64::try_from(input.len()).is_ok_and(|length| length > LONGEST) {
        return Err(format!("it is longer than {LONGEST} octets"));
    }
    let text = match std::str::from_utf8(input) {
        Ok(text) if text.chars().all(|character| !character.is_control() || character.is_whitespace()) => text.trim(),
        _ => return Ok(input.to_vec()),
    };
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    if text.contains("key-mgmt:") {
        return first_of_sdp(text);
    }
    let text = strip_protocol(text);
    let compact: String = text.split_whitespace().collect();
    if compact.len().is_multiple_of(2) && compact.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return from_hex(&compact);
    }
    from_base64(&compact)
}

/// The first message of an SDP body, or of one of its lines, that can be read.
fn first_of_sdp(text: &str) -> Result<Vec<u8>, String> {
    let mut fault = None;
    for line in text.lines().map(str::trim) {
        let Some(value) = line.strip_prefix("a=").unwrap_or(line).strip_prefix("key-mgmt:") else { continue };
        let value = value.trim_start();
        // What is not for MIKEY has no such prefix.
        let message = strip_protocol(value);
        if message.len() == value.len() {
            continue;
        }
        match from_base64(message.trim()) {
            Ok(message) => return Ok(message),
            Err(error) => _ = fault.get_or_insert(error),
        }
    }
    Err(fault.unwrap_or_else(|| "its key-mgmt lines are not for MIKEY".to_owned()))
}

/// With or without padding.
fn from_base64(text: &str) -> Result<Vec<u8>, String> {
    let form = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&STANDARD, form).decode(text).map_err(|error| format!("not base64: {error}"))
}

/// Removes the protocol's name of `mikey BASE64` (RFC 4567 3).
fn strip_protocol(text: &str) -> &str {
    match text.split_at_checked(5) {
        Some((protocol, rest)) if protocol.eq_ignore_ascii_case("mikey") && rest.starts_with(char::is_whitespace) => {
            rest
        }
        _ => text,
    }
}

/// The octets that an even number of hexadecimal digits stands for.
pub fn from_hex(digits: &str) -> Result<Vec<u8>, String> {
    if !digits.len().is_multiple_of(2) {
        return Err(format!("an odd number of hexadecimal digits, {}", digits.len()));
    }
    let value = |digit: u8| {
        char::from(digit)
            .to_digit(16)
            .and_then(|value| u8::try_from(value).ok())
            .ok_or_else(|| format!("{:?} is no hexadecimal digit", char::from(digit)))
    };
    digits
        .as_bytes()
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Ok(value(*high)? << 4 | value(*low)?),
            _ => Err("an odd number of hexadecimal digits".to_owned()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: [u8; 4] = [0x01, 0x1a, 0x05, 0x81];

    #[test]
    fn every_form_gives_the_same_octets() {
        let forms: [&[u8]; 12] = [
            b"ARoFgQ==",
            b"ARoFgQ",
            b"a=key-mgmt:mikey ARoFgQ",
            b"v=0\na=key-mgmt:mikey\na=key-mgmt:keyp x\na=key-mgmt:mikey A!\na=key-mgmt: mikey ARoFgQ==\n",
            b"key-mgmt:MIKEY ARoFgQ==",
            b"ARoF\r\n  gQ==\n",
            b"mikey ARoFgQ==",
            b"011a0581",
            b"01 1A 05 81\n",
            b"a=key-mgmt:mikey ARoFgQ==\r\n",
            b"v=0\r\ns=-\r\na=key-mgmt:mikey ARoFgQ==\r\nm=audio 9 RTP/SAVP 96\r\n",
            &MESSAGE,
        ];
        for form in forms {
            assert_eq!(decode(form).unwrap(), MESSAGE, "{}", String::from_utf8_lossy(form));
        }
    }

    #[test]
    fn what_is_no_message_says_why() {
        assert_eq!(decode(b" \n").unwrap_err(), "it is empty");
        assert!(decode(b"not a message!").unwrap_err().starts_with("not base64"));
        assert!(decode(b"a=key-mgmt:mikey A!\na=key-mgmt:keyp x").unwrap_err().starts_with("not base64"));
        assert_eq!(decode(b"a=key-mgmt:keyp ARoFgQ==").unwrap_err(), "its key-mgmt lines are not for MIKEY");
    }

    #[test]
    fn what_is_too_long_is_not_cut() {
        let long = vec![b'A'; 1 << 20];
        assert_eq!(decode(&long).unwrap(), vec![0xaa; 1 << 19]);
        let longer = [&long[..], b"A"].concat();
        assert_eq!(decode(&longer).unwrap_err(), "it is longer than 1048576 octets");
    }

    #[test]
    fn odd_or_foreign_hex_digits_are_refused() {
        assert!(from_hex("012").unwrap_err().contains("odd number"));
        assert_eq!(from_hex("0g").unwrap_err(), "'g' is no hexadecimal digit");
    }
}
