//! Key periods: the clock by which a KMS issues keys (TS 33.180 D.3.2.2, F.2.1).
use super::Error;
use crate::mikey::NtpTime;

/// Where period numbers count from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub enum PeriodEpoch {
    /// 1900-01-01, as TS 33.180 says.
    #[default]
    Ntp,
    /// 1970-01-01, as some old KMSs did.
    Unix,
}

impl PeriodEpoch {
    /// The epoch in seconds since 1900-01-01.
    const fn ntp_seconds(self) -> u64 {
        match self {
            Self::Ntp => 0,
            Self::Unix => NtpTime::UNIX_EPOCH,
        }
    }
}

/// The key periods of a KMS: their length, their offset, and the epoch that numbers count from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct KeyPeriods {
    period: u64,
    offset: u64,
    epoch: PeriodEpoch,
}

impl KeyPeriods {
    /// UserKeyPeriod and UserKeyOffset of a KMS certificate, in seconds.
    ///
    /// An offset longer than the period is accepted, since KMSs have it. Fails with [`Error::ZeroPeriod`].
    pub const fn new(period: u64, offset: u64, epoch: PeriodEpoch) -> Result<Self, Error> {
        if period == 0 {
            return Err(Error::ZeroPeriod);
        }
        Ok(Self { period, offset, epoch })
    }

    /// Length of a period in seconds.
    pub const fn period(&self) -> u64 {
        self.period
    }

    /// Seconds from the epoch to the start of period 0.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// What the numbers count from.
    pub const fn epoch(&self) -> PeriodEpoch {
        self.epoch
    }

    /// The number of the period that `time` falls into: floor((seconds - offset) / period).
    ///
    /// Fails with [`Error::BeforeFirstPeriod`] for a time before period 0.
    pub fn number_at(&self, time: NtpTime) -> Result<u64, Error> {
        time.seconds()
            .checked_sub(self.epoch.ntp_seconds())
            .and_then(|seconds| seconds.checked_sub(self.offset))
            .map(|seconds| seconds / self.period)
            .ok_or(Error::BeforeFirstPeriod { time })
    }

    /// Start (in it) and end (the first second after it) of a period, in seconds since 1900-01-01.
    ///
    /// Saturates at the end of 64-bit time.
    pub const fn bounds(&self, number: u64) -> (u64, u64) {
        let start =
            self.period.saturating_mul(number).saturating_add(self.offset).saturating_add(self.epoch.ntp_seconds());
        (start, start.saturating_add(self.period))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2005, a multiple of 100.
    const START: u64 = 3_333_333_300;

    fn at(periods: KeyPeriods, seconds: u64) -> Result<u64, Error> {
        periods.number_at(NtpTime::from_seconds(seconds))
    }

    #[test]
    fn numbers_change_exactly_at_the_bounds() {
        let periods = KeyPeriods::new(100, 30, PeriodEpoch::Ntp).unwrap();
        let number = START / 100;
        assert_eq!(periods.bounds(number), (START + 30, START + 130));
        assert_eq!(at(periods, START + 29), Ok(number - 1));
        assert_eq!(at(periods, START + 30), Ok(number));
        assert_eq!(at(periods, START + 129), Ok(number));
        assert_eq!(at(periods, START + 130), Ok(number + 1));
    }

    #[test]
    fn numbers_go_on_when_the_seconds_of_ntp_wrap() {
        let periods = KeyPeriods::new(1 << 20, 0, PeriodEpoch::Ntp).unwrap();
        assert_eq!(at(periods, (1 << 32) - 1), Ok((1 << 12) - 1));
        assert_eq!(at(periods, 1 << 32), Ok(1 << 12));
    }

    #[test]
    fn a_time_before_the_first_period_has_no_number() {
        let periods = KeyPeriods::new(100, START, PeriodEpoch::Ntp).unwrap();
        let time = NtpTime::from_seconds(START - 1);
        assert_eq!(periods.number_at(time), Err(Error::BeforeFirstPeriod { time }));
        assert_eq!(at(periods, START), Ok(0));
    }

    #[test]
    fn an_offset_longer_than_the_period_counts_on() {
        let periods = KeyPeriods::new(10, START, PeriodEpoch::Ntp).unwrap();
        assert_eq!(at(periods, START + 105), Ok(10));
    }

    #[test]
    fn the_unix_epoch_counts_from_1970() {
        let ntp = KeyPeriods::new(2_592_000, 0, PeriodEpoch::Ntp).unwrap();
        let unix = KeyPeriods::new(2_592_000, 0, PeriodEpoch::Unix).unwrap();
        let time = NtpTime::from_unix(1_621_257_916);
        assert_eq!(unix.number_at(time), Ok(625));
        assert_eq!(ntp.number_at(time), Ok(1477));
    }

    #[test]
    fn a_period_of_zero_seconds_is_refused() {
        assert_eq!(KeyPeriods::new(0, 0, PeriodEpoch::Ntp), Err(Error::ZeroPeriod));
    }

    #[test]
    fn bounds_saturate() {
        let periods = KeyPeriods::new(u64::MAX, u64::MAX, PeriodEpoch::Unix).unwrap();
        assert_eq!(periods.bounds(u64::MAX), (u64::MAX, u64::MAX));
    }
}
