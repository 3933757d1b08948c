use super::Error;
use crate::arith::supersingular::Scalar;

/// The identity as the integer b modulo q (RFC 6508 section 2.2).
pub(super) fn to_scalar(id: &[u8]) -> Result<Scalar, Error> {
    Scalar::from_be_bytes_mod(id).ok_or(Error::IdentityLength(id.len()))
}
