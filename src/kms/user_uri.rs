//! Which texts are the URIs of users. They are hashed into identities as they stand, and compared octet by octet with those in tokens
//! and requests: one that is written otherwise than everybody writes it would never be met.

use crate::kms_protocol::resource::MAX_USER_URI;
use std::net::Ipv6Addr;
use thiserror::Error;

/// Why a text is not the URI of a user.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UriFault {
    /// More octets than a URI in a request can have.
    #[error("it has more than {MAX_USER_URI} octets")]
    TooLong,
    /// No `scheme:`, or one with other characters than RFC 3986 3.1 has.
    #[error("it does not begin with a scheme such as sip:")]
    NoScheme,
    /// Upper-case letters in the scheme, which has none where others write it.
    #[error("its scheme is written in lower case, {0}:")]
    SchemeCase(String),
    /// A character that RFC 3986 has in no such place.
    #[error("it has {0:?}, which URIs have only escaped, if at all (RFC 3986)")]
    Character(char),
    /// A percent sign that escapes nothing.
    #[error("a percent sign in it stands before something else than two hex digits")]
    Escape,
    /// Nothing after the scheme.
    #[error("there is nothing after its scheme")]
    Empty,
    /// No host, nobody before the `@`, or two of these (RFC 3261 19.1.1).
    #[error("a SIP URI has the form sip:user@host, or sip:host")]
    Sip,
    /// No number (RFC 3966).
    #[error("a tel URI has the form tel:number, such as tel:+15550100")]
    Tel,
}

/// Checks the form of a user's URI: a SIP URI (RFC 3261), a tel URI (RFC 3966), or another absolute URI without fragment (RFC 3986), at most
/// [`MAX_USER_URI`] octets, its scheme in lower case.
///
/// # Errors
/// [`UriFault`].
///
/// ```
/// use mikey_sakke::kms::{UriFault, check_user_uri};
///
/// assert_eq!(check_user_uri("sip:alice@example.org"), Ok(()));
/// assert_eq!(check_user_uri("Sip:alice@example.org"), Err(UriFault::SchemeCase("sip".into())));
/// ```
pub fn check_user_uri(uri: &str) -> Result<(), UriFault> {
    if uri.len() > MAX_USER_URI {
        return Err(UriFault::TooLong);
    }
    let (scheme, rest) = uri.split_once(':').filter(|(scheme, _)| is_scheme(scheme)).ok_or(UriFault::NoScheme)?;
    if scheme.contains(|c: char| c.is_ascii_uppercase()) {
        return Err(UriFault::SchemeCase(scheme.to_ascii_lowercase()));
    }
    let is_sip = ["sip", "sips"].contains(&scheme);
    // Brackets are for the addresses of hosts, which only SIP has in identities.
    if let Some(other) = rest.chars().find(|c| !(is_uri_character(*c) || is_sip && "[]".contains(*c))) {
        return Err(UriFault::Character(other));
    }
    if !rest.split('%').skip(1).all(begins_with_hex) {
        return Err(UriFault::Escape);
    }
    match rest {
        "" => Err(UriFault::Empty),
        _ if is_sip && !is_sip_address(rest) => Err(UriFault::Sip),
        _ if scheme == "tel" && !is_number(rest) => Err(UriFault::Tel),
        _ => Ok(()),
    }
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet))
}

/// Unreserved, reserved but for those of fragments and brackets, and the percent sign.
fn is_uri_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/?%".contains(c)
}

fn begins_with_hex(text: &str) -> bool {
    matches!(text.as_bytes(), [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
}

/// `user@host` or `host`, with a port and parameters or without.
fn is_sip_address(rest: &str) -> bool {
    let (user, address) = match rest.split_once('@') {
        Some((user, address)) => (Some(user), address),
        None => (None, rest),
    };
    let is_user = |user: &str| !user.is_empty() && !user.starts_with(':') && !user.contains(['[', ']']);
    user.is_none_or(is_user) && !address.contains('@') && begins_with_host(address)
}

fn begins_with_host(address: &str) -> bool {
    const AFTER_HOST: [char; 3] = [':', ';', '?'];
    if let Some(literal) = address.strip_prefix('[') {
        return literal.split_once(']').is_some_and(|(address, after)| {
            address.parse::<Ipv6Addr>().is_ok() && (after.is_empty() || after.starts_with(AFTER_HOST))
        });
    }
    let host = address.split(AFTER_HOST).next().unwrap_or_default();
    // Underscores are in no host of RFC 3261, and in many a private network.
    !host.is_empty() && host.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-._".contains(&octet))
}

/// A global or a local number; short ones of a private network often lack the context that RFC 3966 wants.
fn is_number(rest: &str) -> bool {
    let number = rest.split(';').next().unwrap_or_default();
    let digits = number.strip_prefix('+').unwrap_or(number);
    let is_digit = |c: char| c.is_ascii_hexdigit() || "*%".contains(c);
    digits.contains(is_digit) && digits.chars().all(|c| is_digit(c) || "-.()".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_field_uses_is_taken() {
        for uri in [
            "sip:alice@example.org",
            "sip:Al/ice%20b@example.org",
            "sip:a,b@example.org",
            "sip:alice@example.org:5060;transport=tls",
            "sip:alice@example.org;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
            "sip:+15550100@example.org;user=phone",
            "sip:mcptt:alice@example.org",
            "sip:alice@[2001:db8::1]:5060",
            "sip:alice@mc_server",
            "sip:mcptt-server.example.org",
            "sips:gms@192.0.2.1",
            "tel:+1-555-0100",
            "tel:112",
            "tel:*100;phone-context=example.org",
            "tel:%23100",
            "mcptt:alice",
            "im:alice@example.org",
            "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
            "http://gms.example.org/a%b0",
            "x:y",
        ] {
            assert_eq!(check_user_uri(uri), Ok(()), "{uri}");
        }
    }

    #[test]
    fn each_fault_is_named() {
        use UriFault::*;
        let longest = format!("sip:{}@example.org", "a".repeat(MAX_USER_URI - 16));
        assert_eq!(check_user_uri(&longest), Ok(()));
        for (uri, fault) in [
            (format!("{longest}x").as_str(), TooLong),
            ("", NoScheme),
            ("alice", NoScheme),
            ("alice@example.org", NoScheme),
            (":x", NoScheme),
            ("1sip:x", NoScheme),
            (" sip:alice@example.org", NoScheme),
            ("s\u{131}p:alice@example.org", NoScheme),
            ("SIP:alice@example.org", SchemeCase("sip".into())),
            ("Tel:+15550100", SchemeCase("tel".into())),
            ("sip:a b@example.org", Character(' ')),
            ("sip:alice@example.org\u{a0}", Character('\u{a0}')),
            ("sip:a\u{0}@example.org", Character('\0')),
            ("sip:a\n", Character('\n')),
            ("sip:<alice@example.org>", Character('<')),
            ("sip:b\u{e9}@example.org", Character('\u{e9}')),
            ("sip:alice@example.org#1", Character('#')),
            ("http://[2001:db8::1]/alice", Character('[')),
            ("sip:a%zz@example.org", Escape),
            ("sip:a%4", Escape),
            ("sip:a%", Escape),
            ("sip:", Empty),
            ("sip:@example.org", Sip),
            ("sip::secret@example.org", Sip),
            ("sip:alice@", Sip),
            ("sip:alice@;user=phone", Sip),
            ("sip:alice@example.org@example.org", Sip),
            ("sip://alice@example.org/", Sip),
            ("sip:al[i]ce@example.org", Sip),
            ("sip:alice@[2001:db8::1", Sip),
            ("sip:alice@[alice]", Sip),
            ("sip:alice@[2001:db8::1]x", Sip),
            ("sip:alice@example,org", Sip),
            ("tel:alice", Tel),
            ("tel:+", Tel),
            ("tel:;phone-context=example.org", Tel),
        ] {
            assert_eq!(check_user_uri(uri), Err(fault), "{uri:?}");
        }
    }
}
