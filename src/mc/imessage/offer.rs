//! Sending: from a key to the octets of a message.
use super::profile;
use crate::mc::{Bundle, Error, GukId, KeyId, KeyParameters, KeySet, KeyType, Kms, Uid};
use crate::mikey::{ExtensionType, GeneralExtension, Header, IdRole, Idr, Message, NtpTime, Rand, Sakke, Timestamp};
use crate::sakke::SharedSecret;
use alloc::vec::Vec;
use rand_core::CryptoRng;

/// How a message names its two ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub enum IdentityMode {
    /// By UID, in roles 8 and 9, so that nobody on the way learns who talks to whom (TS 33.180 5.2.6, E.7).
    #[default]
    Hidden,
    /// By URI, in roles 1 and 2.
    Plain,
}

/// Whether a message maps its crypto sessions. Both forms are in the field, and every receiver reads both.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub enum SessionMap {
    /// Not: the CS-IDs are those of table E.1.3-1. Alea does so, and Streamwide for a PCK; tshark 4.0 reads nothing else.
    #[default]
    Empty,
    /// By a GENERIC-ID map of one session (RFC 6043 6.1.1), whose SPI tells the MKI. Streamwide does so for a GMK and a
    /// CSK. Keys without crypto sessions (SPK, MKFC, MSCCK) have an empty map nonetheless.
    GenericId,
}

/// An I_MESSAGE to be: a key, from whom, to whom, when.
#[derive(Debug)]
pub struct Offer<'a> {
    initiator: &'a KeySet,
    recipient_uri: &'a str,
    recipient_kms: &'a Kms,
    bundle: Bundle,
    time: NtpTime,
    identity_mode: IdentityMode,
    session_map: SessionMap,
    parameters: Option<KeyParameters>,
    to_self: bool,
    has_policy: bool,
}

impl<'a> Offer<'a> {
    /// Offers `key`, named `key_id`, which also says what it is for, from the user of `initiator` to a user of
    /// `recipient_kms`.
    ///
    /// `time` becomes T and must lie in the key period of `initiator`. `rand` becomes RAND: random, and for a GMK the
    /// same in the messages to all members, since they derive each other's media keys with it. Identities are hidden, and
    /// there are no session map and no key parameters unless the methods below say otherwise.
    ///
    /// Fails with [`Error::TimeOutsideKeySet`], [`Error::BeforeFirstPeriod`], [`Error::KmsNotValid`], [`Error::TooLong`].
    pub fn new(
        initiator: &'a KeySet,
        recipient_uri: &'a str,
        recipient_kms: &'a Kms,
        key_id: KeyId,
        key: SharedSecret,
        time: NtpTime,
        rand: [u8; 16],
    ) -> Result<Self, Error> {
        let period = initiator.kms().periods().number_at(time)?;
        if period != initiator.period_no() {
            return Err(Error::TimeOutsideKeySet { key_set: initiator.period_no(), time: period });
        }
        initiator.kms().require_valid_at(time)?;
        recipient_kms.require_valid_at(time)?;
        let csb_id = match key_id.key_type() {
            KeyType::Gmk => GukId::new(&key, key_id, recipient_uri)?.key_id(),
            _ => key_id,
        };
        Ok(Self {
            initiator,
            recipient_uri,
            recipient_kms,
            bundle: Bundle { key, key_id, csb_id, rand },
            time,
            identity_mode: IdentityMode::default(),
            session_map: SessionMap::default(),
            parameters: None,
            to_self: false,
            has_policy: true,
        })
    }

    /// Chooses how the message names its two ends.
    #[must_use]
    pub const fn identity_mode(mut self, mode: IdentityMode) -> Self {
        self.identity_mode = mode;
        self
    }

    /// Chooses whether the message maps its crypto sessions. A key that has none, an SPK, MKFC or MSCCK, goes without:
    /// [`Error::NoCryptoSessions`] of [`Offer::build`].
    #[must_use]
    pub const fn session_map(mut self, map: SessionMap) -> Self {
        self.session_map = map;
        self
    }

    /// Leaves out the security policy, which a receiver then has to know from elsewhere.
    #[must_use]
    pub const fn without_policy(mut self) -> Self {
        self.has_policy = false;
        self
    }

    /// Adds key parameters, which travel under the key itself. Their type must be that of the key:
    /// [`Error::ParametersContradictType`].
    pub fn parameters(mut self, parameters: KeyParameters) -> Result<Self, Error> {
        let expected = self.bundle.key_id.key_type();
        if parameters.key_type != expected {
            return Err(Error::ParametersContradictType { found: parameters.key_type, expected });
        }
        self.parameters = Some(parameters);
        Ok(self)
    }

    /// Adds the key encapsulated to the initiator, so that the initiator's other devices and recorders can read it as well
    /// (SAKKE-to-self, TS 33.180 E.5): [`Incoming::open_own`](super::Incoming::open_own).
    #[must_use]
    pub const fn to_self(mut self) -> Self {
        self.to_self = true;
        self
    }

    /// The key with its identifiers and RAND, as the recipient will have it: for a GMK the GUK-ID is the recipient's.
    pub const fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// Encodes the message, encapsulates the key to the recipient, and signs: HDR, T, RAND, four IDRs, SP, SAKKE, the
    /// extensions for oneself and for key parameters if there are any, SIGN (TS 33.180 E.1.2).
    ///
    /// `rng` yields the vector of the key parameters and the nonce of the signature. Fails with
    /// [`Error::Encapsulation`], [`Error::TooLong`], [`Error::TimeTooLate`], [`Error::GroupsNotAllowed`] and
    /// [`Error::Mikey`].
    pub fn build<R: CryptoRng + ?Sized>(&self, rng: &mut R) -> Result<Vec<u8>, Error> {
        let Bundle { key, csb_id, rand, .. } = &self.bundle;
        let recipient_uid = self.recipient_kms.uid_at(self.recipient_uri, self.time)?;
        let sakke = encapsulate(key, self.recipient_kms, &recipient_uid)?;

        let map = match self.session_map {
            SessionMap::Empty => profile::EMPTY_MAP,
            SessionMap::GenericId => profile::generic_id_map(&self.bundle, self.has_policy)?,
        };
        let mut message = Message::new(Header::sakke(csb_id.to_u32(), map))
            .with(Timestamp::NtpUtc(self.time))
            .with(Rand::new(rand.as_slice()));
        message.payloads.extend(self.identities(&recipient_uid).map(Into::into));
        if self.has_policy {
            message = message.with(profile::default_policy(csb_id.key_type()));
        }
        message = message.with(sakke);
        if self.to_self {
            let data = encapsulate(key, self.initiator.kms(), self.initiator.uid())?.to_standalone()?;
            message = message.with(GeneralExtension::new(ExtensionType::SAKKE_TO_SELF, data));
        }
        if let Some(parameters) = &self.parameters {
            let mut iv = [0; 16];
            rng.fill_bytes(&mut iv);
            let data = parameters.protect(key, *csb_id, self.time.unix_seconds().unwrap_or(0), iv)?;
            message = message.with(GeneralExtension::new(ExtensionType::KEY_PARAMETERS, data));
        }
        message.sign(self.initiator.signer(), rng)?;
        Ok(message.to_bytes()?)
    }

    fn identities<'m>(&'m self, recipient_uid: &'m Uid) -> [Idr<'m>; 4] {
        let [initiator, recipient] = match self.identity_mode {
            IdentityMode::Hidden => [
                Idr::uri(IdRole::INITIATOR_UID, self.initiator.uid().as_bytes().as_slice()),
                Idr::uri(IdRole::RESPONDER_UID, recipient_uid.as_bytes().as_slice()),
            ],
            IdentityMode::Plain => [
                Idr::uri(IdRole::INITIATOR, self.initiator.user_uri().as_bytes()),
                Idr::uri(IdRole::RESPONDER, self.recipient_uri.as_bytes()),
            ],
        };
        [
            initiator,
            recipient,
            Idr::uri(IdRole::INITIATOR_KMS, self.initiator.kms().uri().as_bytes()),
            Idr::uri(IdRole::RESPONDER_KMS, self.recipient_kms.uri().as_bytes()),
        ]
    }
}

/// The key, encapsulated to a user of a KMS.
fn encapsulate(key: &SharedSecret, kms: &Kms, uid: &Uid) -> Result<Sakke<'static>, Error> {
    let sed = kms.sakke().encapsulate(kms.identity(uid).as_bytes(), key).map_err(Error::Encapsulation)?;
    Ok(Sakke::mcx(sed.to_bytes().to_vec()))
}
