//! Sending: from a key to a message.

use super::accept::REMEMBERED;
use super::held_key::{Initiator, is_kept};
use super::record::KmsRecord;
use super::{Error, HeldKey, Store};
use crate::mc::imessage::{IdentityMode, Offer, SessionMap};
use crate::mc::{Bundle, KeyId, KeyParameters, KeySet, KeyStatus, KeyType, Kms, domain_of};
use crate::mikey::NtpTime;
use crate::sakke::SharedSecret;
use rand_core::CryptoRng;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Which key to send to whom.
#[derive(Clone, Debug)]
pub struct OfferRequest<'a> {
    /// Who sends: one of the store's identities.
    pub user_uri: &'a str,
    /// Who shall receive.
    pub recipient_uri: &'a str,
    /// The receiver's KMS. Without it: the sender's own, if its certificate lists the domain of the receiver's URI or no
    /// domains at all; otherwise the one other KMS whose certificate lists it.
    pub recipient_kms_uri: Option<&'a str>,
    /// What the key is for.
    pub key_type: KeyType,
    /// Identifier of the key, if it has one; its purpose tag must be that of the type. The key of an identifier that
    /// this user sent before is sent again, with the same RAND, so that all members of a group derive the same.
    pub key_id: Option<KeyId>,
    /// The key, if there is one; otherwise a random one is made.
    pub key: Option<SharedSecret>,
    /// How the message names its two ends.
    pub identity_mode: IdentityMode,
    /// Whether the message maps its crypto sessions.
    pub session_map: SessionMap,
    /// Whether the sender's other devices can read it as well (SAKKE-to-self, TS 33.180 E.5).
    pub to_self: bool,
    /// What the message says about the key. Without it: of an SPK or MSCCK nothing; of others that it is live, and of a
    /// key that is sent again, what groups it is for and how long it lives.
    pub parameters: Option<KeyParameters>,
    /// Whether the message says nothing of the key, whatever `parameters` has.
    pub without_parameters: bool,
    /// Whether the message leaves out the security policy.
    pub without_policy: bool,
    /// Take the key back: [`KeyParameters::revoked`] from now on, or since the end of its life that the parameters name. The
    /// key must be one that this user sent, or be given. It is held on, so that other recipients can be told; as a live
    /// key it is not sent again.
    pub revoke: bool,
}

impl<'a> OfferRequest<'a> {
    /// A new random key with hidden identities.
    pub const fn new(user_uri: &'a str, recipient_uri: &'a str, key_type: KeyType) -> Self {
        Self {
            user_uri,
            recipient_uri,
            recipient_kms_uri: None,
            key_type,
            key_id: None,
            key: None,
            identity_mode: IdentityMode::Hidden,
            session_map: SessionMap::Empty,
            to_self: false,
            parameters: None,
            without_parameters: false,
            without_policy: false,
            revoke: false,
        }
    }
}

/// A message that is ready to be sent.
#[derive(Debug)]
pub struct Offered {
    /// The message, binary.
    pub message: Vec<u8>,
    /// The key in it, as the receiver will have it: for a GMK with the receiver's GUK-ID.
    pub bundle: Bundle,
    /// URI of the KMS that the receiver is taken to be a user of.
    pub recipient_kms: String,
    /// What the message says about the key.
    pub parameters: Option<KeyParameters>,
}

/// Makes an I_MESSAGE at the time `now`, and keeps its key in the store, except a PCK.
///
/// # Errors
/// [`Error::RecipientUri`], [`Error::UnknownUser`], [`Error::NoKeysForPeriod`], [`Error::KeySetDates`], [`Error::UnknownKms`], [`Error::AmbiguousKms`],
/// [`Error::CertificateRevoked`], [`Error::KeyIdType`], [`Error::OtherKeyHeld`], [`Error::NothingToRevoke`],
/// [`Error::KeyTakenBack`], [`Error::RevocationAhead`], [`Error::RevocationUnsaid`], [`Error::Message`], [`Error::File`].
pub fn offer(
    store: &mut Store,
    request: &OfferRequest<'_>,
    now: NtpTime,
    rng: &mut impl CryptoRng,
) -> Result<Offered, Error> {
    require_uri(request.recipient_uri)?;
    let recipient_kms = store.recipient_kms(request)?;
    let initiator = store.sender(request.user_uri, &recipient_kms, now)?;
    let recipient_kms = store.kms_at(&recipient_kms, now)?;
    let material = Material::choose(store, request, now, rng)?;
    let known = material.known.clone();
    let offered = build(request, &initiator, &recipient_kms, material, now, rng)?;
    if is_kept(request.key_type) {
        let oldest = now.seconds().saturating_sub(REMEMBERED);
        store.hold_own(&held(request, &initiator, &offered, known.as_ref(), now), now, oldest)?;
    }
    Ok(offered)
}

/// A URI enters the UID octet for octet, so that one with a stray space would be somebody whom nobody can be.
fn require_uri(uri: &str) -> Result<(), Error> {
    let refused = |problem| Err(Error::RecipientUri { uri: uri.to_owned(), problem });
    if uri.is_empty() {
        return refused("a URI is expected, such as sip:bob@example.org");
    }
    if uri.contains(char::is_whitespace) {
        return refused("a URI has no spaces");
    }
    if uri.contains(char::is_control) {
        return refused("a URI has no control characters");
    }
    Ok(())
}

fn build(
    request: &OfferRequest<'_>,
    initiator: &KeySet,
    recipient_kms: &Kms,
    Material { key_id, key, rand, known }: Material,
    now: NtpTime,
    rng: &mut impl CryptoRng,
) -> Result<Offered, Error> {
    let mut offer = Offer::new(initiator, request.recipient_uri, recipient_kms, key_id, key, now, rand)?
        .identity_mode(request.identity_mode)
        .session_map(request.session_map);
    if request.to_self {
        offer = offer.to_self();
    }
    if request.without_policy {
        offer = offer.without_policy();
    }
    let parameters = known.filter(|_| !request.without_parameters);
    if let Some(parameters) = parameters.clone() {
        offer = offer.parameters(parameters)?;
    }
    let bundle = offer.bundle().clone();
    let recipient_kms = recipient_kms.uri().to_owned();
    Ok(Offered { message: offer.build(rng)?, bundle, recipient_kms, parameters })
}

fn held(
    request: &OfferRequest<'_>,
    initiator: &KeySet,
    offered: &Offered,
    parameters: Option<&KeyParameters>,
    now: NtpTime,
) -> HeldKey {
    HeldKey {
        bundle: offered.bundle.clone(),
        initiator: Initiator::of_sender(initiator),
        recipient: request.recipient_uri.to_owned(),
        time: now,
        activation: parameters.map(|parameters| parameters.activation).filter(|time| *time != 0),
        expiry: parameters.map(|parameters| parameters.expiry).filter(|time| *time != 0),
        groups: parameters.map(|parameters| parameters.groups.clone()).unwrap_or_default(),
        revoked: request.revoke,
    }
}

/// What a message shall carry.
struct Material {
    key_id: KeyId,
    key: SharedSecret,
    rand: [u8; 16],
    /// What is known of the key, whether the message says it or not.
    known: Option<KeyParameters>,
}

impl Material {
    fn choose(
        store: &Store,
        request: &OfferRequest<'_>,
        now: NtpTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, Error> {
        if let Some(key_id) = request.key_id
            && key_id.key_type() != request.key_type
        {
            return Err(Error::KeyIdType { key_id, key_type: request.key_type });
        }
        let sent = request.key_id.and_then(|key_id| store.sent_key(request.user_uri, key_id));
        if request.revoke && sent.is_none() && (request.key.is_none() || request.key_id.is_none()) {
            return Err(Error::NothingToRevoke { key_type: request.key_type, key_id: request.key_id });
        }
        let said = request.parameters.clone().or_else(|| usual_parameters(request.key_type, sent.as_ref()));
        let known = match (request.revoke, request.without_parameters) {
            (true, true) => return Err(Error::RevocationUnsaid),
            (true, false) => Some(revoked_parameters(request, said, now)?),
            (false, _) => said,
        };
        if let Some(sent) = sent {
            if sent.revoked && !request.revoke {
                return Err(Error::KeyTakenBack { key_id: sent.bundle.key_id });
            }
            let Bundle { key, key_id, rand, .. } = sent.bundle;
            if request.key.as_ref().is_some_and(|given| !bool::from(given.as_bytes().ct_eq(key.as_bytes()))) {
                return Err(Error::OtherKeyHeld { key_id });
            }
            return Ok(Self { key_id, key, rand, known });
        }
        let mut rand = [0; 16];
        rng.fill_bytes(&mut rand);
        Ok(Self {
            key_id: request.key_id.unwrap_or_else(|| KeyId::generate(request.key_type, rng)),
            key: request.key.clone().unwrap_or_else(|| SharedSecret::generate(rng)),
            rand,
            known,
        })
    }
}

/// That the key is live, and what was said of it when it was sent before.
fn usual_parameters(key_type: KeyType, sent: Option<&HeldKey>) -> Option<KeyParameters> {
    if matches!(key_type, KeyType::Spk | KeyType::Mscck) {
        return None;
    }
    let live = KeyParameters::live(key_type);
    let Some(sent) = sent else { return Some(live) };
    Some(KeyParameters {
        activation: sent.activation.unwrap_or(0),
        expiry: sent.expiry.unwrap_or(0),
        groups: sent.groups.clone(),
        ..live
    })
}

/// What was said of the key, but that it is taken back.
fn revoked_parameters(
    request: &OfferRequest<'_>,
    said: Option<KeyParameters>,
    now: NtpTime,
) -> Result<KeyParameters, Error> {
    let since = now.unix_seconds().unwrap_or(0);
    let named = request.parameters.as_ref().map(|parameters| parameters.expiry).filter(|expiry| *expiry != 0);
    if let Some(expiry) = named.filter(|expiry| *expiry > since) {
        return Err(Error::RevocationAhead { expiry });
    }
    let Some(said) = said else { return Ok(KeyParameters::revoked(request.key_type, since)) };
    Ok(KeyParameters {
        status: KeyStatus(said.status.0 & !KeyStatus::NOT_REVOKED.0),
        // A key that was to become active later never will.
        activation: if said.activation > named.unwrap_or(since) { 0 } else { said.activation },
        expiry: named.unwrap_or(since),
        ..said
    })
}

impl Store {
    /// The key that this user sent under the identifier, taken back if it was from anybody.
    fn sent_key(&self, user_uri: &str, key_id: KeyId) -> Option<HeldKey> {
        let mut sent = self.held_keys();
        sent.retain(|key| key.initiator.uri.as_deref() == Some(user_uri) && key.bundle.key_id == key_id);
        let revoked = sent.iter().any(|key| key.revoked);
        Some(HeldKey { revoked, ..sent.pop()? })
    }

    /// The keys to send with: those of the KMS named, if it issued the user's, otherwise of the first that has any for now.
    fn sender(&mut self, user_uri: &str, preferred_kms: &str, now: NtpTime) -> Result<Arc<KeySet>, Error> {
        let mut kmss = self.kmss_of(user_uri)?;
        kmss.sort_by_key(|kms_uri| kms_uri.as_str() != preferred_kms);
        let mut refusal = Error::NoKeySets;
        for kms_uri in kmss {
            match self.key_set_at(user_uri, &kms_uri, now) {
                Ok(key_set) => return Ok(key_set),
                Err(error) => refusal = error,
            }
        }
        Err(refusal)
    }

    /// The KMS of the recipient. What other KMSs say of themselves cannot take a domain from the sender's own.
    fn recipient_kms(&self, request: &OfferRequest<'_>) -> Result<String, Error> {
        if let Some(kms_uri) = request.recipient_kms_uri {
            return Ok(kms_uri.to_owned());
        }
        let domain = domain_of(request.recipient_uri);
        let own_uris = self.kmss_of(request.user_uri)?;
        let (own, others): (Vec<_>, Vec<_>) = self.contents.kms.iter().partition(|kms| own_uris.contains(&kms.kms_uri));
        let serving = |kmss: &[&KmsRecord]| in_use(kmss.iter().copied().filter(|kms| kms.serves(domain)));
        let unlimited = || in_use(own.iter().copied().filter(|kms| kms.domains().next().is_none()));
        let mut candidates = serving(&own);
        if candidates.is_empty() {
            candidates = unlimited();
        }
        if candidates.is_empty() {
            candidates = serving(&others);
        }
        match <[String; 1]>::try_from(candidates) {
            Ok([kms_uri]) => Ok(kms_uri),
            Err(candidates) => Err(Error::AmbiguousKms { domain: domain.to_owned(), candidates }),
        }
    }
}

/// The URIs of those that are not revoked; if all are, of all, so that the refusal says that.
fn in_use<'a>(kmss: impl Iterator<Item = &'a KmsRecord>) -> Vec<String> {
    let (revoked, live): (Vec<_>, Vec<_>) = kmss.partition(|kms| kms.is_revoked());
    let kmss = if live.is_empty() { revoked } else { live };
    kmss.into_iter().map(|kms| kms.kms_uri.clone()).collect()
}
