use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::KeyValidity;
use crate::mikey::Error;
use crate::mikey::codec::{Reader, fits, of_length};
use crate::mikey::registry::closed_registry;

const NIBBLE: u8 = 0x0f;
const GROUPS: &str = "0 (OAKLEY 5), 1 (OAKLEY 1) or 2 (OAKLEY 2)";

closed_registry! {
    /// The Diffie-Hellman group, which gives a value its length (RFC 3830 6.4).
    DhGroup {
        Oakley5 = 0, "OAKLEY 5";
        Oakley1 = 1, "OAKLEY 1";
        Oakley2 = 2, "OAKLEY 2";
    }
}

impl DhGroup {
    /// Octets of a public value.
    pub const fn value_len(self) -> usize {
        match self {
            Self::Oakley5 => 192,
            Self::Oakley1 => 96,
            Self::Oakley2 => 128,
        }
    }
}

/// DH, a public Diffie-Hellman value (RFC 3830 6.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dh<'a> {
    group: DhGroup,
    value: Cow<'a, [u8]>,
    /// Four bits of no meaning: 0 when sent.
    pub reserved: u8,
    /// When the key is to be used.
    pub validity: KeyValidity<'a>,
}

impl<'a> Dh<'a> {
    /// A public value of this group.
    ///
    /// # Errors
    /// [`Error::WrongLength`] unless it has [`value_len`](DhGroup::value_len) octets.
    pub fn new(group: DhGroup, value: impl Into<Cow<'a, [u8]>>, validity: KeyValidity<'a>) -> Result<Self, Error> {
        let value = value.into();
        of_length(&value, group.value_len(), "DH-value")?;
        Ok(Self { group, value, reserved: 0, validity })
    }

    /// The group.
    pub const fn group(&self) -> DhGroup {
        self.group
    }

    /// The public value: a number, not known to be one of the group.
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// The same payload with all of its data owned.
    pub fn into_owned(self) -> Dh<'static> {
        Dh {
            group: self.group,
            value: Cow::Owned(self.value.into_owned()),
            reserved: self.reserved,
            validity: self.validity.into_owned(),
        }
    }

    pub(super) fn body_len(&self) -> usize {
        2 + self.value.len() + self.validity.data_len()
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let group = reader.known("DH-Group", GROUPS, DhGroup::from_number)?;
        let value = Cow::Borrowed(reader.take(group.value_len(), "DH-value")?);
        let offset = reader.position();
        let octet = reader.octet("DH reserved and KV")?;
        let validity = KeyValidity::read(octet & NIBBLE, offset, reader)?;
        Ok(Self { group, value, reserved: octet >> 4, validity })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let reserved = fits(self.reserved, NIBBLE, "DH reserved")?;
        out.push(self.group.number());
        out.extend_from_slice(&self.value);
        out.push(reserved << 4 | self.validity.type_number());
        self.validity.write_data(out)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::super::PayloadType;
    use super::super::testing::{HEADER_LEN, assert_form, build_error, parse_error};
    use super::*;

    fn oakley_1(validity: KeyValidity<'static>) -> Dh<'static> {
        Dh::new(DhGroup::Oakley1, vec![3; 96], validity).unwrap()
    }

    #[test]
    fn each_group_has_its_length() {
        for (group, length) in [(DhGroup::Oakley5, 192), (DhGroup::Oakley1, 96), (DhGroup::Oakley2, 128)] {
            let dh = Dh::new(group, vec![3; length], KeyValidity::Null).unwrap();
            assert_form(dh, &[vec![0, group.number()], vec![3; length], vec![0]].concat());
            let error = Dh::new(group, vec![3; length - 1], KeyValidity::Null).unwrap_err();
            assert_eq!(error, Error::WrongLength { field: "DH-value", found: length - 1, expected: length });
        }
    }

    #[test]
    fn reserved_bits_and_validity_share_an_octet() {
        let spi = oakley_1(KeyValidity::spi(vec![4, 5]));
        assert_form(spi.clone(), &[&[0, 1][..], &[3; 96], &[1, 2, 4, 5]].concat());
        assert_form(Dh { reserved: 15, ..spi }, &[&[0, 1][..], &[3; 96], &[0xf1, 2, 4, 5]].concat());
        let interval = KeyValidity::Interval { from: vec![1; 6].into(), to: vec![2; 6].into() };
        assert_form(oakley_1(interval), &[&[0, 1][..], &[3; 96], &[2, 6], &[1; 6], &[6], &[2; 6]].concat());
    }

    #[test]
    fn unknown_numbers_are_refused() {
        let unknown = |field, offset, found, expected| Error::UnknownNumber { field, offset, found, expected };
        let error = parse_error(PayloadType::DH, &[0, 3, 0]);
        assert_eq!(error, unknown("DH-Group", HEADER_LEN + 1, 3, "0 (OAKLEY 5), 1 (OAKLEY 1) or 2 (OAKLEY 2)"));
        let error = parse_error(PayloadType::DH, &[&[0, 1][..], &[3; 96], &[0xf3]].concat());
        assert_eq!(error, unknown("KV", HEADER_LEN + 98, 3, "0 (Null), 1 (SPI) or 2 (Interval)"));
        let error = build_error(Dh { reserved: 16, ..oakley_1(KeyValidity::Null) });
        assert_eq!(error, Error::OutOfRange { field: "DH reserved", found: 16, limit: 15 });
    }
}
