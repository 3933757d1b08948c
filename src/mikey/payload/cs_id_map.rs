use alloc::vec::Vec;

use super::GenericIdMap;
use crate::mikey::Error;
use crate::mikey::codec::{Reader, count_8};

const SRTP_ID: u8 = 0;
const EMPTY: u8 = 1;
const GENERIC_ID: u8 = 2;

const SRTP_ID_ENTRY_LEN: usize = 9;

/// #CS, the CS ID map type and the map of the header: which crypto session (CS) uses which policy and identifiers.
///
/// #CS is the number of entries. With #CS = 0 the map occupies no octets, whatever its type.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CsIdMap<'a> {
    /// Type 0, at most 255 entries: the CS-ID of an entry is its place, counted from 1 (RFC 3830 6.1.1).
    SrtpId(Vec<SrtpIdEntry>),
    /// Type 1: sessions are mapped by other means (RFC 4563 4). It occupies no octets.
    Empty {
        /// #CS.
        cs_count: u8,
    },
    /// Type 2 (RFC 6043 6.1.1).
    GenericId(GenericIdMap<'a>),
}

/// One crypto session of an SRTP-ID map (RFC 3830 6.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SrtpIdEntry {
    /// Number of the security policy, see [`SecurityPolicy`](super::SecurityPolicy).
    pub policy_no: u8,
    /// SSRC of the stream, 0 if the receiver has to find it.
    pub ssrc: u32,
    /// Roll-over counter of the stream.
    pub roc: u32,
}

impl<'a> CsIdMap<'a> {
    /// #CS, the number of crypto sessions.
    pub fn cs_count(&self) -> usize {
        match self {
            Self::SrtpId(entries) => entries.len(),
            Self::Empty { cs_count } => usize::from(*cs_count),
            Self::GenericId(map) => map.len(),
        }
    }

    /// The registered number of the map type.
    pub const fn type_number(&self) -> u8 {
        match self {
            Self::SrtpId(_) => SRTP_ID,
            Self::Empty { .. } => EMPTY,
            Self::GenericId(_) => GENERIC_ID,
        }
    }

    /// The name of the map type.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::SrtpId(_) => "SRTP-ID",
            Self::Empty { .. } => "empty",
            Self::GenericId(_) => "GENERIC-ID",
        }
    }

    /// The same map with all of its data owned.
    pub fn into_owned(self) -> CsIdMap<'static> {
        match self {
            Self::SrtpId(entries) => CsIdMap::SrtpId(entries),
            Self::Empty { cs_count } => CsIdMap::Empty { cs_count },
            Self::GenericId(map) => CsIdMap::GenericId(map.into_owned()),
        }
    }

    pub(super) fn encoded_len(&self) -> usize {
        match self {
            Self::SrtpId(entries) => SRTP_ID_ENTRY_LEN * entries.len(),
            Self::Empty { .. } => 0,
            Self::GenericId(map) => map.encoded_len(),
        }
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let cs_count = reader.octet("HDR #CS")?;
        let offset = reader.position();
        match reader.octet("HDR CS ID map type")? {
            SRTP_ID => {
                let length = SRTP_ID_ENTRY_LEN * usize::from(cs_count);
                let entries = reader.take(length, "HDR SRTP-ID map")?;
                let (entries, _) = entries.as_chunks::<SRTP_ID_ENTRY_LEN>();
                Ok(Self::SrtpId(entries.iter().map(SrtpIdEntry::from_octets).collect()))
            }
            EMPTY => Ok(Self::Empty { cs_count }),
            GENERIC_ID => GenericIdMap::read(cs_count, reader).map(Self::GenericId),
            found => Err(Error::UnknownMapType { offset, found }),
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        out.push(count_8(self.cs_count(), "HDR #CS")?);
        out.push(self.type_number());
        match self {
            Self::SrtpId(entries) => entries.iter().for_each(|entry| entry.write(out)),
            Self::Empty { .. } => {}
            Self::GenericId(map) => map.write(out),
        }
        Ok(())
    }
}

impl SrtpIdEntry {
    fn from_octets(octets: &[u8; SRTP_ID_ENTRY_LEN]) -> Self {
        let [policy_no, s0, s1, s2, s3, r0, r1, r2, r3] = *octets;
        Self { policy_no, ssrc: u32::from_be_bytes([s0, s1, s2, s3]), roc: u32::from_be_bytes([r0, r1, r2, r3]) }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.policy_no);
        out.extend_from_slice(&self.ssrc.to_be_bytes());
        out.extend_from_slice(&self.roc.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::mikey::{GenericIdEntry, Header, Message, ProtocolType};

    const MAP_OFFSET: usize = 10;

    fn octets(cs_count: u8, map_type: u8, map: &[u8]) -> Vec<u8> {
        let mut octets = vec![1, 26, 0, 1, 0, 0, 0, 9, cs_count, map_type];
        octets.extend_from_slice(map);
        octets
    }

    fn assert_form(map: CsIdMap<'static>, octets: &[u8]) {
        let message = Message::new(Header::sakke(9, map));
        assert_eq!(message.to_bytes().unwrap(), octets);
        assert_eq!(Message::parse(octets).unwrap(), message);
        assert_eq!(Message::parse(octets).unwrap().into_owned(), message);
        assert_eq!(message.encoded_len(), octets.len());
        for length in 8..octets.len() {
            match Message::parse(&octets[..length]) {
                Err(Error::Truncated { offset, found, .. }) => assert_eq!(offset + found, length),
                other => panic!("cut after {length} octets: {other:?}"),
            }
        }
    }

    fn build_error(map: CsIdMap<'static>) -> Error {
        Message::new(Header::sakke(9, map)).to_bytes().unwrap_err()
    }

    #[test]
    fn an_srtp_id_map_has_nine_octets_for_each_session() {
        let first = SrtpIdEntry { policy_no: 1, ssrc: 0x0203_0405, roc: 0x0607_0809 };
        let second = SrtpIdEntry { policy_no: 10, ssrc: 0, roc: 0 };
        assert_form(CsIdMap::SrtpId(vec![]), &octets(0, 0, &[]));
        assert_form(
            CsIdMap::SrtpId(vec![first, second]),
            &octets(2, 0, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 0, 0, 0, 0, 0, 0, 0]),
        );
        let map = CsIdMap::SrtpId(vec![first; 256]);
        assert_eq!(build_error(map), Error::TooLong { field: "HDR #CS", found: 256, limit: 255 });
    }

    #[test]
    fn an_empty_map_occupies_nothing_whatever_the_count() {
        assert_form(CsIdMap::Empty { cs_count: 0 }, &octets(0, 1, &[]));
        assert_form(CsIdMap::Empty { cs_count: 3 }, &octets(3, 1, &[]));
    }

    #[test]
    fn a_generic_id_map_has_an_entry_for_each_session() {
        let entry = GenericIdEntry {
            cs_id: 4,
            protocol: ProtocolType::SRTP,
            session_data_flag: false,
            policy_numbers: &[0],
            session_data: &[],
            spi: &[1, 2, 3, 4],
        };
        let map = |entries: &[GenericIdEntry<'_>]| CsIdMap::GenericId(GenericIdMap::new(entries).unwrap());
        assert_form(map(&[]), &octets(0, 2, &[]));
        assert_form(map(&[entry]), &octets(1, 2, &[4, 0, 1, 0, 0, 0, 4, 1, 2, 3, 4]));
    }

    #[test]
    fn wrong_lengths_are_refused() {
        let error = |octets: &[u8]| Message::parse(octets).unwrap_err();
        assert_eq!(
            error(&octets(2, 0, &[0; 17])),
            Error::Truncated { field: "HDR SRTP-ID map", offset: MAP_OFFSET, expected: 18, found: 17 }
        );
        assert_eq!(
            error(&octets(1, 2, &[4, 0, 0x7f, 1, 2])),
            Error::Truncated { field: "GENERIC-ID policy numbers", offset: MAP_OFFSET + 3, expected: 127, found: 2 }
        );
        assert_eq!(
            error(&octets(1, 2, &[4, 0, 0, 0xff, 0xff, 0])),
            Error::Truncated { field: "GENERIC-ID session data", offset: MAP_OFFSET + 5, expected: 65535, found: 1 }
        );
        assert_eq!(
            error(&octets(1, 2, &[4, 0, 0, 0, 0, 5, 1])),
            Error::Truncated { field: "GENERIC-ID SPI", offset: MAP_OFFSET + 6, expected: 5, found: 1 }
        );
        assert_eq!(error(&octets(0, 2, &[4])), Error::TrailingOctets { offset: MAP_OFFSET, count: 1 });
    }

    #[test]
    fn unknown_map_types_are_refused() {
        for cs_count in [0, 1] {
            let error = Message::parse(&octets(cs_count, 3, &[])).unwrap_err();
            assert_eq!(error, Error::UnknownMapType { offset: 9, found: 3 });
        }
    }
}
