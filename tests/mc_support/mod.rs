//! A KMS, two users, and messages that can be taken apart and signed again.
#![allow(dead_code, reason = "each test program uses a part")]

use mikey_sakke::mc::imessage::{Decapsulated, Expected, Incoming, Offer, Opened, Policy, Receiver, SessionMap};
use mikey_sakke::mc::{
    Error, GukId, IdentityForm, KeyId, KeyParameters, KeyPeriods, KeySet, KeyType, Kms, PeriodEpoch,
};
use mikey_sakke::mikey::NtpTime;
use mikey_sakke::sakke::SharedSecret;
use mikey_sakke::{eccsi, sakke};
use rand_core::UnwrapErr;
use std::sync::LazyLock;

pub const ALICE: &str = "sip:alice@example.org";
pub const BOB: &str = "sip:bob@example.org";
pub const KMS_URI: &str = "kms.example.org";
pub const PERIOD: u64 = 2_592_000;
pub const PERIOD_NO: u64 = 1500;
pub const RAND: [u8; 16] = [0x52; 16];

pub fn rng() -> UnwrapErr<getrandom::SysRng> {
    UnwrapErr(getrandom::SysRng)
}

/// A KMS with its master secrets.
pub struct Issuer {
    sakke: sakke::MasterSecret,
    eccsi: eccsi::MasterSecret,
    pub kms: Kms,
}

impl Issuer {
    pub fn new(uri: &str) -> Self {
        let (sakke, eccsi) =
            (sakke::MasterSecret::generate(&mut rng()).unwrap(), eccsi::MasterSecret::generate(&mut rng()).unwrap());
        let periods = KeyPeriods::new(PERIOD, 0, PeriodEpoch::Ntp).unwrap();
        let kms = Kms::new(uri, &sakke.public_key(), &eccsi.public_key(), periods, IdentityForm::Raw);
        Self { sakke, eccsi, kms }
    }

    pub fn key_set(&self, user: &str, period_no: u64) -> KeySet {
        self.key_set_of(&self.kms, user, period_no)
    }

    pub fn key_set_of(&self, kms: &Kms, user: &str, period_no: u64) -> KeySet {
        let identity = kms.identity(&kms.uid(user, period_no).unwrap());
        let rsk = self.sakke.extract(identity.as_bytes()).unwrap();
        let pair = self.eccsi.extract_random(identity.as_bytes(), &mut rng()).unwrap();
        KeySet::validate(kms, user, period_no, rsk, pair).unwrap()
    }
}

pub struct World {
    pub issuer: Issuer,
    pub alice: KeySet,
    pub bob: KeySet,
}

pub static WORLD: LazyLock<World> = LazyLock::new(|| {
    let issuer = Issuer::new(KMS_URI);
    let (alice, bob) = (issuer.key_set(ALICE, PERIOD_NO), issuer.key_set(BOB, PERIOD_NO));
    World { issuer, alice, bob }
});

/// A day into the key period.
pub fn noon() -> NtpTime {
    NtpTime::from_seconds(PERIOD * PERIOD_NO + 86_400)
}

pub fn later(seconds: u64) -> NtpTime {
    NtpTime::from_seconds(noon().seconds() + seconds)
}

pub fn earlier(seconds: u64) -> NtpTime {
    NtpTime::from_seconds(noon().seconds() - seconds)
}

pub fn unix(time: NtpTime) -> u64 {
    time.unix_seconds().unwrap()
}

pub fn key() -> SharedSecret {
    SharedSecret::new([0x4b; 16])
}

pub fn key_id(key_type: KeyType) -> KeyId {
    KeyId::from_u32(u32::from(key_type.tag()) << 28 | 0x0123_4567).unwrap()
}

/// The CSB-ID that a message of this type from Alice to Bob has.
pub fn csb_id(key_type: KeyType) -> KeyId {
    match key_type {
        KeyType::Gmk => GukId::new(&key(), key_id(key_type), BOB).unwrap().key_id(),
        _ => key_id(key_type),
    }
}

/// An offer of Alice to Bob.
pub fn offer(key_type: KeyType) -> Offer<'static> {
    Offer::new(&WORLD.alice, BOB, &WORLD.issuer.kms, key_id(key_type), key(), noon(), RAND).unwrap()
}

/// A message of Alice to Bob with key parameters.
pub fn message(key_type: KeyType) -> Vec<u8> {
    offer(key_type).parameters(KeyParameters::live(key_type)).unwrap().build(&mut rng()).unwrap()
}

/// The same with a map of the key's crypto sessions, of which not every type has any.
pub fn mapped_message(key_type: KeyType) -> Vec<u8> {
    let offer = offer(key_type).session_map(SessionMap::GenericId);
    offer.parameters(KeyParameters::live(key_type)).unwrap().build(&mut rng()).unwrap()
}

/// What Bob makes of it, given that it should come from Alice, a minute after noon and excusing nothing.
pub fn bob_opens(message: &[u8]) -> Result<Opened, Error> {
    bob_opens_under(message, &Policy::new(later(60)))
}

pub fn bob_opens_under(message: &[u8], policy: &Policy) -> Result<Opened, Error> {
    bob_decapsulates(message, policy)?.live()
}

pub fn bob_decapsulates(message: &[u8], policy: &Policy) -> Result<Decapsulated, Error> {
    let world = &*WORLD;
    let receiver = Receiver {
        key_sets: &[&world.bob],
        kmss: &[&world.issuer.kms],
        initiator: Some(Expected::user(ALICE)),
        key_type: None,
    };
    Incoming::parse(message)?.verify(&receiver, policy)?.decapsulate()
}

pub const SIGN: u8 = 4;
pub const T: u8 = 5;
pub const SP: u8 = 10;
pub const RAND_PAYLOAD: u8 = 11;
pub const IDR: u8 = 14;
pub const GEXT: u8 = 21;
pub const SAKKE: u8 = 26;

/// A message taken apart: the header, then each payload but the signature, as type and the octets after its
/// next-payload octet.
#[derive(Clone)]
pub struct Parts {
    /// Header: version, data type, next payload, V and PRF, CSB-ID, number of sessions, map type, map.
    pub header: Vec<u8>,
    pub payloads: Vec<(u8, Vec<u8>)>,
}

impl Parts {
    pub fn of(message: &[u8]) -> Self {
        let map_len = if message[9] == 2 { usize::from(message[8]) * (7 + usize::from(message[16])) } else { 0 };
        let (header, mut rest) = message.split_at(10 + map_len);
        let mut payloads = Vec::new();
        let mut payload_type = header[2];
        while payload_type != SIGN {
            let sized = |at: usize| usize::from(u16::from_be_bytes([rest[at], rest[at + 1]]));
            let len = match payload_type {
                T => 10,
                RAND_PAYLOAD => 2 + usize::from(rest[1]),
                IDR | SP | SAKKE => 5 + sized(3),
                GEXT => 4 + sized(2),
                other => panic!("payload {other}"),
            };
            let (payload, tail) = rest.split_at(len);
            payloads.push((payload_type, payload[1..].to_vec()));
            payload_type = payload[0];
            rest = tail;
        }
        assert_eq!(rest.len(), 131);
        Self { header: header.to_vec(), payloads }
    }

    /// The payload of a type, the `nth` of them.
    pub fn payload(&mut self, payload_type: u8, nth: usize) -> &mut Vec<u8> {
        &mut self.payloads.iter_mut().filter(|(found, _)| *found == payload_type).nth(nth).unwrap().1
    }

    pub fn position(&self, payload_type: u8) -> usize {
        self.payloads.iter().position(|(found, _)| *found == payload_type).unwrap()
    }

    pub fn remove(&mut self, payload_type: u8, nth: usize) {
        let mut seen = 0;
        self.payloads.retain(|(found, _)| {
            seen += usize::from(*found == payload_type);
            *found != payload_type || seen != nth + 1
        });
    }

    /// Everything up to and including the SIGN payload's header.
    pub fn signed_octets(&self) -> Vec<u8> {
        let mut out = self.header.clone();
        out[2] = self.payloads.first().map_or(SIGN, |(payload_type, _)| *payload_type);
        for (at, (_, body)) in self.payloads.iter().enumerate() {
            out.push(self.payloads.get(at + 1).map_or(SIGN, |(payload_type, _)| *payload_type));
            out.extend_from_slice(body);
        }
        out.extend_from_slice(&[0x20, 0x81]);
        out
    }

    /// Puts the message together, signed by Alice.
    pub fn sign(&self) -> Vec<u8> {
        let mut out = self.signed_octets();
        let signature = WORLD.alice.signer().sign(&out, &mut rng()).unwrap();
        out.extend_from_slice(&signature.to_bytes());
        out
    }
}

/// A message of Alice to Bob, altered and signed again.
pub fn altered(key_type: KeyType, alter: impl FnOnce(&mut Parts)) -> Vec<u8> {
    altered_message(&message(key_type), alter)
}

/// A message, altered and signed again.
pub fn altered_message(message: &[u8], alter: impl FnOnce(&mut Parts)) -> Vec<u8> {
    let mut parts = Parts::of(message);
    alter(&mut parts);
    parts.sign()
}

/// A message of Alice to Bob with other key parameters, signed and protected by the book.
pub fn with_parameters(key_type: KeyType, parameters: &KeyParameters) -> Vec<u8> {
    let protected = parameters.protect(&key(), csb_id(key_type), unix(noon()), [0x49; 16]).unwrap();
    altered(key_type, |parts| {
        let mut body = vec![7];
        body.extend_from_slice(&u16::try_from(protected.len()).unwrap().to_be_bytes());
        body.extend_from_slice(&protected);
        *parts.payload(GEXT, 0) = body;
    })
}
