//! Payloads one behind the other, as a message, a ticket policy, a ticket and what is encrypted hold them.

use alloc::vec::Vec;

use super::codec::Reader;
use super::{Error, Message, Payload, PayloadType};

/// Payloads of an I_MESSAGE of TS 33.180: T, RAND, four identities, a policy, SAKKE, two extensions, SIGN.
const TYPICAL_PAYLOADS: usize = 11;

/// Reads payloads along the chain of next payload fields, from one of this type to the end of the octets. `read_one` reads
/// a payload of a type, and the type of the next.
pub(super) fn read<'a, P>(
    mut next: PayloadType,
    reader: &mut Reader<'a>,
    read_one: impl Fn(PayloadType, &mut Reader<'a>) -> Result<(P, PayloadType), Error>,
) -> Result<Vec<P>, Error> {
    let mut payloads = Vec::with_capacity(TYPICAL_PAYLOADS.min(reader.remaining() * 4 / size_of::<P>()));
    while next != PayloadType::LAST {
        if payloads.len() == Message::MAX_PAYLOADS {
            return Err(Error::TooManyPayloads { offset: reader.position(), limit: Message::MAX_PAYLOADS });
        }
        let (payload, following) = read_one(next, reader)?;
        payloads.push(payload);
        next = following;
    }
    match reader.remaining() {
        0 => Ok(payloads),
        count => Err(Error::TrailingOctets { offset: reader.position(), count }),
    }
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
