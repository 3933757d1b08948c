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
