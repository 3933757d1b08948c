use super::{PointError, SECRET_LEN, SIGNATURE_LEN};

/// Why ECCSI refused. q is the order of P-256, p the characteristic of its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A master secret (KSAK) of the wrong length.
    #[error("an ECCSI master secret (KSAK) has {SECRET_LEN} octets, found {0}")]
    MasterSecretLength(usize),
    /// A master secret (KSAK) outside 1 .. q-1.
    #[error("the ECCSI master secret (KSAK) is not between 1 and q - 1")]
    MasterSecretRange,
    /// The octets of a KMS public key (KPAK) are not a point that one may use.
    #[error("KMS public authentication key (KPAK): {0}")]
    PublicKey(PointError),
    /// A secret signing key (SSK) without octets, or with more than 32 after leading zero octets.
    #[error("a secret signing key (SSK) has {SECRET_LEN} octets, found {0}")]
    SskLength(usize),
    /// A secret signing key (SSK) that is 0, which RFC 6507 section 5.1.2 refuses.
    #[error("the secret signing key (SSK) is 0")]
    SskZero,
    /// A secret signing key (SSK) not below q.
    #[error("the secret signing key (SSK) is not below q")]
    SskRange,
    /// The public validation token (PVT) of a key pair is not a point that one may use.
    #[error("public validation token (PVT) of the key pair: {0}")]
    Pvt(PointError),
    /// The key pair does not belong to this identity under this KMS (RFC 6507 section 5.1.2).
    #[error("the ECCSI key pair is not valid for this identity and KMS")]
    KeyPairInvalid,
    /// The ephemeral secret v of a key pair or j of a signature is outside 1 .. q-1.
    #[error("an ephemeral ECCSI secret is not between 1 and q - 1")]
    NonceRange,
    /// The ephemeral secret gives HS, SSK, r or HE + r SSK the value 0: take another one (probability 2^-256).
    #[error("an ephemeral ECCSI secret gives a value of 0; take another one")]
    NonceRefused,
    /// The random source is defective: it gave no usable number in many draws, or one number twice.
    #[error("the random source is defective")]
    RandomSource,
    /// A signature of the wrong length.
    #[error("an ECCSI signature has {SIGNATURE_LEN} octets, found {0}")]
    SignatureLength(usize),
    /// r of a signature is outside 1 .. p-1, the first coordinates of points.
    #[error("r of the ECCSI signature is not between 1 and p - 1")]
    SignatureR,
    /// s of a signature is outside 1 .. q-1.
    #[error("s of the ECCSI signature is not between 1 and q - 1")]
    SignatureS,
    /// The public validation token (PVT) in a signature is not a point that one may use.
    #[error("public validation token (PVT) of the ECCSI signature: {0}")]
    SignaturePvt(PointError),
    /// The signature was not made by this identity under this KMS over this message (RFC 6507 section 5.2.2).
    #[error("the ECCSI signature is not this identity's over this message")]
    SignatureInvalid,
}
