//! The key sets of many users: the same octets as one by one, in less time.

use super::{Authority, Error};
use crate::batch::{self, Threads};
use crate::eccsi;
use crate::kms_protocol::KmsKeySet;
use crate::mc::{IdentityForm, Uid};
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// Whose key set is to be derived.
struct Wanted<'a> {
    user_uri: &'a str,
    period_no: u64,
    validity: (OffsetDateTime, OffsetDateTime),
    uid: Uid,
}

impl Authority {
    /// The key sets of URIs for key periods, in order: octet for octet what [`Authority::key_set`] gives for each.
    ///
    /// Neighbours share work, and `threads` share all. The time depends on how many there are, and on no secret.
    ///
    /// # Errors
    /// Those of [`Authority::key_set`], for each by itself.
    pub fn key_sets(&self, wanted: &[(&str, u64)], threads: Threads) -> Vec<Result<KmsKeySet, Error>> {
        batch::map(wanted, threads, |wanted| self.key_sets_together(wanted))
    }

    fn key_sets_together(&self, wanted: &[(&str, u64)]) -> Vec<Result<KmsKeySet, Error>> {
        let wanted: Vec<Result<Wanted<'_>, Error>> =
            wanted.iter().map(|(user_uri, period_no)| self.wanted(user_uri, *period_no)).collect();
        let kpak = self.pub_auth_key.to_bytes();
        let identity = |wanted: &Wanted<'_>| IdentityForm::Raw.identity(&wanted.uid).as_bytes().to_vec();
        let with_nonce = |identity: Vec<u8>| {
            let v = self.nonce(&kpak, 0, &identity);
            (identity, v)
        };
        let signing: Vec<(Vec<u8>, Zeroizing<[u8; eccsi::SECRET_LEN]>)> =
            wanted.iter().flatten().map(identity).map(with_nonce).collect();
        let identities: Vec<&[u8]> = signing.iter().map(|(identity, _)| identity.as_slice()).collect();
        let rsks = self.secrets.sakke.extract_batch(&identities, Threads::ONE);
        let pairs = self.secrets.eccsi.extract_batch(&signing, Threads::ONE);
        let mut derived = rsks.into_iter().zip(pairs).zip(identities);
        wanted
            .into_iter()
            .map(|wanted| {
                let Wanted { user_uri, period_no, validity, uid } = wanted?;
                let ((rsk, pair), identity) = derived.next().ok_or(Error::Interrupted)?;
                let pair = match pair {
                    // From the first v on, as for a single one.
                    Err(eccsi::Error::NonceRange | eccsi::Error::NonceRefused) => self.signing_pair(identity)?,
                    pair => pair?,
                };
                Ok(self.issued(user_uri, period_no, &uid, validity, &rsk?, &pair))
            })
            .collect()
    }

    fn wanted<'a>(&self, user_uri: &'a str, period_no: u64) -> Result<Wanted<'a>, Error> {
        let validity = self.validity(period_no)?;
        let uid = Uid::new(user_uri, &self.kms_uri, &self.periods, period_no)?;
        Ok(Wanted { user_uri, period_no, validity, uid })
    }
}
