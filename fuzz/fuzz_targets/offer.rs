//! A message of Alice to Bob of arbitrary parts is opened; changed in any way it is refused, unless Alice signs the change,
//! and then it is Alice's key or none.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use mikey_sakke::mc::imessage::{
    Compatibility, Expected, IdentityMode, Incoming, Offer, Opened, Policy, Receiver, SessionMap, StatusZero,
};
use mikey_sakke::mc::{
    Error, IdentityForm, KeyId, KeyParameters, KeyPeriods, KeySet, KeyStatus, KeyType, Kms, PeriodEpoch,
};
use mikey_sakke::mikey::{Message, NtpTime, Payload};
use mikey_sakke::sakke::SharedSecret;
use mikey_sakke::{eccsi, sakke};
use rand_core::{TryCryptoRng, TryRng};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

const KMS_URI: &str = "kms.example.org";
const ALICE: &str = "sip:alice@example.org";
const MALLORY: &str = "sip:mallory@example.org";
const BOB: &str = "sip:bob@example.org";
const PERIOD: u64 = 2_592_000;
const PERIOD_NO: u64 = 1500;
const NOON: NtpTime = NtpTime::from_seconds(PERIOD * PERIOD_NO + 43_200);
const KEY: [u8; 16] = [0x4b; 16];

/// What there is to try.
#[derive(Arbitrary, Debug)]
struct Input {
    parts: Parts,
    alterations: Vec<Alteration>,
    signer: Signer,
    mutations: Vec<Mutation>,
    excuses: u16,
}

/// What a message is made of.
#[derive(Arbitrary, Debug, Clone, PartialEq, Eq, Hash)]
struct Parts {
    key_type: u8,
    other_key: bool,
    plain: bool,
    session_map: bool,
    to_self: bool,
    parameters: Option<Parameters>,
}

#[derive(Arbitrary, Debug, Clone, PartialEq, Eq, Hash)]
struct Parameters {
    status: u8,
    /// Hours from the time of the message.
    activation: Option<i8>,
    expiry: Option<i8>,
    text: String,
    groups: Vec<String>,
}

/// A change of the payloads.
#[derive(Arbitrary, Debug)]
enum Alteration {
    Remove(u8),
    Repeat(u8),
    Swap(u8, u8),
    /// The payload of another message at this place.
    Transplant {
        from: Parts,
        payload: u8,
        to: u8,
    },
    Header {
        verification_expected: bool,
        prf: u8,
        csb_id: u32,
    },
}

/// Who signs the altered payloads.
#[derive(Arbitrary, Debug, Clone, Copy, PartialEq, Eq)]
enum Signer {
    /// Nobody: the signature stays what it was.
    Nobody,
    Alice,
    /// With keys of the same KMS, but not Alice's.
    Mallory,
}

/// A change of the octets.
#[derive(Arbitrary, Debug)]
enum Mutation {
    Flip(u16, u8),
    Truncate(u16),
    Insert(u16, Vec<u8>),
    Remove(u16, u8),
}

/// Repeatable numbers, secret to nobody (SplitMix64).
struct Numbers(u64);

impl TryRng for Numbers {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        self.try_next_u64().map(|number| (number >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Ok(z ^ (z >> 31))
    }

    fn try_fill_bytes(&mut self, octets: &mut [u8]) -> Result<(), Self::Error> {
        for chunk in octets.chunks_mut(8) {
            let number = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Numbers {}

static BUILT: LazyLock<Mutex<HashMap<Parts, Option<Vec<u8>>>>> = LazyLock::new(Mutex::default);

struct World {
    kms: Kms,
    alice: KeySet,
    mallory: KeySet,
    bob: KeySet,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let mut numbers = Numbers(7);
    let (decryption, signing) =
        (sakke::MasterSecret::generate(&mut numbers).unwrap(), eccsi::MasterSecret::generate(&mut numbers).unwrap());
    let periods = KeyPeriods::new(PERIOD, 0, PeriodEpoch::Ntp).expect("a period");
    let kms = Kms::new(KMS_URI, &decryption.public_key(), &signing.public_key(), periods, IdentityForm::Raw);
    let mut key_set = |user| {
        let identity = kms.identity(&kms.uid(user, PERIOD_NO).expect("short names"));
        let rsk = decryption.extract(identity.as_bytes()).expect("a key");
        let pair = signing.extract_random(identity.as_bytes(), &mut numbers).expect("a key");
        KeySet::validate(&kms, user, PERIOD_NO, rsk, pair).expect("keys of this KMS")
    };
    let (alice, mallory, bob) = (key_set(ALICE), key_set(MALLORY), key_set(BOB));
    World { kms, alice, mallory, bob }
});

fuzz_target!(|input: Input| {
    let Some(built) = input.parts.built() else { return };
    let mut octets = altered(&built, &input);
    input.mutations.iter().for_each(|mutation| mutation.apply(&mut octets));
    let Ok(opened) = open(&octets, input.excuses) else { return };
    match input.signer {
        _ if octets == built => {}
        Signer::Alice if input.mutations.is_empty() => assert_eq!(opened.bundle.key.as_bytes(), &KEY),
        // Alice signed something else than was built, and it was changed to nothing but that again.
        Signer::Alice => assert_eq!(signed_octets(&octets), signed_octets(&altered(&built, &input))),
        Signer::Nobody | Signer::Mallory => panic!("taken for a message of Alice: {octets:02x?} for {built:02x?}"),
    }
});

/// The message after its alterations, signed again if somebody does.
fn altered(built: &[u8], input: &Input) -> Vec<u8> {
    let mut message = Message::parse(built).expect("what is built is read").into_owned();
    input.alterations.iter().for_each(|alteration| alteration.apply(&mut message));
    let key_set = match input.signer {
        Signer::Nobody => return message.to_bytes().unwrap_or_default(),
        Signer::Alice => &WORLD.alice,
        Signer::Mallory => &WORLD.mallory,
    };
    message.payloads.retain(|payload| !matches!(payload, Payload::Sign(_)));
    match message.sign(key_set.signer(), &mut Numbers(3)) {
        Ok(()) => message.to_bytes().unwrap_or_default(),
        Err(_) => Vec::new(),
    }
}

fn signed_octets(octets: &[u8]) -> Vec<u8> {
    octets[..octets.len().saturating_sub(eccsi::SIGNATURE_LEN)].to_vec()
}

/// What Bob makes of a message that should come from Alice.
fn open(octets: &[u8], excuses: u16) -> Result<Opened, Error> {
    let excuse = |bit: u32| excuses >> bit & 1 == 1;
    let compatibility = Compatibility {
        v_flag: excuse(0),
        prf_zero: excuse(1),
        srtp_id_map: excuse(2),
        uids_in_plain_roles: excuse(3),
        kms_uri_trailing_nul: excuse(4),
        unsigned_sign_header: excuse(5),
        neighbouring_periods: excuse(6),
        dropped_zeros: excuse(7),
        clear_key_parameters: excuse(8),
        status_zero: StatusZero::PossiblyLive,
    };
    let policy = Policy { compatibility, ..Policy::new(NOON) };
    let receiver = Receiver {
        key_sets: &[&WORLD.bob],
        kmss: &[&WORLD.kms],
        initiator: Some(Expected::user(ALICE)),
        key_type: None,
    };
    Incoming::parse(octets)?.verify(&receiver, &policy)?.decapsulate()?.live()
}

/// Asserts that a message that is as it was built opens, if its parameters let it.
fn opens(built: &[u8]) {
    match open(built, 0) {
        Ok(opened) => assert_eq!(opened.bundle.key.as_bytes(), &KEY),
        Err(error) => assert!(of_parameters(&error), "{error}"),
    }
}

/// What the parameters of a message that is as it was built may say against its key.
fn of_parameters(error: &Error) -> bool {
    matches!(error, Error::KeyRevoked { .. } | Error::KeyExpired { .. } | Error::KeyNotYetActive { .. })
}

impl Parts {
    /// The message of these parts. It is built and opened as it is once; most of the time goes into what is done with it.
    fn built(&self) -> Option<Vec<u8>> {
        let mut known = BUILT.lock().expect("one thread");
        if known.len() > 10_000 {
            known.clear();
        }
        known.entry(self.clone()).or_insert_with(|| self.build().inspect(|built| opens(built))).clone()
    }

    fn build(&self) -> Option<Vec<u8>> {
        let key_type = KeyType::ALL[usize::from(self.key_type) % KeyType::ALL.len()];
        let key_id = KeyId::from_u32(u32::from(key_type.tag()) << 28 | u32::from(self.other_key)).ok()?;
        let key = SharedSecret::new(KEY);
        let mut offer = Offer::new(&WORLD.alice, BOB, &WORLD.kms, key_id, key, NOON, [0x52; 16]).ok()?;
        if self.plain {
            offer = offer.identity_mode(IdentityMode::Plain);
        }
        if self.session_map {
            offer = offer.session_map(SessionMap::GenericId);
        }
        if self.to_self {
            offer = offer.to_self();
        }
        if let Some(parameters) = &self.parameters {
            offer = offer.parameters(parameters.of(key_type)).ok()?;
        }
        offer.build(&mut Numbers(self.other_key.into())).ok()
    }
}

impl Parameters {
    fn of(&self, key_type: KeyType) -> KeyParameters {
        let noon = NOON.unix_seconds().expect("after 1970");
        let time = |hours: Option<i8>| hours.map_or(0, |hours| noon.saturating_add_signed(i64::from(hours) * 3600));
        KeyParameters {
            status: KeyStatus(self.status.into()),
            activation: time(self.activation),
            expiry: time(self.expiry),
            text: self.text.clone(),
            groups: self.groups.clone(),
            ..KeyParameters::live(key_type)
        }
    }
}

impl Alteration {
    fn apply(&self, message: &mut Message<'static>) {
        let place = |index: u8, len: usize| usize::from(index).checked_rem(len);
        let payloads = &mut message.payloads;
        match self {
            Self::Remove(at) => {
                place(*at, payloads.len()).map(|at| payloads.remove(at));
            }
            Self::Repeat(at) => {
                if let Some(at) = place(*at, payloads.len()) {
                    payloads.insert(at, payloads[at].clone());
                }
            }
            Self::Swap(one, other) => {
                if let (Some(one), Some(other)) = (place(*one, payloads.len()), place(*other, payloads.len())) {
                    payloads.swap(one, other);
                }
            }
            Self::Transplant { from, payload, to } => {
                let Some(octets) = from.built() else { return };
                let mut other = Message::parse(&octets).expect("what is built is read").into_owned();
                if let (Some(from), Some(to)) = (place(*payload, other.payloads.len()), place(*to, payloads.len())) {
                    payloads[to] = other.payloads.swap_remove(from);
                }
            }
            Self::Header { verification_expected, prf, csb_id } => {
                message.header.verification_expected = *verification_expected;
                message.header.prf.0 = *prf & 0x7f;
                message.header.csb_id = *csb_id;
            }
        }
    }
}

impl Mutation {
    fn apply(&self, octets: &mut Vec<u8>) {
        let len = octets.len();
        let place = |at: u16| usize::from(at).checked_rem(len).unwrap_or_default();
        match self {
            Self::Flip(at, bits) => octets.iter_mut().skip(place(*at)).take(1).for_each(|octet| *octet ^= bits),
            Self::Truncate(at) => octets.truncate(place(*at)),
            Self::Insert(at, inserted) => {
                let at = place(*at);
                octets.splice(at..at, inserted.iter().copied());
            }
            Self::Remove(at, count) => {
                let at = place(*at);
                octets.drain(at..len.min(at + usize::from(*count)));
            }
        }
    }
}
