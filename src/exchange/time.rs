//! T in an exchange: which instant it means, and how it stands in the message.

use alloc::vec::Vec;

use super::{Error, Settings};
use crate::mikey::{NtpTime, Timestamp};

/// The instant, as 64 bits; NTP-UTC-32 has no fraction (RFC 6043 6.3).
///
/// # Errors
/// [`Error::TimestampType`] for a counter.
pub(super) fn instant(timestamp: Timestamp) -> Result<NtpTime, Error> {
    match timestamp {
        Timestamp::NtpUtc(time) | Timestamp::Ntp(time) => Ok(time),
        Timestamp::NtpUtc32(seconds) => Ok(NtpTime::from_seconds(seconds.into())),
        Timestamp::Counter(_) => Err(Error::TimestampType { found: timestamp.type_number() }),
    }
}

/// Whether a message of this instant may be taken now (RFC 3830 5.3).
///
/// # Errors
/// [`Error::TooOld`], [`Error::InTheFuture`].
pub(super) fn judge(time: NtpTime, now: NtpTime, settings: &Settings) -> Result<(), Error> {
    let allowed = settings.clock_skew;
    let (then, now) = (time.seconds(), now.seconds());
    match (now.saturating_sub(then), then.saturating_sub(now)) {
        (age, _) if age > allowed => Err(Error::TooOld { age, allowed }),
        (_, ahead) if ahead > allowed => Err(Error::InTheFuture { ahead, allowed }),
        _ => Ok(()),
    }
}

/// Appends Timestamp as it stands in the T payload: 8 octets, or 4 of NTP-UTC-32 (RFC 3830 5.2, 6.6).
pub(super) fn append(timestamp: Timestamp, out: &mut Vec<u8>) {
    match timestamp {
        Timestamp::NtpUtc(time) | Timestamp::Ntp(time) => out.extend_from_slice(&time.to_bits().to_be_bytes()),
        Timestamp::Counter(number) | Timestamp::NtpUtc32(number) => out.extend_from_slice(&number.to_be_bytes()),
    }
}
