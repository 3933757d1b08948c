use super::Error;
use crate::arith::supersingular::Scalar;

/// The identity as the integer b modulo q (RFC 6508 section 2.2).
///
/// Identities that differ only by leading zero octets or by a multiple of q have the same key. None of them opens what
/// is encapsulated to another, since the octets themselves are hashed into r; and UIDs all have one length below that of q.
pub(super) fn to_scalar(id: &[u8]) -> Result<Scalar, Error> {
    Scalar::from_be_bytes_mod(id).ok_or(Error::IdentityLength(id.len()))
}
