use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::ProtocolType;
use crate::mikey::Error;
use crate::mikey::codec::{Reader, count_8, put_data_8, put_data_16, too_long};

const S_FLAG: u8 = 0x80;
const POLICY_COUNT_MASK: u8 = 0x7f;

/// A GENERIC-ID map: any number of crypto sessions, each with its policies and its SPI (RFC 6043 6.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenericIdMap<'a> {
    /// #CS.
    cs_count: u8,
    /// As many well-formed entries. They are read anew whenever they are asked for: kept apart, small ones would take
    /// more than ten times their octets.
    entries: Cow<'a, [u8]>,
}

/// One crypto session of a GENERIC-ID map (RFC 6043 6.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GenericIdEntry<'a> {
    /// CS-ID of the session.
    pub cs_id: u8,
    /// Security protocol of the session.
    pub protocol: ProtocolType,
    /// The S flag, whose meaning is up to the session data: for SRTP, whether they have ROC and SEQ.
    pub session_data_flag: bool,
    /// Numbers of the security policies that the session may use, at most 127.
    pub policy_numbers: &'a [u8],
    /// Session data, at most 65535 octets: for SRTP the SSRC, 4 octets, and with the S flag ROC and SEQ, 6 octets more.
    pub session_data: &'a [u8],
    /// SPI, at most 255 octets: for SRTP, the MKI.
    pub spi: &'a [u8],
}

impl GenericIdMap<'static> {
    /// A map of these sessions, at most 255.
    ///
    /// # Errors
    /// [`Error::TooLong`] for more sessions than that, and for what its field in an entry cannot hold.
    pub fn new(entries: &[GenericIdEntry<'_>]) -> Result<Self, Error> {
        let cs_count = count_8(entries.len(), "HDR #CS")?;
        let mut octets = Vec::new();
        entries.iter().try_for_each(|entry| entry.write(&mut octets))?;
        Ok(Self { cs_count, entries: Cow::Owned(octets) })
    }
}

impl<'a> GenericIdMap<'a> {
    /// The number of sessions.
    pub fn len(&self) -> usize {
        self.cs_count.into()
    }

    /// Whether there is no session.
    pub const fn is_empty(&self) -> bool {
        self.cs_count == 0
    }

    /// The sessions in the order of the message.
    pub fn entries(&self) -> impl Iterator<Item = GenericIdEntry<'_>> {
        let mut reader = Reader::new(&self.entries);
        core::iter::from_fn(move || GenericIdEntry::read(&mut reader).ok())
    }

    /// The same map with all of its data owned.
    pub fn into_owned(self) -> GenericIdMap<'static> {
        GenericIdMap { cs_count: self.cs_count, entries: Cow::Owned(self.entries.into_owned()) }
    }

    pub(super) fn encoded_len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn read(cs_count: u8, reader: &mut Reader<'a>) -> Result<Self, Error> {
        let entries = reader.rest();
        for _ in 0..cs_count {
            GenericIdEntry::read(reader)?;
        }
        let length = entries.len() - reader.remaining();
        Ok(Self { cs_count, entries: Cow::Borrowed(entries.get(..length).unwrap_or_default()) })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.entries);
    }
}

impl<'a> GenericIdEntry<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let cs_id = reader.octet("GENERIC-ID CS ID")?;
        let protocol = ProtocolType(reader.octet("GENERIC-ID Prot type")?);
        let flags = reader.octet("GENERIC-ID S and #P")?;
        let policy_count = flags & POLICY_COUNT_MASK;
        Ok(Self {
            cs_id,
            protocol,
            session_data_flag: flags & S_FLAG != 0,
            policy_numbers: reader.take(policy_count.into(), "GENERIC-ID policy numbers")?,
            session_data: reader.data_16("GENERIC-ID session data")?,
            spi: reader.data_8("GENERIC-ID SPI")?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let limit = usize::from(POLICY_COUNT_MASK);
        if self.policy_numbers.len() > limit {
            return Err(too_long("GENERIC-ID policy numbers", self.policy_numbers.len(), limit));
        }
        let policy_count = count_8(self.policy_numbers.len(), "GENERIC-ID policy numbers")?;
        let s_flag = if self.session_data_flag { S_FLAG } else { 0 };
        out.extend_from_slice(&[self.cs_id, self.protocol.0, s_flag | policy_count]);
        out.extend_from_slice(self.policy_numbers);
        put_data_16(out, self.session_data, "GENERIC-ID session data")?;
        put_data_8(out, self.spi, "GENERIC-ID SPI")
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn entry() -> GenericIdEntry<'static> {
        GenericIdEntry {
            cs_id: 4,
            protocol: ProtocolType::SRTP,
            session_data_flag: false,
            policy_numbers: &[0],
            session_data: &[],
            spi: &[1, 2, 3, 4],
        }
    }

    fn full() -> GenericIdEntry<'static> {
        GenericIdEntry {
            cs_id: 255,
            protocol: ProtocolType(3),
            session_data_flag: true,
            policy_numbers: &[],
            session_data: &[9, 8],
            spi: &[],
        }
    }

    const OCTETS: [u8; 19] = [255, 3, 0x80, 0, 2, 9, 8, 0, 4, 0, 1, 0, 0, 0, 4, 1, 2, 3, 4];

    #[test]
    fn an_entry_lists_policies_session_data_and_spi() {
        let map = GenericIdMap::new(&[full(), entry()]).unwrap();
        let mut octets = vec![];
        map.write(&mut octets);
        assert_eq!(octets, OCTETS);
        assert_eq!((map.len(), map.is_empty(), map.encoded_len()), (2, false, OCTETS.len()));
        assert!(map.entries().eq([full(), entry()]));
        assert!(GenericIdMap::new(&[]).unwrap().is_empty());
    }

    #[test]
    fn a_map_ends_where_its_entries_do() {
        let octets = [&OCTETS[..], &[7, 7]].concat();
        let mut reader = Reader::new(&octets);
        let map = GenericIdMap::read(2, &mut reader).unwrap();
        assert_eq!(map, GenericIdMap::new(&[full(), entry()]).unwrap());
        assert_eq!(reader.rest(), [7, 7]);
        for length in 0..OCTETS.len() {
            let error = GenericIdMap::read(2, &mut Reader::new(&OCTETS[..length])).unwrap_err();
            assert!(matches!(error, Error::Truncated { .. }), "cut after {length} octets");
        }
    }

    #[test]
    fn what_does_not_fit_its_field_is_refused() {
        let error = |entries: &[GenericIdEntry<'_>]| GenericIdMap::new(entries).unwrap_err();
        let long = [0; 65536];
        let too_long = error(&[GenericIdEntry { policy_numbers: &long[..128], ..entry() }]);
        assert_eq!(too_long, Error::TooLong { field: "GENERIC-ID policy numbers", found: 128, limit: 127 });
        let too_long = error(&[GenericIdEntry { session_data: &long, ..entry() }]);
        assert_eq!(too_long, Error::TooLong { field: "GENERIC-ID session data", found: 65536, limit: 65535 });
        let too_long = error(&[GenericIdEntry { spi: &long[..256], ..entry() }]);
        assert_eq!(too_long, Error::TooLong { field: "GENERIC-ID SPI", found: 256, limit: 255 });
        let too_long = error(&vec![entry(); 256]);
        assert_eq!(too_long, Error::TooLong { field: "HDR #CS", found: 256, limit: 255 });
    }
}
