//! Texts: what people paste.
use super::{Collector, Fault, Form, Found, Origin, Remark, hex_dump, reader, rtsp, sdp, sip, start_line};
use base64::Engine;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

/// Every message of an input that is no capture.
pub(super) fn read(input: &[u8]) -> Found {
    let mut found = Collector::new(input.len());
    read_into(input, &mut found);
    found.into_found()
}

fn read_into(input: &[u8], found: &mut Collector) {
    if start_line::begins(input.trim_ascii_start()) {
        return sip::read_all(input.trim_ascii_start(), &Origin::default(), found);
    }
    if sdp::is_in(input) {
        return sdp::read(input, &Origin::of(Form::Sdp), found);
    }
    match std::str::from_utf8(input) {
        Ok(text) if text.chars().all(|character| !character.is_control() || character.is_whitespace()) => {
            read_text(text.trim(), found);
        }
        _ => reader::octets(input, Form::Binary, found),
    }
}

fn read_text(text: &str, found: &mut Collector) {
    if rtsp::read_header(text, found) {
        return;
    }
    if hex_dump::is_one(text) {
        match hex_dump::parse(text) {
            Ok(blocks) => reader::blocks(&blocks, found),
            Err(fault) => found.fault(fault, &Origin::of(Form::HexDump)),
        }
        return;
    }
    let text = sdp::message(text.as_bytes()).unwrap_or(text.as_bytes());
    let compact: Vec<u8> = text.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
    if compact.len().is_multiple_of(2) && compact.iter().all(u8::is_ascii_hexdigit) {
        match from_hex(&compact) {
            Ok(octets) => reader::octets(&octets, Form::Hex, found),
            Err(fault) => found.fault(fault, &Origin::of(Form::Hex)),
        }
        return;
    }
    match from_base64(&compact) {
        Ok((octets, remarks)) => found.add(octets, remarks, Origin::of(Form::Base64)),
        Err(fault) => found.fault(fault, &Origin::of(Form::Base64)),
    }
}

/// Base64 with or without padding, and what deviates in it.
pub(super) fn from_base64(text: &[u8]) -> Result<(Vec<u8>, Vec<Remark>), Fault> {
    let form = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let octets =
        GeneralPurpose::new(&ALPHABET, form).decode(text).map_err(|error| Fault::Base64 { why: error.to_string() })?;
    let canonical = STANDARD.encode(&octets);
    let mut remarks = Vec::new();
    if canonical.len() != text.len() {
        remarks.push(Remark::Unpadded);
    }
    if !canonical.as_bytes().starts_with(text.strip_suffix(b"==").or(text.strip_suffix(b"=")).unwrap_or(text)) {
        remarks.push(Remark::TrailingBits);
    }
    Ok((octets, remarks))
}

/// The octets that an even number of hexadecimal digits stands for.
///
/// # Errors
/// [`Fault::OddDigits`], [`Fault::HexDigit`].
pub fn from_hex(digits: &[u8]) -> Result<Vec<u8>, Fault> {
    let odd = Fault::OddDigits { count: digits.len() };
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(odd);
    }
    let value = |digit: u8| {
        let found = char::from(digit);
        found.to_digit(16).and_then(|value| u8::try_from(value).ok()).ok_or(Fault::HexDigit { found })
    };
    pairs.iter().map(|[high, low]| Ok(value(*high)? << 4 | value(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Error, read};

    const MESSAGE: [u8; 4] = [0x01, 0x1a, 0x05, 0x81];

    #[test]
    fn every_form_gives_the_same_octets() {
        let forms: [&[u8]; 17] = [
            b"ARoFgQ==",
            b"ARoFgQ",
            b"a=key-mgmt:mikey ARoFgQ",
            b"v=0\na=key-mgmt:mikey\na=key-mgmt:keyp x\na=key-mgmt:mikey A!\na=key-mgmt: mikey ARoFgQ==\n",
            b"key-mgmt:MIKEY ARoFgQ==",
            b"ARoF\r\n  gQ==\n",
            b"mikey ARoFgQ==",
            b"KeyMgmt: prot=mikey; uri=\"rtsp://a/b\"; data=\"ARoFgQ==\"\r\n",
            b"keymgmt:prot=mikey;\n data=ARoFgQ",
            b"011a0581",
            b"01 1A 05 81\n",
            b"a=key-mgmt:mikey ARoFgQ==\r\n",
            b"v=0\r\ns=-\r\na=key-mgmt:mikey ARoFgQ==\r\nm=audio 9 RTP/SAVP 96\r\n",
            &MESSAGE,
            b"00000000: 011a 0581                                ....\n",
            b"00000000  01 1a 05 81                                       |....|\n00000004\n",
            b"0000   01 1a 05 81                                       ....\n",
        ];
        for form in forms {
            let found = read(form).unwrap();
            assert_eq!(found.messages[0].octets, MESSAGE, "{}", String::from_utf8_lossy(form));
        }
    }

    #[test]
    fn what_is_no_message_says_why() {
        let why = |input: &[u8]| read(input).unwrap_err().to_string();
        assert_eq!(why(b" \n"), "it is empty");
        assert!(why(b"not a message!").starts_with("not base64"));
        assert!(why(b"a=key-mgmt:mikey A!\na=key-mgmt:keyp x").starts_with("key-mgmt line 1: not base64"));
        assert_eq!(why(b"a=key-mgmt:keyp ARoFgQ=="), "its key-mgmt lines are not for MIKEY");
        assert_eq!(why(b"v=0\na=key-mgmt:mikey"), "key-mgmt line 2: there is nothing after mikey");
    }

    #[test]
    fn what_is_too_long_is_not_cut() {
        let long = vec![b'A'; 1 << 20];
        assert_eq!(read(&long).unwrap().messages[0].octets, vec![0xaa; 1 << 19]);
        let longer = [&long[..], b"A"].concat();
        assert_eq!(read(&longer), Err(Error::TooLong { limit: 1 << 20 }));
    }

    #[test]
    fn odd_or_foreign_hex_digits_are_refused() {
        assert_eq!(from_hex(b"012"), Err(Fault::OddDigits { count: 3 }));
        assert_eq!(from_hex(b"0g").unwrap_err().to_string(), "'g' is no hexadecimal digit");
    }

    #[test]
    fn base64_that_is_not_canonical_is_read_and_remarked() {
        let remarks = |text: &[u8]| from_base64(text).unwrap().1;
        assert_eq!(remarks(b"ARoFgQ=="), []);
        assert_eq!(remarks(b"ARoF"), []);
        assert_eq!(remarks(b"ARoFgQ"), [Remark::Unpadded]);
        assert_eq!(remarks(b"ARoFgR=="), [Remark::TrailingBits]);
        assert_eq!(remarks(b"ARoFgR"), [Remark::Unpadded, Remark::TrailingBits]);
    }
}
