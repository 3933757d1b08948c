use alloc::vec::Vec;

use super::{CsIdMap, DataType};
use crate::mikey::codec::{Reader, fits};
use crate::mikey::registry::registry;
use crate::mikey::{Error, payload::PayloadType};

const VERSION: u8 = 1;
const V_FLAG: u8 = 0x80;
const PRF_MASK: u8 = 0x7f;

registry! {
    /// The pseudo-random function of key derivation: 7 bits (RFC 3830 6.1, RFC 6043 6.1).
    PrfFunction {
        MIKEY_1 = 0, "MIKEY-1";
        HMAC_SHA_256 = 1, "PRF-HMAC-SHA-256";
    }
}

/// HDR, the common header that opens every message (RFC 3830 6.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'a> {
    /// The kind of message.
    pub data_type: DataType,
    /// The V flag: the initiator asks for a verification message.
    pub verification_expected: bool,
    /// The PRF; at most 127.
    pub prf: PrfFunction,
    /// CSB-ID, the identifier of the crypto session bundle that this message sets up.
    pub csb_id: u32,
    /// #CS, and which crypto session uses what.
    pub cs_id_map: CsIdMap<'a>,
}

impl<'a> Header<'a> {
    /// The header of a SAKKE I_MESSAGE: data type 26, no verification message, PRF-HMAC-SHA-256 (RFC 6509 4.1).
    pub fn sakke(csb_id: u32, cs_id_map: CsIdMap<'a>) -> Self {
        Self {
            data_type: DataType::Sakke,
            verification_expected: false,
            prf: PrfFunction::HMAC_SHA_256,
            csb_id,
            cs_id_map,
        }
    }

    /// The same header with all of its data owned.
    pub fn into_owned(self) -> Header<'static> {
        Header {
            data_type: self.data_type,
            verification_expected: self.verification_expected,
            prf: self.prf,
            csb_id: self.csb_id,
            cs_id_map: self.cs_id_map.into_owned(),
        }
    }

    /// Octets that the header occupies in a message.
    pub fn encoded_len(&self) -> usize {
        10 + self.cs_id_map.encoded_len()
    }

    /// Reads a header and the type of the payload after it.
    pub(in crate::mikey) fn read(reader: &mut Reader<'a>) -> Result<(Self, PayloadType), Error> {
        let offset = reader.position();
        let version = reader.octet("HDR version")?;
        if version != VERSION {
            return Err(Error::UnsupportedVersion { offset, found: version });
        }
        let offset = reader.position();
        let data_type = reader.octet("HDR data type")?;
        let data_type = DataType::from_number(data_type).ok_or(Error::UnknownDataType { offset, found: data_type })?;
        let next = PayloadType(reader.octet("HDR next payload")?);
        let flags = reader.octet("HDR V and PRF func")?;
        let csb_id = reader.u32("HDR CSB ID")?;
        let cs_id_map = CsIdMap::read(reader)?;
        let header = Self {
            data_type,
            verification_expected: flags & V_FLAG != 0,
            prf: PrfFunction(flags & PRF_MASK),
            csb_id,
            cs_id_map,
        };
        Ok((header, next))
    }

    pub(in crate::mikey) fn write(&self, next: PayloadType, out: &mut Vec<u8>) -> Result<(), Error> {
        let v_flag = if self.verification_expected { V_FLAG } else { 0 };
        let prf = fits(self.prf.0, PRF_MASK, "HDR PRF func")?;
        out.extend_from_slice(&[VERSION, self.data_type.number(), next.0, v_flag | prf]);
        out.extend_from_slice(&self.csb_id.to_be_bytes());
        self.cs_id_map.write(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mikey::Message;

    const OCTETS: [u8; 10] = [1, 26, 0, 1, 0x12, 0x34, 0x56, 0x78, 0, 1];

    fn changed(at: usize, octet: u8) -> [u8; 10] {
        let mut octets = OCTETS;
        octets[at] = octet;
        octets
    }

    #[test]
    fn the_header_of_a_sakke_message() {
        let message = Message::new(Header::sakke(0x1234_5678, CsIdMap::Empty { cs_count: 0 }));
        assert_eq!(message.to_bytes().unwrap(), OCTETS);
        assert_eq!(Message::parse(&OCTETS).unwrap(), message);
        assert_eq!(message.header.encoded_len(), OCTETS.len());
    }

    #[test]
    fn each_truncation_is_refused() {
        for length in 0..OCTETS.len() {
            match Message::parse(&OCTETS[..length]) {
                Err(Error::Truncated { offset, expected, found, .. }) => {
                    assert_eq!(offset + found, length);
                    assert!(expected > found);
                }
                other => panic!("cut after {length} octets: {other:?}"),
            }
        }
    }

    #[test]
    fn other_versions_are_refused() {
        for version in [0, 2, 255] {
            let error = Message::parse(&changed(0, version)).unwrap_err();
            assert_eq!(error, Error::UnsupportedVersion { offset: 0, found: version });
        }
    }

    #[test]
    fn unknown_data_types_are_refused_and_known_ones_are_read() {
        let error = Message::parse(&changed(1, 27)).unwrap_err();
        assert_eq!(error, Error::UnknownDataType { offset: 1, found: 27 });
        let octets = changed(1, 0);
        let message = Message::parse(&octets).unwrap();
        assert_eq!(message.header.data_type, DataType::PreShared);
        assert_eq!(message.to_bytes().unwrap(), octets);
    }

    #[test]
    fn the_v_flag_and_any_prf_are_carried() {
        for (octet, verification_expected, prf) in
            [(0x00, false, 0), (0x80, true, 0), (0x81, true, 1), (0x7f, false, 127), (0xff, true, 127)]
        {
            let octets = changed(3, octet);
            let message = Message::parse(&octets).unwrap();
            assert_eq!(message.header.verification_expected, verification_expected);
            assert_eq!(message.header.prf, PrfFunction(prf));
            assert_eq!(message.to_bytes().unwrap(), octets);
        }
        let mut message = Message::new(Header::sakke(0, CsIdMap::Empty { cs_count: 0 }));
        message.header.prf = PrfFunction(128);
        assert_eq!(message.to_bytes(), Err(Error::OutOfRange { field: "HDR PRF func", found: 128, limit: 127 }));
    }
}
