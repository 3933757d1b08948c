//! The key sets of many users: the same octets as one by one, in less time.

use super::{Authority, Error, Issued, Serving};
use crate::batch::{self, Threads};
use crate::kms_protocol::KmsKeySet;
use crate::mc::{IdentityForm, Uid};
use crate::{eccsi, sakke};
use std::collections::BTreeMap;
use std::vec;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// Whose key set is to be derived, and from which secrets.
struct Wanted<'a> {
    user_uri: &'a str,
    period_no: u64,
    validity: (OffsetDateTime, OffsetDateTime),
    uid: Uid,
    serving: Serving<'a>,
}

/// The keys of one identity.
type Extracted = Result<(sakke::ReceiverSecretKey, eccsi::KeyPair), Error>;

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
        let mut by_generation: BTreeMap<u64, Vec<&Wanted<'_>>> = BTreeMap::new();
        for wanted in wanted.iter().flatten() {
            by_generation.entry(wanted.serving.number).or_default().push(wanted);
        }
        let mut extracted: BTreeMap<u64, vec::IntoIter<Extracted>> =
            by_generation.into_iter().map(|(number, wanted)| (number, extract(&wanted).into_iter())).collect();
        wanted
            .into_iter()
            .map(|wanted| {
                let Wanted { user_uri, period_no, validity, uid, serving } = wanted?;
                let next = extracted.get_mut(&serving.number).and_then(Iterator::next);
                let (rsk, pair) = next.ok_or(Error::Interrupted)??;
                let issued = Issued { user_uri, period_no, uid: &uid, validity, rsk: &rsk, pair: &pair };
                Ok(self.issued(&serving, issued))
            })
            .collect()
    }

    fn wanted<'a>(&'a self, user_uri: &'a str, period_no: u64) -> Result<Wanted<'a>, Error> {
        let validity = self.validity(period_no)?;
        let uid = Uid::new(user_uri, &self.kms_uri, &self.periods, period_no)?;
        Ok(Wanted { user_uri, period_no, validity, uid, serving: self.serving(period_no) })
    }
}

/// The keys of identities that are served by one generation, in order.
fn extract(wanted: &[&Wanted<'_>]) -> Vec<Extracted> {
    let Some(secrets) = wanted.first().map(|first| first.serving.secrets) else { return Vec::new() };
    let kpak = secrets.eccsi.public_key().to_bytes();
    let signing: Vec<(Vec<u8>, Zeroizing<[u8; eccsi::SECRET_LEN]>)> = wanted
        .iter()
        .map(|wanted| {
            let identity = IdentityForm::Raw.identity(&wanted.uid).as_bytes().to_vec();
            let v = secrets.nonce(&kpak, 0, &identity);
            (identity, v)
        })
        .collect();
    let identities: Vec<&[u8]> = signing.iter().map(|(identity, _)| identity.as_slice()).collect();
    let rsks = secrets.sakke.extract_batch(&identities, Threads::ONE);
    let pairs = secrets.eccsi.extract_batch(&signing, Threads::ONE);
    let extracted = rsks.into_iter().zip(pairs).zip(identities);
    extracted
        .map(|((rsk, pair), identity)| {
            let pair = match pair {
                // From the first v on, as for a single one.
                Err(eccsi::Error::NonceRange | eccsi::Error::NonceRefused) => secrets.signing_pair(identity)?,
                pair => pair?,
            };
            Ok((rsk?, pair))
        })
        .collect()
}
