//! Ephemeral secrets: v of a key pair, j of a signature.

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{Error, SECRET_LEN};
use crate::arith::p256::Scalar;

/// A given secret. [`Error::NonceRange`] unless it is between 1 and q - 1.
pub(super) fn read(octets: &[u8; SECRET_LEN]) -> Result<Zeroizing<Scalar>, Error> {
    match Scalar::from_be_bytes(octets) {
        Some(scalar) if scalar != Scalar::ZERO => Ok(Zeroizing::new(scalar)),
        _ => Err(Error::NonceRange),
    }
}

/// A uniformly random secret between 1 and q - 1.
pub(super) fn draw<R: CryptoRng + ?Sized>(rng: &mut R) -> Zeroizing<Scalar> {
    let mut octets = Zeroizing::new([0; SECRET_LEN]);
    loop {
        rng.fill_bytes(&mut *octets);
        // Draws outside the range are thrown away, so that their count reveals nothing of the result.
        if let Ok(scalar) = read(&octets) {
            return scalar;
        }
    }
}

/// Calls `attempt` with random secrets until it does not refuse the secret. Where the random source works, a second
/// attempt has the probability 2^-256.
pub(super) fn with_random<R: CryptoRng + ?Sized, T>(
    rng: &mut R,
    attempt: impl Fn(&Scalar) -> Result<T, Error>,
) -> Result<T, Error> {
    match attempt(&draw(rng)) {
        Err(Error::NonceRefused) => attempt(&draw(rng)),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_secret_is_replaced_once() {
        let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
        for (refusals, expected) in [(0, Ok(1)), (1, Ok(2)), (2, Err(Error::NonceRefused))] {
            let attempts = core::cell::Cell::new(0);
            let result = with_random(&mut rng, |_| {
                attempts.set(attempts.get() + 1);
                if attempts.get() > refusals { Ok(attempts.get()) } else { Err(Error::NonceRefused) }
            });
            assert_eq!(result, expected);
        }
    }

    #[test]
    fn other_errors_are_not_retried() {
        let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
        let attempts = core::cell::Cell::new(0);
        let result: Result<(), Error> = with_random(&mut rng, |_| {
            attempts.set(attempts.get() + 1);
            Err(Error::KeyPairInvalid)
        });
        assert_eq!((result, attempts.get()), (Err(Error::KeyPairInvalid), 1));
    }
}
