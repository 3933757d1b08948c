use alloc::borrow::Cow;
use alloc::vec;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::message_keys::MessageKeys;
use super::{Bundle, Error, Parties, PreSharedKey, Protection, Sent, Settings, extensions, key_transport, time};
use crate::mikey::prf::Prf;
use crate::mikey::{
    CsIdMap, DataType, GeneralExtension, Header, Kemac, KeyData, Mac, Message, PrfFunction, Rand, SecurityPolicy,
    SubPayloads, Timestamp,
};

/// What an initiator says in an I_MESSAGE of the pre-shared key method (RFC 3830 3.1).
///
/// HDR, T, RAND, \[IDi\], \[IDr\], {SP}, extensions, KEMAC. The initiator owes that T is unique among its messages (RFC 3830 5.2),
/// that the CSB ID is unique among its bundles with this responder (6.1), and that RAND and keys are random.
#[derive(Debug, Clone)]
pub struct Offer<'a> {
    /// CSB ID.
    pub csb_id: u32,
    /// T; not a counter.
    pub timestamp: Timestamp,
    /// RAND, at least [`MIN_RAND_LEN`](super::MIN_RAND_LEN) octets.
    pub rand: Cow<'a, [u8]>,
    /// PRF func.
    pub prf: PrfFunction,
    /// Which crypto sessions there are; an SSRC of 0 is left to the responder (RFC 3830 6.1.1).
    pub cs_id_map: CsIdMap<'a>,
    /// Who the two ends are.
    pub parties: Parties<'a>,
    /// Whether the message names them. If it does not, the responder has to know them from elsewhere, or take them for
    /// unnamed as [`parties`](Self::parties) then has to.
    pub names_parties: bool,
    /// SPs, the security policies.
    pub policies: Vec<SecurityPolicy<'a>>,
    /// TGKs and TEKs, with or without salts, at least one. AES key wrap takes them only if all of Key data together has a
    /// multiple of 8 octets: RFC 3830 has no padding.
    pub keys: Vec<KeyData<'a>>,
    /// General extensions, which the MAC covers: [`SdpIds`](crate::mikey::SdpIds::to_extension) if the message goes into
    /// an SDP description (RFC 4567 4.1.4), [`KeyIdInformation`](crate::mikey::KeyIdInformation::to_extension) (RFC 4563),
    /// each once at most, and others.
    pub extensions: Vec<GeneralExtension<'a>>,
    /// How the keys are protected.
    pub protection: Protection,
    /// Whether the responder is to prove that it has the key, by a verification message: the V flag.
    pub wants_verification: bool,
}

impl<'a> Offer<'a> {
    /// An offer without crypto sessions, parties, policies, keys and extensions, of the mandatory PRF and
    /// [protection](Protection::MANDATORY); its fields say the rest.
    pub fn new(csb_id: u32, timestamp: Timestamp, rand: impl Into<Cow<'a, [u8]>>) -> Self {
        Self {
            csb_id,
            timestamp,
            rand: rand.into(),
            prf: PrfFunction::MIKEY_1,
            cs_id_map: CsIdMap::Empty { cs_count: 0 },
            parties: Parties::default(),
            names_parties: true,
            policies: Vec::new(),
            keys: Vec::new(),
            extensions: Vec::new(),
            protection: Protection::MANDATORY,
            wants_verification: false,
        }
    }

    /// Makes the I_MESSAGE, without a pre-shared key only where [`Settings::keys_in_clear`] allows that.
    ///
    /// # Errors
    /// [`Error::Prf`], [`Error::TimestampType`], [`Error::ResponderAlone`], [`Error::NoVerification`] if one is wanted of
    /// a message with the NULL MAC; for the protection [`Error::NullMac`], [`Error::NoPreSharedKey`],
    /// [`Error::Encryption`], [`Error::KeysInClear`], [`Error::KeyWrapLength`]; for keys and policies
    /// [`Error::RandLength`], [`Error::Missing`], [`Error::KeyType`], [`Error::RepeatedPolicy`]; for the sessions
    /// [`Error::NoSuchPolicy`], [`Error::RepeatedSession`], [`Error::PolicyProtocol`], [`Error::SessionDataLength`],
    /// [`Error::NoSuchKey`], [`Error::RepeatedSsrc`]; for extensions [`Error::Repeated`];
    /// [`Error::Mikey`] for what its field cannot hold and for extensions that are none.
    pub fn seal(&self, key: Option<&PreSharedKey>, settings: &Settings) -> Result<Sent, Error> {
        let prf = Prf::from_function(self.prf).ok_or(Error::Prf { found: self.prf })?;
        let time = time::instant(self.timestamp)?;
        self.protection.judge(settings, key.is_some())?;
        if self.names_parties && self.parties.initiator.is_none() && self.parties.responder.is_some() {
            return Err(Error::ResponderAlone);
        }
        let bundle = self.bundle(prf);
        bundle.judge()?;
        extensions::judge(&self.extensions)?;

        let message_keys = key.map(|key| MessageKeys { key, prf, csb_id: self.csb_id, rand: &self.rand });
        let mac_key = message_keys.as_ref().and_then(|keys| keys.mac_key(self.protection.mac));
        if self.wants_verification && mac_key.is_none() {
            return Err(Error::NoVerification);
        }
        let plain = self.key_data().to_bytes()?;
        let data = key_transport::encrypt(self.protection.encryption, message_keys.as_ref(), time, &plain)?;

        let unfilled = vec![0; self.protection.mac.mac_len()];
        let kemac = Kemac::new(self.protection.encryption, &**data, Mac::new(self.protection.mac, unfilled)?);
        let mut octets = Zeroizing::new(self.message().with(kemac).to_bytes()?);
        if let Some(mac_key) = &mac_key {
            mac_key.fill(&mut octets, &[]);
        }
        Ok(Sent {
            octets,
            bundle,
            prf: self.prf,
            timestamp: self.timestamp,
            parties: self.parties.clone().into_owned(),
            mac_key,
            wants_verification: self.wants_verification,
        })
    }

    fn bundle(&self, prf: Prf) -> Bundle {
        Bundle {
            csb_id: self.csb_id,
            prf,
            rand: self.rand.to_vec(),
            cs_id_map: self.cs_id_map.clone().into_owned(),
            policies: self.policies.iter().cloned().map(SecurityPolicy::into_owned).collect(),
            keys: self.keys.iter().cloned().map(KeyData::into_owned).collect(),
        }
    }

    fn key_data(&self) -> SubPayloads<'a> {
        self.keys.iter().cloned().fold(SubPayloads::new(), SubPayloads::with)
    }

    /// All but KEMAC, in the order of RFC 3830 3.1.
    fn message(&self) -> Message<'_> {
        let header = Header {
            data_type: DataType::PreShared,
            verification_expected: self.wants_verification,
            prf: self.prf,
            csb_id: self.csb_id,
            cs_id_map: self.cs_id_map.clone(),
        };
        let mut message = Message::new(header).with(self.timestamp).with(Rand::new(&*self.rand));
        if self.names_parties {
            let parties = [&self.parties.initiator, &self.parties.responder];
            message = parties.into_iter().flatten().cloned().fold(message, Message::with);
        }
        let message = self.policies.iter().cloned().fold(message, Message::with);
        self.extensions.iter().cloned().fold(message, Message::with)
    }
}
