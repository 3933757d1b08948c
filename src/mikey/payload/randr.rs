use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::mikey::Error;
use crate::mikey::codec::{Reader, put_data_8};
use crate::mikey::registry::registry;

registry! {
    /// Who made the random octets of RANDR (RFC 6043 6.8).
    RandRole {
        INITIATOR = 1, "initiator, RANDRi";
        RESPONDER = 2, "responder, RANDRr";
        KMS = 3, "KMS, RANDRkms";
    }
}

/// RANDR, random octets with the role of who made them (RFC 6043 6.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Randr<'a> {
    /// Who made them.
    pub role: RandRole,
    /// The random octets, at most 255.
    pub octets: Cow<'a, [u8]>,
}

impl<'a> Randr<'a> {
    /// Random octets of this role.
    pub fn new(role: RandRole, octets: impl Into<Cow<'a, [u8]>>) -> Self {
        Self { role, octets: octets.into() }
    }

    /// The same payload with all of its data owned.
    pub fn into_owned(self) -> Randr<'static> {
        Randr { role: self.role, octets: Cow::Owned(self.octets.into_owned()) }
    }

    pub(super) fn body_len(&self) -> usize {
        2 + self.octets.len()
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let role = RandRole(reader.octet("RANDR RAND Role")?);
        Ok(Self { role, octets: Cow::Borrowed(reader.data_8("RANDR RAND")?) })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        out.push(self.role.0);
        put_data_8(out, &self.octets, "RANDR RAND")
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::super::PayloadType;
    use super::super::testing::{HEADER_LEN, assert_form, build_error, parse_error};
    use super::*;

    #[test]
    fn role_length_and_octets() {
        assert_form(Randr::new(RandRole::KMS, vec![0xaa, 0xbb]), &[0, 3, 2, 0xaa, 0xbb]);
        assert_form(Randr::new(RandRole(99), vec![]), &[0, 99, 0]);
    }

    #[test]
    fn wrong_lengths_are_refused() {
        let error = parse_error(PayloadType::RANDR, &[0, 1, 3, 1, 2]);
        assert_eq!(error, Error::Truncated { field: "RANDR RAND", offset: HEADER_LEN + 3, expected: 3, found: 2 });
        let error = parse_error(PayloadType::RANDR, &[0, 1, 1, 1, 2]);
        assert_eq!(error, Error::TrailingOctets { offset: HEADER_LEN + 4, count: 1 });
        let error = build_error(Randr::new(RandRole::KMS, vec![0; 256]));
        assert_eq!(error, Error::TooLong { field: "RANDR RAND", found: 256, limit: 255 });
    }
}
