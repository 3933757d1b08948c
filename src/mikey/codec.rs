//! Reading and writing of the fields that payloads are made of. All numbers are big-endian.

use alloc::vec::Vec;

use super::Error;

/// A cursor over a message that knows how far it has come and never reads beyond its end.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    octets: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(octets: &'a [u8]) -> Self {
        Self { octets, position: 0 }
    }

    /// Offset of the next octet from the start of the message.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    pub(crate) fn remaining(&self) -> usize {
        self.octets.len().saturating_sub(self.position)
    }

    pub(crate) fn take(&mut self, length: usize, field: &'static str) -> Result<&'a [u8], Error> {
        let end = self.position.checked_add(length);
        match end.and_then(|end| self.octets.get(self.position..end)) {
            Some(taken) => {
                self.position += length;
                Ok(taken)
            }
            None => Err(Error::Truncated { field, offset: self.position, expected: length, found: self.remaining() }),
        }
    }

    pub(crate) fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], Error> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, field)?);
        Ok(array)
    }

    pub(crate) fn octet(&mut self, field: &'static str) -> Result<u8, Error> {
        self.array::<1>(field).map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self, field: &'static str) -> Result<u16, Error> {
        self.array(field).map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, Error> {
        self.array(field).map(u32::from_be_bytes)
    }

    /// The next octet, without moving on.
    pub(crate) fn peek(&self, field: &'static str) -> Result<u8, Error> {
        let truncated = Error::Truncated { field, offset: self.position, expected: 1, found: 0 };
        self.rest().first().copied().ok_or(truncated)
    }

    /// An octet with a number that has to be known for the length of what follows.
    pub(crate) fn known<T>(
        &mut self,
        field: &'static str,
        expected: &'static str,
        from_number: impl Fn(u8) -> Option<T>,
    ) -> Result<T, Error> {
        let offset = self.position;
        let found = self.octet(field)?;
        from_number(found).ok_or(Error::UnknownNumber { field, offset, found, expected })
    }

    /// Data behind a 16-bit length.
    pub(crate) fn data_16(&mut self, field: &'static str) -> Result<&'a [u8], Error> {
        let length = self.u16(field)?;
        self.take(length.into(), field)
    }

    /// Data behind an 8-bit length.
    pub(crate) fn data_8(&mut self, field: &'static str) -> Result<&'a [u8], Error> {
        let length = self.octet(field)?;
        self.take(length.into(), field)
    }

    /// A reader confined to what a 16-bit length announces; offsets still count from the start of the message.
    pub(crate) fn confined_16(&mut self, field: &'static str) -> Result<Reader<'a>, Error> {
        let length = self.u16(field)?;
        let position = self.position;
        self.take(length.into(), field)?;
        Ok(Self { octets: self.octets.get(..self.position).unwrap_or_default(), position })
    }

    /// What is left, without moving on.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.octets.get(self.position..).unwrap_or_default()
    }
}

/// Appends data behind a 16-bit length.
pub(crate) fn put_data_16(out: &mut Vec<u8>, data: &[u8], field: &'static str) -> Result<(), Error> {
    let length = u16::try_from(data.len()).map_err(|_| too_long(field, data.len(), u16::MAX.into()))?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(data);
    Ok(())
}

/// Appends data behind an 8-bit length.
pub(crate) fn put_data_8(out: &mut Vec<u8>, data: &[u8], field: &'static str) -> Result<(), Error> {
    out.push(count_8(data.len(), field)?);
    out.extend_from_slice(data);
    Ok(())
}

/// A length or count that must fit an octet.
pub(crate) fn count_8(count: usize, field: &'static str) -> Result<u8, Error> {
    u8::try_from(count).map_err(|_| too_long(field, count, u8::MAX.into()))
}

/// A number that must fit fewer than eight bits.
pub(crate) fn fits(value: u8, limit: u8, field: &'static str) -> Result<u8, Error> {
    if value <= limit { Ok(value) } else { Err(Error::OutOfRange { field, found: value, limit }) }
}

/// Data of the one length that something else gives it.
pub(crate) fn of_length(octets: &[u8], expected: usize, field: &'static str) -> Result<(), Error> {
    if octets.len() == expected { Ok(()) } else { Err(Error::WrongLength { field, found: octets.len(), expected }) }
}

pub(crate) fn too_long(field: &'static str, found: usize, limit: usize) -> Error {
    Error::TooLong { field, found, limit }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn a_field_beyond_the_end_names_itself_and_its_offset() {
        let mut reader = Reader::new(&[1, 2, 3]);
        assert_eq!(reader.octet("first"), Ok(1));
        assert_eq!(reader.u32("second"), Err(Error::Truncated { field: "second", offset: 1, expected: 4, found: 2 }));
        assert_eq!(reader.u16("third"), Ok(0x0203), "a failed read moves nothing");
        assert_eq!(reader.take(usize::MAX, "fourth").map_err(|e| matches!(e, Error::Truncated { .. })), Err(true));
    }

    #[test]
    fn a_confined_reader_stops_at_its_length_and_keeps_absolute_offsets() {
        let mut reader = Reader::new(&[9, 0, 2, 7, 8, 5]);
        reader.octet("before").unwrap();
        let mut confined = reader.confined_16("list").unwrap();
        assert_eq!((confined.position(), confined.remaining()), (3, 2));
        assert_eq!(confined.take(3, "x"), Err(Error::Truncated { field: "x", offset: 3, expected: 3, found: 2 }));
        assert_eq!(confined.rest(), [7, 8]);
        assert_eq!(reader.rest(), [5]);
    }

    #[test]
    fn a_number_is_looked_at_or_has_to_be_known() {
        let mut reader = Reader::new(&[7, 8]);
        assert_eq!(reader.peek("x"), Ok(7));
        assert_eq!(reader.known("x", "7", |number| (number == 7).then_some('a')), Ok('a'));
        let unknown = Error::UnknownNumber { field: "y", offset: 1, found: 8, expected: "7" };
        assert_eq!(reader.known("y", "7", |number| (number == 7).then_some('a')), Err(unknown));
        assert_eq!(reader.peek("z"), Err(Error::Truncated { field: "z", offset: 2, expected: 1, found: 0 }));
    }

    #[test]
    fn lengths_that_do_not_fit_their_field_are_refused() {
        let mut out = vec![];
        assert_eq!(put_data_8(&mut out, &[0; 256], "x"), Err(too_long("x", 256, 255)));
        assert_eq!(put_data_16(&mut out, &[0; 65536], "x"), Err(too_long("x", 65536, 65535)));
        assert_eq!(fits(8, 7, "x"), Err(Error::OutOfRange { field: "x", found: 8, limit: 7 }));
        assert_eq!(of_length(&[1], 2, "x"), Err(Error::WrongLength { field: "x", found: 1, expected: 2 }));
        assert!(out.is_empty(), "nothing is written before the length is known to fit");
    }
}
