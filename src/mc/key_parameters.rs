//! Key parameters: what a message says about the key that it carries (TS 33.180 E.6).
use super::protected_payload::{ProtectedPayload, protect};
use super::text::is_printable;
use super::{Error, KeyId, KeyType};
use crate::mikey;
use crate::mikey::codec::Reader;
use crate::sakke::SharedSecret;
use alloc::string::String;
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// Information element identifier of an MC group ID in the group list.
const GROUP_IEI: u8 = 0x7b;
/// Octets of key type, status, activation and expiry.
const FIXED_LEN: usize = 15;
/// Names of the two kinds of text, in errors.
const TEXT: &str = "text of key parameters";
const MC_GROUP_ID: &str = "MC group ID";
/// The greatest time that five octets hold.
const MAX_TIME: u64 = (1 << 40) - 1;

/// The status of a key, 32 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct KeyStatus(pub u32);

impl KeyStatus {
    /// Bit 0: the key is not revoked.
    pub const NOT_REVOKED: Self = Self(1);
    /// Bit 1: the key is shared with a security gateway.
    pub const SHARED_WITH_GATEWAY: Self = Self(2);
    /// No bit at all. Strictly that is a revoked key, but deployed senders write it for live ones
    /// (see [`Compatibility::status_zero`](super::imessage::Compatibility)).
    pub const ZERO: Self = Self(0);

    /// Whether bit 0 says that the key is live.
    pub const fn is_live(self) -> bool {
        self.0 & Self::NOT_REVOKED.0 != 0
    }

    /// Whether bit 1 says that a security gateway has the key as well.
    pub const fn is_shared_with_gateway(self) -> bool {
        self.0 & Self::SHARED_WITH_GATEWAY.0 != 0
    }
}

/// Type, status, life and use of a key (table E.6.1-1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyParameters {
    /// What the key is for; must agree with the purpose tag of its identifier.
    pub key_type: KeyType,
    /// Revoked or not, shared with a security gateway or not.
    pub status: KeyStatus,
    /// Unix seconds (40 bits) from which the key may be used; 0 means from the message's own time T.
    pub activation: u64,
    /// Unix seconds (40 bits) from which the key must not be used; 0 means never.
    pub expiry: u64,
    /// Text for people.
    pub text: String,
    /// MC group IDs that the key is for: of GMK, MKFC and MuSiK alone.
    pub groups: Vec<String>,
}

impl KeyParameters {
    /// Parameters of a live key, active at once and without an end, for no group in particular.
    pub const fn live(key_type: KeyType) -> Self {
        Self {
            key_type,
            status: KeyStatus::NOT_REVOKED,
            activation: 0,
            expiry: 0,
            text: String::new(),
            groups: Vec::new(),
        }
    }

    /// Parameters that take a key back from the time `since` on (Unix seconds): without bit 0 in the status, and expired,
    /// so that they mean the same to a receiver that takes status 0 for a live key.
    pub fn revoked(key_type: KeyType, since: u64) -> Self {
        Self { status: KeyStatus::ZERO, expiry: since, ..Self::live(key_type) }
    }

    /// Encodes the parameters in clear.
    ///
    /// Fails with [`Error::TooLong`] when a time, a text or a list exceeds its field, with
    /// [`Error::GroupsNotAllowed`] when a key of another type has groups, and with [`Error::ExpiryBeforeActivation`],
    /// [`Error::ParametersUnprintable`] or [`Error::EmptyGroup`] for what no receiver would accept.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        self.require_sensible()?;
        let mut out = Vec::with_capacity(FIXED_LEN + 4 + self.text.len());
        out.push(self.key_type.tag());
        out.extend_from_slice(&self.status.0.to_be_bytes());
        out.extend_from_slice(&five_octets("activation time", self.activation)?);
        out.extend_from_slice(&five_octets("expiry time", self.expiry)?);
        push_with_length(&mut out, TEXT, self.text.as_bytes())?;
        if self.key_type.has_groups() {
            push_with_length(&mut out, "group list", &self.encode_groups()?)?;
        } else if !self.groups.is_empty() {
            return Err(Error::GroupsNotAllowed { key_type: self.key_type });
        }
        Ok(out)
    }

    fn encode_groups(&self) -> Result<Vec<u8>, Error> {
        let count = self.groups.len();
        let mut list =
            alloc::vec![u8::try_from(count).map_err(|_| Error::TooLong { what: "number of groups", len: count })?];
        for group in &self.groups {
            list.push(GROUP_IEI);
            push_with_length(&mut list, MC_GROUP_ID, group.as_bytes())?;
        }
        Ok(list)
    }

    /// Reads parameters in clear: bare, as the field sends them, or inside the outer TLV that clause E.6.1 describes.
    ///
    /// Every octet must be accounted for: [`Error::ParametersMalformed`], [`Error::GroupIei`] or [`Error::GroupList`]
    /// otherwise. Also fails with [`Error::ParametersKeyType`], [`Error::ParametersText`], [`Error::ParametersUnprintable`],
    /// [`Error::EmptyGroup`] and [`Error::ExpiryBeforeActivation`].
    pub fn parse(data: &[u8]) -> Result<Self, Error> {
        match Self::parse_bare(data) {
            Err(bare) => {
                inside_outer_tlv(data).map_or(Err(bare.clone()), |inner| Self::parse_bare(inner).map_err(|_| bare))
            }
            parsed => parsed,
        }
    }

    /// Octets of old key parameters.
    pub(super) const OLD_LEN: usize = FIXED_LEN + 2;

    /// Reads key parameters as senders wrote them before they were protected: key type, counted from 1, status,
    /// activation, expiry, and a text of no octets.
    pub(super) fn parse_old(octets: &[u8; Self::OLD_LEN]) -> Result<Self, Error> {
        let [found, others @ ..] = *octets;
        let tag = found.checked_sub(1).ok_or(Error::ParametersKeyType { found })?;
        let mut data = [0; Self::OLD_LEN];
        let [first, rest @ ..] = &mut data;
        (*first, *rest) = (tag, others);
        Self::parse_bare(&data)
    }

    fn parse_bare(data: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(data);
        let found = reader.octet("key type").map_err(malformed)?;
        let key_type = KeyType::from_tag(found).map_err(|_| Error::ParametersKeyType { found })?;
        let status = KeyStatus(reader.u32("status").map_err(malformed)?);
        let activation = five_octet_time(&mut reader, "activation time")?;
        let expiry = five_octet_time(&mut reader, "expiry time")?;
        let text = text(TEXT, reader.data_16(TEXT).map_err(malformed)?)?;
        // A sender with no group in mind may leave the list out.
        let groups = if key_type.has_groups() && reader.remaining() != 0 {
            parse_groups(&mut reader.confined_16("group list").map_err(malformed)?)?
        } else {
            Vec::new()
        };
        if reader.remaining() != 0 {
            return Err(Error::ParametersMalformed { offset: reader.position(), expected: "the end" });
        }
        let parameters = Self { key_type, status, activation, expiry, text, groups };
        parameters.require_sensible()?;
        Ok(parameters)
    }

    /// What neither a sender may say nor a receiver believe.
    fn require_sensible(&self) -> Result<(), Error> {
        let Self { activation, expiry, .. } = *self;
        if expiry != 0 && activation > expiry {
            return Err(Error::ExpiryBeforeActivation { expiry, activation });
        }
        if !is_printable(&self.text) {
            return Err(Error::ParametersUnprintable { what: TEXT });
        }
        if let Some(index) = self.groups.iter().position(String::is_empty) {
            return Err(Error::EmptyGroup { index });
        }
        match self.groups.iter().all(|group| is_printable(group)) {
            true => Ok(()),
            false => Err(Error::ParametersUnprintable { what: MC_GROUP_ID }),
        }
    }

    /// Encodes and protects the parameters under the key that they describe.
    ///
    /// `csb_id` is the CSB-ID of the message (a GUK-ID for a GMK), `unix_seconds` its time, `iv` 16 fresh random octets.
    pub fn protect(
        &self,
        key: &SharedSecret,
        csb_id: KeyId,
        unix_seconds: u64,
        iv: [u8; 16],
    ) -> Result<Vec<u8>, Error> {
        protect(key, csb_id, unix_seconds, &Zeroizing::new(self.to_bytes()?), iv)
    }

    /// Opens protected parameters, the contents of a General Extension of type 7, with the key that they describe.
    ///
    /// Fails with [`Error::DppkIdMismatch`] when they name another key than `csb_id`, [`Error::ParametersTag`] when
    /// they were altered, and the errors of the two encodings.
    pub fn unprotect(data: &[u8], key: &SharedSecret, csb_id: KeyId) -> Result<Self, Error> {
        let payload = ProtectedPayload::parse(data)?;
        require_dppk_id(payload.dppk_id(), csb_id.to_u32())?;
        Self::parse(&payload.open(key)?)
    }
}

/// The parameters must be protected with the key of their own message (clause E.6.1).
pub(super) fn require_dppk_id(dppk_id: [u8; 4], csb_id: u32) -> Result<(), Error> {
    match u32::from_be_bytes(dppk_id) {
        found if found == csb_id => Ok(()),
        found => Err(Error::DppkIdMismatch { found, expected: csb_id }),
    }
}

fn five_octets(what: &'static str, value: u64) -> Result<[u8; 5], Error> {
    if value > MAX_TIME {
        return Err(Error::TimeTooLate { what, value });
    }
    let [_, _, _, octets @ ..] = value.to_be_bytes();
    Ok(octets)
}

fn push_with_length(out: &mut Vec<u8>, what: &'static str, octets: &[u8]) -> Result<(), Error> {
    let len = u16::try_from(octets.len()).map_err(|_| Error::TooLong { what, len: octets.len() })?;
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(octets);
    Ok(())
}

fn inside_outer_tlv(data: &[u8]) -> Option<&[u8]> {
    let ([_iei, len @ ..], inner) = data.split_first_chunk::<3>()?;
    (usize::from(u16::from_be_bytes(*len)) == inner.len()).then_some(inner)
}

/// The groups of a list, which is all that the reader holds. A list without even a count names none.
fn parse_groups(list: &mut Reader<'_>) -> Result<Vec<String>, Error> {
    let len = list.remaining();
    if len == 0 {
        return Ok(Vec::new());
    }
    let count = list.octet("number of groups").map_err(malformed)?;
    let mut groups = Vec::new();
    for read in 0..count {
        let wrong = |_| Error::GroupList { count, read, len };
        let iei = list.octet("MC group ID").map_err(wrong)?;
        if iei != GROUP_IEI {
            return Err(Error::GroupIei { found: iei });
        }
        groups.push(text(MC_GROUP_ID, list.data_16(MC_GROUP_ID).map_err(wrong)?)?);
    }
    if list.remaining() != 0 {
        return Err(Error::GroupList { count, read: count, len });
    }
    Ok(groups)
}

fn text(what: &'static str, octets: &[u8]) -> Result<String, Error> {
    core::str::from_utf8(octets).map(String::from).map_err(|_| Error::ParametersText { what })
}

/// The reader knows one fault: too few octets.
fn malformed(error: mikey::Error) -> Error {
    match error {
        mikey::Error::Truncated { field, offset, .. } => Error::ParametersMalformed { offset, expected: field },
        other => other.into(),
    }
}

fn five_octet_time(reader: &mut Reader<'_>, what: &'static str) -> Result<u64, Error> {
    let [a, b, c, d, e] = reader.array(what).map_err(malformed)?;
    Ok(u64::from_be_bytes([0, 0, 0, a, b, c, d, e]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn sample() -> KeyParameters {
        KeyParameters {
            activation: 1_700_000_000,
            expiry: 0xff_ffff_ffff,
            text: "hello".into(),
            groups: vec!["sip:fire@example.org".into(), "sip:ems@example.org".into()],
            ..KeyParameters::live(KeyType::Gmk)
        }
    }

    fn clear() -> Vec<u8> {
        sample().to_bytes().unwrap()
    }

    #[test]
    fn parsing_inverts_encoding_for_every_type() {
        for key_type in KeyType::ALL {
            let groups = if key_type.has_groups() { sample().groups } else { vec![] };
            let parameters = KeyParameters { key_type, groups, ..sample() };
            let octets = parameters.to_bytes().unwrap();
            assert_eq!(KeyParameters::parse(&octets), Ok(parameters), "{key_type}");
        }
    }

    #[test]
    fn the_layout_is_that_of_table_e_6_1_1() {
        let bare = KeyParameters { activation: 0, expiry: 0, ..KeyParameters::live(KeyType::Gmk) };
        assert_eq!(bare.to_bytes().unwrap(), [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
        let pck = KeyParameters::live(KeyType::Pck).to_bytes().unwrap();
        assert_eq!(pck, [1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn the_outer_tlv_of_clause_e_6_1_is_read() {
        let octets = clear();
        let mut wrapped = vec![0x60, 0, octets.len() as u8];
        wrapped.extend_from_slice(&octets);
        assert_eq!(KeyParameters::parse(&wrapped), Ok(sample()));
    }

    #[test]
    fn a_missing_group_list_means_no_group() {
        let mut octets = KeyParameters::live(KeyType::Gmk).to_bytes().unwrap();
        octets.truncate(17);
        assert_eq!(KeyParameters::parse(&octets), Ok(KeyParameters::live(KeyType::Gmk)));
    }

    #[test]
    fn every_truncation_is_refused() {
        let octets = clear();
        // At 22 octets the list is absent, which is allowed.
        for len in (0..octets.len()).filter(|len| *len != 22) {
            let refused = KeyParameters::parse(&octets[..len]);
            assert!(matches!(refused, Err(Error::ParametersMalformed { .. })), "{len}: {refused:?}");
        }
    }

    #[test]
    fn a_group_longer_than_its_list_is_refused() {
        let mut octets = clear();
        octets[27] = 200;
        let len = octets.len() - 24;
        assert_eq!(KeyParameters::parse(&octets), Err(Error::GroupList { count: 2, read: 0, len }));
    }

    #[test]
    fn a_wrong_group_identifier_is_refused() {
        let mut octets = clear();
        octets[25] = 0x7a;
        assert_eq!(KeyParameters::parse(&octets), Err(Error::GroupIei { found: 0x7a }));
    }

    #[test]
    fn an_unknown_key_type_is_refused() {
        let mut octets = clear();
        octets[0] = 7;
        assert_eq!(KeyParameters::parse(&octets), Err(Error::ParametersKeyType { found: 7 }));
    }

    #[test]
    fn octets_after_the_parameters_are_refused() {
        let mut octets = KeyParameters::live(KeyType::Pck).to_bytes().unwrap();
        octets.push(0);
        assert_eq!(KeyParameters::parse(&octets), Err(Error::ParametersMalformed { offset: 17, expected: "the end" }));
    }

    #[test]
    fn text_that_is_not_utf_8_is_refused() {
        let mut octets = clear();
        octets[17] = 0xff;
        assert_eq!(KeyParameters::parse(&octets), Err(Error::ParametersText { what: TEXT }));
        let mut octets = clear();
        octets[28] = 0xff;
        assert_eq!(KeyParameters::parse(&octets), Err(Error::ParametersText { what: "MC group ID" }));
    }

    /// Parameters with this text, encoded without any judgement.
    fn with_text(text: &str) -> Vec<u8> {
        let mut octets = KeyParameters::live(KeyType::Pck).to_bytes().unwrap();
        octets.truncate(FIXED_LEN);
        push_with_length(&mut octets, TEXT, text.as_bytes()).unwrap();
        octets
    }

    fn with_groups(groups: &[&str]) -> Vec<u8> {
        let mut octets = KeyParameters::live(KeyType::Gmk).to_bytes().unwrap();
        octets.truncate(FIXED_LEN + 2);
        let groups = groups.iter().map(|group| String::from(*group)).collect();
        let list = KeyParameters { groups, ..KeyParameters::live(KeyType::Gmk) }.encode_groups().unwrap();
        push_with_length(&mut octets, "group list", &list).unwrap();
        octets
    }

    #[test]
    fn text_that_cannot_be_shown_is_refused_both_ways() {
        let refused = |what| Err(Error::ParametersUnprintable { what });
        for text in ["a\x1b[2Jb", "a\nb", "\u{202e}gro.elpmaxe"] {
            assert_eq!(KeyParameters::parse(&with_text(text)), refused(TEXT));
            assert_eq!(KeyParameters::parse(&with_groups(&["sip:a@b", text])), refused(MC_GROUP_ID));
            let parameters = KeyParameters { text: text.into(), ..sample() };
            assert_eq!(parameters.to_bytes().map(|_| ()), Err(Error::ParametersUnprintable { what: TEXT }));
        }
        assert!(KeyParameters::parse(&with_text("für alle")).is_ok());
    }

    #[test]
    fn an_empty_group_is_refused_both_ways() {
        let refused = Error::EmptyGroup { index: 1 };
        assert_eq!(KeyParameters::parse(&with_groups(&["sip:a@b", ""])), Err(refused.clone()));
        let parameters = KeyParameters { groups: vec!["sip:a@b".into(), String::new()], ..sample() };
        assert_eq!(parameters.to_bytes(), Err(refused));
    }

    #[test]
    fn a_list_of_no_octets_names_no_group() {
        let mut octets = with_groups(&[]);
        assert_eq!(octets[FIXED_LEN + 2..], [0, 1, 0]);
        octets.truncate(FIXED_LEN + 2);
        octets.extend_from_slice(&[0, 0]);
        assert_eq!(KeyParameters::parse(&octets), Ok(KeyParameters::live(KeyType::Gmk)));
        octets.push(9);
        let offset = FIXED_LEN + 4;
        assert_eq!(KeyParameters::parse(&octets), Err(Error::ParametersMalformed { offset, expected: "the end" }));
    }

    #[test]
    fn a_key_that_ends_before_it_begins_is_refused_both_ways() {
        let life = |activation, expiry| KeyParameters { activation, expiry, ..KeyParameters::live(KeyType::Pck) };
        let mut octets = life(7, 7).to_bytes().unwrap();
        assert!(KeyParameters::parse(&octets).is_ok() && life(8, 0).to_bytes().is_ok());
        octets[9] = 8;
        let refused = Error::ExpiryBeforeActivation { expiry: 7, activation: 8 };
        assert_eq!(KeyParameters::parse(&octets), Err(refused.clone()));
        assert_eq!(life(8, 7).to_bytes(), Err(refused));
    }

    #[test]
    fn what_does_not_fit_is_refused_when_building() {
        let late = KeyParameters { expiry: 1 << 40, ..sample() };
        assert_eq!(late.to_bytes(), Err(Error::TimeTooLate { what: "expiry time", value: 1 << 40 }));
        let many = KeyParameters { groups: vec!["sip:fire@example.org".into(); 256], ..sample() };
        assert_eq!(many.to_bytes(), Err(Error::TooLong { what: "number of groups", len: 256 }));
        let long = KeyParameters { text: "a".repeat(65536), ..sample() };
        assert_eq!(long.to_bytes(), Err(Error::TooLong { what: "text of key parameters", len: 65536 }));
        let pck = KeyParameters { key_type: KeyType::Pck, ..sample() };
        assert_eq!(pck.to_bytes(), Err(Error::GroupsNotAllowed { key_type: KeyType::Pck }));
    }

    #[test]
    fn parameters_open_with_their_own_key_and_identifier_only() {
        let key = SharedSecret::new([1; 16]);
        let id = KeyId::from_u32(0x0123_4567).unwrap();
        let other = KeyId::from_u32(0x0123_4568).unwrap();
        let data = sample().protect(&key, id, 0, [5; 16]).unwrap();
        assert_eq!(KeyParameters::unprotect(&data, &key, id), Ok(sample()));
        assert_eq!(
            KeyParameters::unprotect(&data, &key, other),
            Err(Error::DppkIdMismatch { found: 0x0123_4567, expected: 0x0123_4568 })
        );
        assert_eq!(KeyParameters::unprotect(&data, &SharedSecret::new([2; 16]), id), Err(Error::ParametersTag));
    }
}
