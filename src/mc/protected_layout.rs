//! The layout of an MCData Protected Payload (TS 33.180 8.5.4).
use super::Error;
use crate::mikey;
use crate::mikey::codec::Reader;

/// The message type's bit that says the payload is encrypted.
const ENCRYPTED: u8 = 0x40;
/// The message type's bit that says the payload is authenticated.
const AUTHENTICATED: u8 = 0x80;
const ALGORITHM_AES_128_GCM: u8 = 1;
const HEADER_LEN: usize = 32;
const IV_LEN: usize = 16;

/// An MCData Protected Payload as it lies in a message (TS 33.180 8.5.4), not judged and not decrypted: message type (1),
/// time (5), payload ID (4), sequence number (1), algorithm (1), IV (16), DPPK-ID (4), then a TLV with a length of two
/// octets, which holds ciphertext and tag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProtectedLayout<'a> {
    /// The octets before the TLV; all of them are authenticated.
    pub header: &'a [u8; HEADER_LEN],
    /// Message type; two of its bits are [flags](Self::is_encrypted).
    pub message_type: u8,
    /// Date and time: seconds since 1970, 40 bits.
    pub time: u64,
    /// Payload ID.
    pub payload_id: [u8; 4],
    /// Payload sequence number.
    pub sequence: u8,
    /// Algorithm: 1 is AES-128-GCM, 2 is AES-256-GCM.
    pub algorithm: u8,
    /// Initialisation vector.
    pub iv: [u8; IV_LEN],
    /// The identifier of the key that protects the payload.
    pub dppk_id: [u8; 4],
    /// The information element identifier of the TLV.
    pub iei: u8,
    /// The length that the TLV states.
    pub length: u16,
    /// What is there behind that: ciphertext and tag.
    pub protected: &'a [u8],
}

impl<'a> ProtectedLayout<'a> {
    /// Octets before the TLV.
    pub const HEADER_LEN: usize = HEADER_LEN;
    /// Octets of the initialisation vector.
    pub const IV_LEN: usize = IV_LEN;
    /// Octets of the tag behind the ciphertext.
    pub const TAG_LEN: usize = 16;

    /// Takes the payload apart.
    ///
    /// # Errors
    /// [`Error::ParametersTooShort`] below 35 octets.
    pub fn parse(data: &'a [u8]) -> Result<Self, Error> {
        let header = data.first_chunk().ok_or(Error::ParametersTooShort { len: data.len() })?;
        Self::read(header, data).map_err(|_| Error::ParametersTooShort { len: data.len() })
    }

    fn read(header: &'a [u8; HEADER_LEN], data: &'a [u8]) -> Result<Self, mikey::Error> {
        let mut reader = Reader::new(data);
        let message_type = reader.octet("message type")?;
        let [a, b, c, d, e] = reader.array("date and time")?;
        Ok(Self {
            header,
            message_type,
            time: u64::from_be_bytes([0, 0, 0, a, b, c, d, e]),
            payload_id: reader.array("payload ID")?,
            sequence: reader.octet("payload sequence number")?,
            algorithm: reader.octet("algorithm")?,
            iv: reader.array("IV")?,
            dppk_id: reader.array("DPPK-ID")?,
            iei: reader.octet("payload IEI")?,
            length: reader.u16("payload length")?,
            protected: reader.rest(),
        })
    }

    /// Whether the message type says that the payload is encrypted.
    pub const fn is_encrypted(&self) -> bool {
        self.message_type & ENCRYPTED != 0
    }

    /// Whether the message type says that the payload is authenticated.
    pub const fn is_authenticated(&self) -> bool {
        self.message_type & AUTHENTICATED != 0
    }

    /// What keeps it from being decrypted as key parameters: [`Error::ParametersNotEncrypted`],
    /// [`Error::ParametersAlgorithm`], [`Error::ParametersPayloadLength`], each found by itself.
    pub fn faults(&self) -> impl Iterator<Item = Error> {
        let (stated, present) = (usize::from(self.length), self.protected.len());
        let clear = (!self.is_encrypted()).then_some(Error::ParametersNotEncrypted { message_type: self.message_type });
        let other = self.algorithm != ALGORITHM_AES_128_GCM;
        let algorithm = other.then_some(Error::ParametersAlgorithm { found: self.algorithm });
        let wrong = stated != present || stated < Self::TAG_LEN;
        let length = wrong.then_some(Error::ParametersPayloadLength { stated, present });
        [clear, algorithm, length].into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn octets() -> [u8; 52] {
        let mut octets = [7; 52];
        (octets[0], octets[11], octets[33], octets[34]) = (0xc3, 1, 0, 17);
        octets
    }

    #[test]
    fn each_field_has_its_octets() {
        let octets = core::array::from_fn::<u8, 52, _>(|at| u8::try_from(at).unwrap());
        let layout = ProtectedLayout::parse(&octets).unwrap();
        assert_eq!((layout.message_type, layout.time), (0, 0x01_0203_0405));
        assert_eq!((layout.payload_id, layout.sequence, layout.algorithm), ([6, 7, 8, 9], 10, 11));
        assert_eq!((layout.iv[0], layout.iv[15], layout.dppk_id), (12, 27, [28, 29, 30, 31]));
        assert_eq!((layout.iei, layout.length, layout.protected), (32, 0x2122, &octets[35..]));
        assert_eq!(layout.header, &octets[..32]);
        for len in 0..35 {
            assert_eq!(ProtectedLayout::parse(&octets[..len]), Err(Error::ParametersTooShort { len }));
        }
    }

    #[test]
    fn every_fault_is_found() {
        let good = octets();
        let layout = ProtectedLayout::parse(&good).unwrap();
        assert!(layout.is_encrypted() && layout.is_authenticated());
        assert_eq!(layout.faults().count(), 0);
        let mut wrong = octets();
        (wrong[0], wrong[11], wrong[34]) = (0x80, 2, 18);
        let faults: Vec<_> = ProtectedLayout::parse(&wrong).unwrap().faults().collect();
        let expected = [
            Error::ParametersNotEncrypted { message_type: 0x80 },
            Error::ParametersAlgorithm { found: 2 },
            Error::ParametersPayloadLength { stated: 18, present: 17 },
        ];
        assert_eq!(faults, expected);
    }
}
