use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::KeyValidity;
use crate::mikey::Error;
use crate::mikey::codec::{Reader, fits};
use crate::mikey::registry::closed_registry;

const NIBBLE: u8 = 0x0f;
const CURVES: &str = "1 (P-192) to 16 (K-571)";
const FORMS: &str = "0 (infinity), 2 or 3 (compressed) or 4 (uncompressed)";
/// Octets of the sub-payload before the point.
const BEFORE_POINT: usize = 2;
const BOUNDARY: usize = 4;

closed_registry! {
    /// The elliptic curve of a point, which gives a coordinate its length (RFC 6267 6.1.4).
    EccCurve {
        P192 = 1, "ECPRGF192Random / P-192 / secp192r1";
        B163 = 2, "EC2NGF163Random / B-163 / sect163r2";
        K163 = 3, "EC2NGF163Koblitz / K-163 / sect163k1";
        Sect163R1 = 4, "EC2NGF163Random2 / none / sect163r1";
        P224 = 5, "ECPRGF224Random / P-224 / secp224r1";
        B233 = 6, "EC2NGF233Random / B-233 / sect233r1";
        K233 = 7, "EC2NGF233Koblitz / K-233 / sect233k1";
        P256 = 8, "ECPRGF256Random / P-256 / secp256r1";
        B283 = 9, "EC2NGF283Random / B-283 / sect283r1";
        K283 = 10, "EC2NGF283Koblitz / K-283 / sect283k1";
        P384 = 11, "ECPRGF384Random / P-384 / secp384r1";
        B409 = 12, "EC2NGF409Random / B-409 / sect409r1";
        K409 = 13, "EC2NGF409Koblitz / K-409 / sect409k1";
        P521 = 14, "ECPRGF521Random / P-521 / secp521r1";
        B571 = 15, "EC2NGF571Random / B-571 / sect571r1";
        K571 = 16, "EC2NGF571Koblitz / K-571 / sect571k1";
    }
}

impl EccCurve {
    /// Octets of a coordinate.
    pub const fn coordinate_len(self) -> usize {
        let bits: usize = match self {
            Self::B163 | Self::K163 | Self::Sect163R1 => 163,
            Self::P192 => 192,
            Self::P224 => 224,
            Self::B233 | Self::K233 => 233,
            Self::P256 => 256,
            Self::B283 | Self::K283 => 283,
            Self::P384 => 384,
            Self::B409 | Self::K409 => 409,
            Self::P521 => 521,
            Self::B571 | Self::K571 => 571,
        };
        bits.div_ceil(8)
    }

    /// Octets of a point whose octet string (SEC 1 2.3.3) starts with this octet.
    const fn point_len(self, form: u8) -> Option<usize> {
        match form {
            0 => Some(1),
            2 | 3 => Some(1 + self.coordinate_len()),
            4 => Some(1 + 2 * self.coordinate_len()),
            _ => None,
        }
    }
}

/// ECCPT, an elliptic curve Diffie-Hellman value: a sub-payload of IBAKE (RFC 6267 6.1.4).
///
/// The first octet of the point tells its length. Padding takes the point to the next multiple of four octets, counted
/// from the start of the sub-payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eccpt<'a> {
    curve: EccCurve,
    /// The point and its padding.
    padded_point: Cow<'a, [u8]>,
    /// Auth alg, which MIKEY-IBAKE ignores.
    pub auth_alg: u8,
    /// TGK len, which MIKEY-IBAKE ignores.
    pub tgk_len: u16,
    /// Four bits of no meaning: 0 when sent.
    pub reserved: u8,
    /// When the key is to be used.
    pub validity: KeyValidity<'a>,
}

impl<'a> Eccpt<'a> {
    /// A point of this curve, as an octet string of SEC 1, padded with zeros.
    ///
    /// # Errors
    /// [`Error::WrongLength`] unless it has the length that its first octet and the curve give it.
    pub fn new(curve: EccCurve, point: &[u8], validity: KeyValidity<'a>) -> Result<Self, Error> {
        let uncompressed = 1 + 2 * curve.coordinate_len();
        let expected = point.first().and_then(|&form| curve.point_len(form)).unwrap_or(uncompressed);
        let form_is_known = point.first().is_some_and(|&form| curve.point_len(form).is_some());
        if !form_is_known || point.len() != expected {
            return Err(Error::WrongLength { field: "ECCPT ECC point", found: point.len(), expected });
        }
        let mut padded_point = point.to_vec();
        padded_point.resize(padded_len(point.len()), 0);
        Ok(Self { curve, padded_point: padded_point.into(), auth_alg: 0, tgk_len: 0, reserved: 0, validity })
    }

    /// The curve.
    pub const fn curve(&self) -> EccCurve {
        self.curve
    }

    /// The point as an octet string of SEC 1, without its padding; not known to be on the curve.
    pub fn point(&self) -> &[u8] {
        let length = self.padded_point.first().and_then(|&form| self.curve.point_len(form)).unwrap_or_default();
        self.padded_point.get(..length).unwrap_or_default()
    }

    /// The same sub-payload with all of its data owned.
    pub fn into_owned(self) -> Eccpt<'static> {
        Eccpt {
            curve: self.curve,
            padded_point: Cow::Owned(self.padded_point.into_owned()),
            auth_alg: self.auth_alg,
            tgk_len: self.tgk_len,
            reserved: self.reserved,
            validity: self.validity.into_owned(),
        }
    }

    pub(in crate::mikey) fn body_len(&self) -> usize {
        5 + self.padded_point.len() + self.validity.data_len()
    }

    pub(in crate::mikey) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let curve = reader.known("ECCPT ECC Curve", CURVES, EccCurve::from_number)?;
        let offset = reader.position();
        let found = reader.peek("ECCPT ECC point")?;
        let unknown = Error::UnknownNumber { field: "ECCPT ECC point form", offset, found, expected: FORMS };
        let length = padded_len(curve.point_len(found).ok_or(unknown)?);
        let padded_point = Cow::Borrowed(reader.take(length, "ECCPT ECC point")?);
        let auth_alg = reader.octet("ECCPT Auth alg")?;
        let tgk_len = reader.u16("ECCPT TGK len")?;
        let offset = reader.position();
        let octet = reader.octet("ECCPT reserved and KV")?;
        let validity = KeyValidity::read(octet & NIBBLE, offset, reader)?;
        Ok(Self { curve, padded_point, auth_alg, tgk_len, reserved: octet >> 4, validity })
    }

    pub(in crate::mikey) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let reserved = fits(self.reserved, NIBBLE, "ECCPT reserved")?;
        out.push(self.curve.number());
        out.extend_from_slice(&self.padded_point);
        out.push(self.auth_alg);
        out.extend_from_slice(&self.tgk_len.to_be_bytes());
        out.push(reserved << 4 | self.validity.type_number());
        self.validity.write_data(out)
    }
}

const fn padded_len(point_len: usize) -> usize {
    (BEFORE_POINT + point_len).next_multiple_of(BOUNDARY) - BEFORE_POINT
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::super::PayloadType;
    use super::super::testing::{assert_sub_form, sub_build_error, sub_parse_error};
    use super::*;

    fn point(form: u8, coordinates: usize) -> Vec<u8> {
        [vec![form], vec![7; coordinates]].concat()
    }

    #[test]
    fn a_point_is_padded_to_four_octets() {
        let p256 = |point: &[u8]| Eccpt::new(EccCurve::P256, point, KeyValidity::Null).unwrap();
        let end = [0, 0, 0, 0];
        assert_sub_form(p256(&point(4, 64)), &[&[0, 8][..], &point(4, 64), &[0], &end].concat());
        assert_sub_form(p256(&point(2, 32)), &[&[0, 8][..], &point(2, 32), &[0], &end].concat());
        assert_sub_form(p256(&[0]), &[&[0, 8][..], &[0, 0], &end].concat());
        let k163 = Eccpt::new(EccCurve::K163, &point(3, 21), KeyValidity::Null).unwrap();
        assert_eq!(k163.point(), point(3, 21));
        assert_sub_form(k163, &[&[0, 3][..], &point(3, 21), &end].concat());
    }

    #[test]
    fn what_the_method_ignores_is_carried() {
        let point = point(3, 21);
        let eccpt = Eccpt {
            auth_alg: 1,
            tgk_len: 0x0203,
            reserved: 4,
            ..Eccpt::new(EccCurve::B163, &point, KeyValidity::spi(vec![9])).unwrap()
        };
        assert_sub_form(eccpt.clone(), &[&[0, 2][..], &point, &[1, 2, 3, 0x41, 1, 9]].concat());
        let error = sub_build_error(Eccpt { reserved: 16, ..eccpt });
        assert_eq!(error, Error::OutOfRange { field: "ECCPT reserved", found: 16, limit: 15 });
        let padding = [&[0, 8, 0, 0xaa][..], &[0, 0, 0, 0]].concat();
        let parsed = crate::mikey::SubPayloads::parse(PayloadType::ECCPT, &padding).unwrap();
        assert_eq!(*parsed.to_bytes().unwrap(), padding, "padding is carried as it came");
    }

    #[test]
    fn each_curve_has_its_length() {
        let octets = [24, 21, 21, 21, 28, 30, 30, 32, 36, 36, 48, 52, 52, 66, 72, 72];
        for (number, octets) in (1..=16).zip(octets) {
            let curve = EccCurve::from_number(number).unwrap();
            assert_eq!(curve.coordinate_len(), octets, "{curve}");
            assert!(Eccpt::new(curve, &point(4, 2 * octets), KeyValidity::Null).is_ok());
            let error = Eccpt::new(curve, &point(4, octets), KeyValidity::Null).unwrap_err();
            let expected = 1 + 2 * octets;
            assert_eq!(error, Error::WrongLength { field: "ECCPT ECC point", found: 1 + octets, expected });
        }
        assert!(Eccpt::new(EccCurve::P256, &point(5, 64), KeyValidity::Null).is_err());
        assert!(Eccpt::new(EccCurve::P256, &[], KeyValidity::Null).is_err());
    }

    #[test]
    fn unknown_numbers_are_refused() {
        let unknown = |field, offset, found, expected| Error::UnknownNumber { field, offset, found, expected };
        for found in [0, 17] {
            let error = sub_parse_error(PayloadType::ECCPT, &[0, found, 4]);
            assert_eq!(error, unknown("ECCPT ECC Curve", 1, found, "1 (P-192) to 16 (K-571)"));
        }
        let expected = "0 (infinity), 2 or 3 (compressed) or 4 (uncompressed)";
        let error = sub_parse_error(PayloadType::ECCPT, &[0, 8, 5]);
        assert_eq!(error, unknown("ECCPT ECC point form", 2, 5, expected));
        let error = sub_parse_error(PayloadType::ECCPT, &[0, 8, 0, 0, 0, 0, 0, 7]);
        assert_eq!(error, unknown("KV", 7, 7, "0 (Null), 1 (SPI) or 2 (Interval)"));
    }
}
