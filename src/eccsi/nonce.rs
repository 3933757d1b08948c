//! Ephemeral secrets: v of a key pair, j of a signature.

use alloc::vec;
use alloc::vec::Vec;
use rand_core::CryptoRng;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use super::{Error, SECRET_LEN};
use crate::arith::p256::Scalar;
use crate::batch::{self, Threads};

/// A given secret. [`Error::NonceRange`] unless it is between 1 and q - 1.
pub(super) fn read(octets: &[u8; SECRET_LEN]) -> Result<Zeroizing<Scalar>, Error> {
    match Scalar::from_be_bytes(octets) {
        Some(scalar) if scalar != Scalar::ZERO => Ok(Zeroizing::new(scalar)),
        _ => Err(Error::NonceRange),
    }
}

/// Draws outside the range, one in 2^32, until a source is taken for defective.
const DRAWS: usize = 8;

/// A uniformly random secret between 1 and q - 1. [`Error::RandomSource`].
pub(super) fn draw<R: CryptoRng + ?Sized>(rng: &mut R) -> Result<Zeroizing<Scalar>, Error> {
    let mut octets = Zeroizing::new([0; SECRET_LEN]);
    for _ in 0..DRAWS {
        rng.fill_bytes(&mut *octets);
        // Draws outside the range are thrown away, so that their count reveals nothing of the result.
        if let Ok(scalar) = read(&octets) {
            return Ok(scalar);
        }
    }
    Err(Error::RandomSource)
}

/// What [`draw`] gives, many times, with as few calls of the random source. [`Error::RandomSource`] also where two
/// neighbours are the same: KSAK follows from two key pairs with one v, and SSK from two signatures with one j.
fn draw_all<R: CryptoRng + ?Sized>(rng: &mut R, count: usize) -> Result<Zeroizing<Vec<Scalar>>, Error> {
    let mut octets = Zeroizing::new(vec![[0; SECRET_LEN]; count]);
    rng.fill_bytes(octets.as_flattened_mut());
    let repeats = octets.windows(2).fold(Choice::from(0), |repeats, two| repeats | two[0].ct_eq(&two[1]));
    if bool::from(repeats) {
        return Err(Error::RandomSource);
    }
    let mut scalars = Zeroizing::new(Vec::with_capacity(count));
    for octets in octets.iter() {
        scalars.push(*read(octets).or_else(|_| draw(rng))?);
    }
    Ok(scalars)
}

/// Calls `attempt` with random secrets until it does not refuse the secret. Where the random source works, a second
/// attempt has the probability 2^-256.
pub(super) fn with_random<R: CryptoRng + ?Sized, T>(
    rng: &mut R,
    attempt: impl Fn(&Scalar) -> Result<T, Error>,
) -> Result<T, Error> {
    match attempt(&*draw(rng)?) {
        Err(Error::NonceRefused) => attempt(&*draw(rng)?),
        result => result,
    }
}

/// What `attempt` gives for all items with a random secret each, the secrets of neighbouring items at a time. Those whose
/// secret is refused get what `again` gives.
pub(super) fn with_random_batch<I: Sync, R: CryptoRng + ?Sized, T: Send + Sync>(
    items: &[I],
    threads: Threads,
    rng: &mut R,
    attempt: impl Fn(&[&I], &[Scalar]) -> Vec<Result<T, Error>> + Sync,
    again: impl Fn(&I, &mut R) -> Result<T, Error>,
) -> Vec<Result<T, Error>> {
    let secrets = match draw_all(rng, items.len()) {
        Ok(secrets) => secrets,
        Err(error) => return items.iter().map(|_| Err(error)).collect(),
    };
    let items: Vec<(&I, &Scalar)> = items.iter().zip(secrets.iter()).collect();
    let mut results = batch::map(&items, threads, |items| {
        let secrets: Zeroizing<Vec<Scalar>> = Zeroizing::new(items.iter().map(|(_, secret)| **secret).collect());
        let items: Vec<_> = items.iter().map(|(item, _)| *item).collect();
        attempt(&items, &secrets)
    });
    for (result, (item, _)) in results.iter_mut().zip(&items) {
        if let Err(Error::NonceRefused) = result {
            *result = again(item, rng);
        }
    }
    results
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
    fn refused_secrets_of_a_batch_are_replaced_once() {
        let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
        let items: Vec<u32> = (0..100).collect();
        let refuse_odd = |items: &[&u32], secrets: &[Scalar]| {
            assert_eq!(items.len(), secrets.len());
            items.iter().map(|&&item| if item % 2 == 0 { Ok(item) } else { Err(Error::NonceRefused) }).collect()
        };
        let again = |&item: &u32, _: &mut _| if item % 3 == 0 { Ok(1000 + item) } else { Err(Error::NonceRefused) };
        for threads in [Threads::ONE, Threads::SEVERAL] {
            let results = with_random_batch(&items, threads, &mut rng, refuse_odd, again);
            for (item, result) in items.iter().zip(results) {
                let expected = match (item % 2, item % 3) {
                    (0, _) => Ok(*item),
                    (_, 0) => Ok(1000 + item),
                    _ => Err(Error::NonceRefused),
                };
                assert_eq!(result, expected);
            }
        }
    }

    #[test]
    fn a_source_that_gives_one_octet_for_ever_is_defective() {
        for octet in [0, 0xff, 5] {
            let mut rng = Constant(octet);
            let drawn = draw(&mut rng).map(|_| ());
            assert_eq!(drawn, if octet == 5 { Ok(()) } else { Err(Error::RandomSource) });
            assert_eq!(draw_all(&mut rng, 2).map(|_| ()), Err(Error::RandomSource));
            let results = with_random_batch(&[1, 2], Threads::ONE, &mut rng, |_, _| vec![Ok(1), Ok(2)], |_, _| Ok(3));
            assert_eq!(results, [Err(Error::RandomSource), Err(Error::RandomSource)]);
        }
    }

    struct Constant(u8);

    impl rand_core::TryRng for Constant {
        type Error = core::convert::Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(u32::from_ne_bytes([self.0; 4]))
        }

        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Ok(u64::from_ne_bytes([self.0; 8]))
        }

        fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
            out.fill(self.0);
            Ok(())
        }
    }

    impl rand_core::TryCryptoRng for Constant {}

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
