//! Finding out which identity a KMS issued keys for.
//!
//! TS 33.180 feeds the 32 octets of the UID to both schemes and counts key periods from 1900. Older KMSs took the 64
//! lower-case hex characters of the UID, or counted periods from 1970. Their documents do not say so; the keys do, for
//! they are valid under one identity alone, and the date of the answer tells what the period number counts from.

use super::Error;
use super::calendar::ntp_date;
use crate::eccsi::KeyPair;
use crate::mc::{IdentityForm, KeyPeriods, Kms, PeriodEpoch, Uid};
use crate::mikey::NtpTime;
use crate::sakke::ReceiverSecretKey;
use core::fmt;
use zeroize::Zeroizing;

/// What a KMS's keys are issued for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Convention {
    /// What of the UID is fed to SAKKE and ECCSI.
    pub identity_form: IdentityForm,
    /// What period numbers count from.
    pub period_epoch: PeriodEpoch,
}

impl Convention {
    /// What deviates from TS 33.180.
    pub(super) fn notes(self) -> Vec<String> {
        let form = match self.identity_form {
            IdentityForm::Raw => None,
            IdentityForm::HexText => Some(
                "the keys are valid for the 64 hex characters of the UID, as older KMSs issue them; \
                 TS 33.180 takes its 32 octets",
            ),
        };
        let epoch = match self.period_epoch {
            PeriodEpoch::Ntp => None,
            PeriodEpoch::Unix => Some("period numbers count from 1970, as with older KMSs; TS 33.180 counts from 1900"),
        };
        form.into_iter().chain(epoch).map(String::from).collect()
    }
}

impl fmt::Display for Convention {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let epoch = match self.period_epoch {
            PeriodEpoch::Ntp => "1900",
            PeriodEpoch::Unix => "1970",
        };
        write!(
            formatter,
            "identities that are {} of the UID, periods counted from {epoch}",
            form_text(self.identity_form)
        )
    }
}

/// One identity that keys were tried under, and whether each of them fits it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// What of the UID was taken.
    pub identity_form: IdentityForm,
    /// The UID.
    pub uid: Uid,
    /// Whether the UID was computed (TS 33.180 F.2.1) or taken from the key set's UserID.
    pub computed: bool,
    /// Whether the RSK (UserDecryptKey) is valid.
    pub rsk_valid: bool,
    /// Whether SSK and PVT (UserSigningKeySSK, UserPubTokenPVT) are valid.
    pub signing_key_valid: bool,
}

impl fmt::Display for Attempt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = if self.computed { "computed from the URIs and the period" } else { "given as UserID" };
        let text = |valid| if valid { "valid" } else { "not valid" };
        write!(
            formatter,
            "{} of the UID {} {origin}: RSK {}, SSK and PVT {}",
            form_text(self.identity_form),
            self.uid,
            text(self.rsk_valid),
            text(self.signing_key_valid),
        )
    }
}

fn form_text(form: IdentityForm) -> &'static str {
    match form {
        IdentityForm::Raw => "the 32 octets",
        IdentityForm::HexText => "the 64 hex characters",
    }
}

/// A key set as it came, its keys read but not validated.
pub(super) struct CandidateKeys {
    pub(super) user_uri: String,
    pub(super) period_no: u64,
    /// UserID.
    pub(super) user_id: Uid,
    pub(super) rsk: Zeroizing<Vec<u8>>,
    pub(super) ssk: Zeroizing<Vec<u8>>,
    pub(super) pvt: Zeroizing<Vec<u8>>,
}

impl CandidateKeys {
    /// The RSK as a point of its curve.
    pub(super) fn receiver_secret_key(&self) -> Result<ReceiverSecretKey, Error> {
        ReceiverSecretKey::from_bytes(&self.rsk).map_err(|error| self.malformed("UserDecryptKey", &error))
    }

    /// SSK and PVT as a scalar and a point of their curve.
    pub(super) fn key_pair(&self) -> Result<KeyPair, Error> {
        KeyPair::from_bytes(&self.ssk, &self.pvt)
            .map_err(|error| self.malformed("UserSigningKeySSK with UserPubTokenPVT", &error))
    }

    fn malformed(&self, field: &'static str, problem: &dyn fmt::Display) -> Error {
        Error::KeyMalformed {
            user_uri: self.user_uri.clone(),
            period_no: self.period_no,
            field,
            problem: problem.to_string(),
        }
    }
}

/// Tries the keys under each identity that they may be meant for, the one of `kms` first, until both are valid.
///
/// # Errors
/// [`Error::KeyMalformed`], [`Error::KeysInvalid`] with every attempt, and [`Error::KeysOfOtherIdentity`] where they are
/// valid for a UserID that is not the user's UID.
pub(super) fn identity_form(kms: &Kms, keys: &CandidateKeys) -> Result<IdentityForm, Error> {
    let computed = kms.uid(&keys.user_uri, keys.period_no)?;
    let forms = match kms.identity_form() {
        IdentityForm::Raw => [IdentityForm::Raw, IdentityForm::HexText],
        IdentityForm::HexText => [IdentityForm::HexText, IdentityForm::Raw],
    };
    let mut tried = Vec::new();
    for uid in [computed, keys.user_id] {
        if tried.iter().any(|attempt: &Attempt| attempt.uid == uid) {
            continue;
        }
        for form in forms {
            let attempt = attempt(kms, keys, form, uid, uid == computed)?;
            if !(attempt.rsk_valid && attempt.signing_key_valid) {
                tried.push(attempt);
            } else if attempt.computed {
                return Ok(form);
            } else {
                return Err(Error::KeysOfOtherIdentity {
                    user_uri: keys.user_uri.clone(),
                    period_no: keys.period_no,
                    user_id: uid.to_string(),
                    uid: computed.to_string(),
                });
            }
        }
    }
    Err(Error::KeysInvalid { user_uri: keys.user_uri.clone(), period_no: keys.period_no, tried })
}

fn attempt(
    kms: &Kms,
    keys: &CandidateKeys,
    identity_form: IdentityForm,
    uid: Uid,
    computed: bool,
) -> Result<Attempt, Error> {
    let identity = identity_form.identity(&uid);
    let signing_key_valid = keys.key_pair()?.validate(identity.as_bytes(), kms.eccsi()).is_ok();
    let rsk_valid = keys.receiver_secret_key()?.validate(identity.as_bytes(), kms.rsk_validator()).is_ok();
    Ok(Attempt { identity_form, uid, computed, rsk_valid, signing_key_valid })
}

/// What period numbers count from, told by the epoch that puts `period_no` nearest to `time`, when it was issued.
///
/// The two epochs lie 70 years apart and a KMS issues keys for now, so the nearest is the only one in reason.
pub(super) fn period_epoch(period: u64, offset: u64, period_no: u64, time: NtpTime) -> Result<PeriodEpoch, Error> {
    let ntp = distance(&KeyPeriods::new(period, offset, PeriodEpoch::Ntp)?, period_no, time);
    let unix = distance(&KeyPeriods::new(period, offset, PeriodEpoch::Unix)?, period_no, time);
    Ok(if unix < ntp { PeriodEpoch::Unix } else { PeriodEpoch::Ntp })
}

/// Seconds between a time and the nearest moment of a period.
fn distance(periods: &KeyPeriods, period_no: u64, time: NtpTime) -> u64 {
    let (start, end) = periods.bounds(period_no);
    let seconds = time.seconds();
    start.saturating_sub(seconds).max((seconds + 1).saturating_sub(end))
}

/// A period for people: first and last moment.
pub(super) fn period_text(periods: &KeyPeriods, period_no: u64) -> String {
    let (start, end) = periods.bounds(period_no);
    format!("{} to {}", ntp_date(start), ntp_date(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: u64 = 2_592_000;

    #[test]
    fn the_period_that_holds_the_time_tells_the_epoch() {
        let time = NtpTime::from_unix(1_621_257_916);
        for (period_no, expected) in [
            (625, PeriodEpoch::Unix),
            (626, PeriodEpoch::Unix),
            (624, PeriodEpoch::Unix),
            (1477, PeriodEpoch::Ntp),
            (1478, PeriodEpoch::Ntp),
            (0, PeriodEpoch::Unix),
            (5000, PeriodEpoch::Ntp),
        ] {
            assert_eq!(period_epoch(PERIOD, 0, period_no, time).unwrap(), expected, "{period_no}");
        }
    }

    #[test]
    fn a_distance_is_zero_inside_the_period_alone() {
        let periods = KeyPeriods::new(100, 3_800_000_030, PeriodEpoch::Ntp).unwrap();
        let at = |seconds: u64| distance(&periods, 7, NtpTime::from_seconds(3_800_000_000 + seconds));
        assert_eq!([at(729), at(730), at(829), at(830), at(840)], [1, 0, 0, 1, 11]);
    }

    #[test]
    fn a_period_without_length_is_refused() {
        let time = NtpTime::from_unix(1_621_257_916);
        assert!(matches!(period_epoch(0, 0, 1, time), Err(Error::Message(crate::mc::Error::ZeroPeriod))));
    }
}
