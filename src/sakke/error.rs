use crate::arith::supersingular::PointError;

/// Why SAKKE refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The octets of a KMS public key are not a point of the subgroup.
    #[error("KMS public encryption key Z: {0}")]
    PublicKey(PointError),
    /// The octets of a receiver secret key are not a point of the subgroup.
    #[error("receiver secret key: {0}")]
    ReceiverSecretKey(PointError),
    /// R of an encapsulation is not a point that one may use.
    #[error("point R of the SAKKE encapsulated data: {0}")]
    EncapsulationPoint(PointError),
    /// SAKKE encapsulated data of the wrong length.
    #[error("SAKKE encapsulated data has {expected} octets, found {0}", expected = super::SED_LEN)]
    EncapsulationLength(usize),
    /// A master secret of the wrong length.
    #[error("a SAKKE master secret has {expected} octets, found {0}", expected = super::MASTER_SECRET_LEN)]
    MasterSecretLength(usize),
    /// A master secret outside 2 .. q-1.
    #[error("the SAKKE master secret is not between 2 and q - 1")]
    MasterSecretRange,
    /// The random source is defective: it gave no usable number in many draws.
    #[error("the random source is defective")]
    RandomSource,
    /// The identity is longer than the 128 octets of an integer modulo q.
    #[error("an identity has at most {expected} octets, found {0}", expected = super::MASTER_SECRET_LEN)]
    IdentityLength(usize),
    /// The identity is the negative of the master secret: no key exists for it (probability 2^-1022).
    #[error("no key exists for this identity under this master secret")]
    IdentityWithoutKey,
    /// The receiver secret key does not belong to this identity under this KMS (RFC 6508 section 6.1.2).
    #[error("the receiver secret key is not valid for this identity and KMS")]
    RskInvalid,
    /// The encapsulation was not made for this key, or was altered (RFC 6508 section 6.2.2, step 5).
    #[error("the encapsulated data was not made for this identity, or was altered")]
    DecapsulationFailed,
}
