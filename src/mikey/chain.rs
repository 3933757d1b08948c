//! Payloads one behind the other, as a message, a ticket policy, a ticket and what is encrypted hold them.

use alloc::vec::Vec;
use core::ops::Range;

use super::codec::Reader;
use super::{Error, Message, Payload, PayloadType};

/// Octets that a list of payloads may take whatever it is read from: eleven payloads, as an I_MESSAGE of TS 33.180 has.
const LIST_FLOOR: usize = 1024;

/// Octets that a list of payloads may take beyond that for each octet that it is read from.
const LIST_FACTOR: usize = 4;

/// Where a chain breaks.
pub(super) struct Break {
    /// The type of the payload that cannot be read, as it was announced; [`PayloadType::LAST`] for what follows the last.
    pub(super) payload_type: PayloadType,
    /// Where that payload starts.
    pub(super) start: usize,
    pub(super) error: Error,
}

/// Reads payloads along the chain of next payload fields, from one of this type to the end of the octets. `read_one` reads
/// a payload of a type, and the type of the next.
pub(super) fn read<'a, P>(
    first: PayloadType,
    reader: &mut Reader<'a>,
    read_one: impl Fn(PayloadType, &mut Reader<'a>) -> Result<(P, PayloadType), Error>,
) -> Result<Vec<P>, Error> {
    match read_to_break(first, reader, read_one) {
        (payloads, None) => Ok(payloads),
        (_, Some(at)) => Err(at.error),
    }
}

/// The same payloads in turn, each with its octets, without a list of them.
pub(super) fn each<'a, P>(
    first: PayloadType,
    mut reader: Reader<'a>,
    read_one: impl Fn(PayloadType, &mut Reader<'a>) -> Result<(P, PayloadType), Error>,
) -> impl Iterator<Item = Result<(Range<usize>, P), Error>> {
    let mut next = first;
    core::iter::from_fn(move || {
        if next == PayloadType::LAST {
            return None;
        }
        let start = reader.position();
        let read = read_one(next, &mut reader);
        next = read.as_ref().map_or(PayloadType::LAST, |(_, following)| *following);
        Some(read.map(|(payload, _)| (start..reader.position(), payload)))
    })
}

/// The same, with what can be read before the chain breaks.
pub(super) fn read_to_break<'a, P>(
    first: PayloadType,
    reader: &mut Reader<'a>,
    read_one: impl Fn(PayloadType, &mut Reader<'a>) -> Result<(P, PayloadType), Error>,
) -> (Vec<P>, Option<Break>) {
    // Counted before they are kept: a list that grows would for a while be there twice.
    let mut count = 0;
    let _ = walk(first, &mut reader.clone(), &read_one, |_| count += 1);
    let mut payloads = Vec::with_capacity(count);
    let end = walk(first, reader, &read_one, |payload| payloads.push(payload));
    (payloads, end.err())
}

fn walk<'a, P>(
    first: PayloadType,
    reader: &mut Reader<'a>,
    read_one: impl Fn(PayloadType, &mut Reader<'a>) -> Result<(P, PayloadType), Error>,
    mut visit: impl FnMut(P),
) -> Result<(), Break> {
    let limit = limit::<P>(reader.remaining());
    let mut next = first;
    let mut count = 0;
    while next != PayloadType::LAST {
        let (payload_type, start) = (next, reader.position());
        let broken = |error| Break { payload_type, start, error };
        if count == limit {
            return Err(broken(Error::TooManyPayloads { offset: start, limit }));
        }
        let (payload, following) = read_one(next, reader).map_err(broken)?;
        visit(payload);
        next = following;
        count += 1;
    }
    let start = reader.position();
    match reader.remaining() {
        0 => Ok(()),
        count => Err(Break { payload_type: next, start, error: Error::TrailingOctets { offset: start, count } }),
    }
}

/// The most payloads that are read from so many octets.
const fn limit<P>(octets: usize) -> usize {
    let affordable = (LIST_FLOOR + LIST_FACTOR * octets) / size_of::<P>();
    if affordable < Message::MAX_PAYLOADS { affordable } else { Message::MAX_PAYLOADS }
}

/// Writes what announces the payloads, which is handed the type of the first, and the payloads.
pub(super) fn write(
    payloads: &[Payload<'_>],
    out: &mut Vec<u8>,
    announce: impl FnOnce(PayloadType, &mut Vec<u8>) -> Result<(), Error>,
) -> Result<(), Error> {
    let last = payloads.len().saturating_sub(1);
    let sign = |payload: &Payload<'_>| payload.payload_type() == PayloadType::SIGN;
    if let Some(index) = payloads.iter().position(sign).filter(|&index| index != last) {
        return Err(Error::SignNotLast { index });
    }
    let mut types = payloads.iter().map(Payload::payload_type);
    let mut next = || types.next().unwrap_or(PayloadType::LAST);
    announce(next(), out)?;
    payloads.iter().try_for_each(|payload| payload.write(next(), out))
}
