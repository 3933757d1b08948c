//! The validated keys of one user for one key period.
use super::{Error, Kms, Uid};
use crate::{eccsi, sakke};
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use once_cell::race::OnceBox;

/// A user's decryption key and signing key for one key period, both checked against the KMS that issued them.
///
/// There is no other way to make one than [`KeySet::validate`], or [`KeySet::assume_valid`] from what that has checked
/// before, so that nothing ever decrypts or signs with a key that does not belong to its user.
pub struct KeySet {
    user_uri: String,
    kms: Kms,
    period_no: u64,
    uid: Uid,
    rsk: sakke::ValidatedKey,
    receiver: OnceBox<sakke::ReceiverKey>,
    signer: eccsi::SigningKey,
}

impl KeySet {
    /// Checks both keys of a KmsKeySet for `user_uri` in period `period_no` (RFC 6508 6.1.2, RFC 6507 5.1.2).
    ///
    /// Fails with [`Error::RskInvalid`] or [`Error::SigningKeyInvalid`] when a key was issued for another user, period,
    /// KMS or [identity form](super::IdentityForm), and with [`Error::TooLong`].
    pub fn validate(
        kms: &Kms,
        user_uri: &str,
        period_no: u64,
        rsk: sakke::ReceiverSecretKey,
        pair: eccsi::KeyPair,
    ) -> Result<Self, Error> {
        // The signing key first: its check is some thirty times cheaper.
        let check = |identity: &[u8]| rsk.validate(identity, kms.rsk_validator()).map_err(Error::RskInvalid);
        Self::new(kms, user_uri, period_no, pair, check)
    }

    /// The same without a check of the RSK, which is most of the work: only for keys that were validated before, and were
    /// kept since where nobody else can write, such as in a client's sealed store.
    pub fn assume_valid(
        kms: &Kms,
        user_uri: &str,
        period_no: u64,
        rsk: sakke::ReceiverSecretKey,
        pair: eccsi::KeyPair,
    ) -> Result<Self, Error> {
        Self::new(kms, user_uri, period_no, pair, |identity| Ok(rsk.assume_valid(identity)))
    }

    fn new(
        kms: &Kms,
        user_uri: &str,
        period_no: u64,
        pair: eccsi::KeyPair,
        rsk_for: impl FnOnce(&[u8]) -> Result<sakke::ValidatedKey, Error>,
    ) -> Result<Self, Error> {
        let uid = kms.uid(user_uri, period_no)?;
        let identity = kms.identity(&uid);
        let signer = pair.validate(identity.as_bytes(), kms.eccsi()).map_err(Error::SigningKeyInvalid)?;
        let rsk = rsk_for(identity.as_bytes())?;
        let receiver = OnceBox::new();
        Ok(Self { user_uri: user_uri.into(), kms: kms.clone(), period_no, uid, rsk, receiver, signer })
    }

    /// The user.
    pub fn user_uri(&self) -> &str {
        &self.user_uri
    }

    /// The KMS that issued the keys.
    pub const fn kms(&self) -> &Kms {
        &self.kms
    }

    /// The key period that the keys are for.
    pub const fn period_no(&self) -> u64 {
        self.period_no
    }

    /// The user's UID for that period.
    pub const fn uid(&self) -> &Uid {
        &self.uid
    }

    /// The RSK.
    pub const fn rsk(&self) -> &sakke::ReceiverSecretKey {
        self.rsk.rsk()
    }

    /// The key that decapsulates. The first call loads it, which takes some milliseconds and at most 378 KiB.
    pub fn receiver(&self) -> &sakke::ReceiverKey {
        self.receiver.get_or_init(|| Box::new(self.rsk.load()))
    }

    /// The key that signs.
    pub const fn signer(&self) -> &eccsi::SigningKey {
        &self.signer
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySet")
            .field("user_uri", &self.user_uri)
            .field("kms_uri", &self.kms.uri())
            .field("period_no", &self.period_no)
            .finish_non_exhaustive()
    }
}
