//! Every kind of message that the library makes.

use crate::mc_support::{noon, offer, rng, unix};
use mikey_sakke::mc::imessage::{IdentityMode, Offer, SessionMap};
use mikey_sakke::mc::{CsId, KeyParameters, KeyStatus, KeyType};
use mikey_sakke::mikey::{
    BaseTicket, CacheType, Cert, CertType, Chash, CsIdMap, DataType, Dh, DhGroup, EncryptionAlgorithm, ErrorNumber,
    ErrorPayload, Esk, ExtensionType, GeneralExtension, GenericIdEntry, GenericIdMap, HashFunction, Header, Ibake, Id,
    IdRole, IdType, Idr, Kemac, KeyData, KeyDataType, KeyValidity, Mac, MacAlgorithm, Message, NtpTime, Payload, Pke,
    PolicyParameter, PrfFunction, ProtocolType, Rand, RandRole, Randr, Sakke, SecurityPolicy, Sign, SignatureType,
    SrtpIdEntry, SubPayloads, Ticket, TicketFlags, TicketPolicy, TicketType, Timestamp, Tr, TsRole, Verification,
};

/// A message with the name of its kind.
pub struct Sample {
    pub name: String,
    pub octets: Vec<u8>,
}

/// I_MESSAGEs of each key type, with each option that `client offer` has.
pub fn i_messages() -> Vec<Sample> {
    let mut samples = Vec::new();
    for key_type in KeyType::ALL {
        for (name, offer) in offers(key_type) {
            let octets = offer.build(&mut rng()).unwrap();
            samples.push(Sample { name: format!("{key_type} {name}"), octets });
        }
    }
    samples
}

fn offers(key_type: KeyType) -> Vec<(&'static str, Offer<'static>)> {
    let of = || offer(key_type);
    let with = |parameters| of().parameters(parameters).unwrap();
    let live = KeyParameters::live(key_type);
    let revoked = KeyParameters { status: KeyStatus::ZERO, ..live.clone() };
    let now = unix(noon());
    let groups = if key_type.has_groups() { vec!["sip:group@example.org".into(); 2] } else { Vec::new() };
    let full = KeyParameters {
        status: KeyStatus(KeyStatus::NOT_REVOKED.0 | KeyStatus::SHARED_WITH_GATEWAY.0),
        activation: now,
        expiry: now + 86_400,
        text: "Exercise only".into(),
        groups,
        ..live.clone()
    };
    let session_map = CsId::first(key_type).map(|_| ("session map", of().session_map(SessionMap::GenericId)));
    let mut offers = vec![
        ("without parameters", of()),
        ("plain", of().identity_mode(IdentityMode::Plain)),
        ("to self", of().to_self()),
        ("live", with(live)),
        ("taken back", with(revoked)),
        ("all parameters, to self", with(full).to_self()),
    ];
    offers.extend(session_map);
    offers
}

/// A header of each data type.
pub fn data_types() -> Vec<Sample> {
    let of = |data_type: DataType| Header { data_type, verification_expected: true, ..header(CsIdMap::SrtpId(vec![])) };
    let numbers = (0..=u8::MAX).filter_map(DataType::from_number);
    numbers.map(|data_type| sample(&format!("data type {data_type}"), Message::new(of(data_type)))).collect()
}

/// Messages of each payload of the RFCs, and of each kind of map.
pub fn payloads() -> Vec<Sample> {
    let alone = |(name, payload): (&str, Payload<'static>)| {
        sample(name, Message::new(header(CsIdMap::SrtpId(vec![]))).with(payload))
    };
    let entry = |policy_no| SrtpIdEntry { policy_no, ssrc: 0x0102_0304, roc: 5 };
    let mut samples: Vec<Sample> = rfc_3830().into_iter().chain(later()).map(alone).collect();
    samples.push(sample("SRTP-ID map", Message::new(header(CsIdMap::SrtpId(vec![entry(0), entry(1)])))));
    samples.push(sample("empty map", Message::new(header(CsIdMap::Empty { cs_count: 0 }))));
    samples.push(sample("empty map of one session", Message::new(header(CsIdMap::Empty { cs_count: 1 }))));
    samples.push(sample("GENERIC-ID map", Message::new(header(CsIdMap::GenericId(generic_id_map())))));
    samples.push(sample("pre-shared key message", pre_shared()));
    samples
}

fn header(cs_id_map: CsIdMap<'static>) -> Header<'static> {
    Header {
        data_type: DataType::PreShared,
        verification_expected: false,
        prf: PrfFunction::MIKEY_1,
        csb_id: 0x1234_5678,
        cs_id_map,
    }
}

fn generic_id_map() -> GenericIdMap<'static> {
    let entry = GenericIdEntry {
        cs_id: 4,
        protocol: ProtocolType::SRTP,
        session_data_flag: false,
        policy_numbers: &[0],
        session_data: &[],
        spi: &[1, 2, 3, 4],
    };
    GenericIdMap::new(&[entry]).unwrap()
}

/// What an initiator of the pre-shared key method sends (RFC 3830 3.1).
fn pre_shared() -> Message<'static> {
    let entry = SrtpIdEntry { policy_no: 0, ssrc: 0x0102_0304, roc: 0 };
    Message::new(header(CsIdMap::SrtpId(vec![entry])))
        .with(Timestamp::NtpUtc(noon()))
        .with(Rand::new(vec![0x52; 16]))
        .with(Id::uri("sip:alice@example.org"))
        .with(Id::uri("sip:bob@example.org"))
        .with(SecurityPolicy::new(0, ProtocolType::SRTP, &every_parameter()).unwrap())
        .with(Kemac::new(EncryptionAlgorithm::AES_CM_128, vec![0xc1; 24], mac(MacAlgorithm::HmacSha1)))
}

/// The parameters of RFC 3830 6.10.1, then those of RFC 4771 and RFC 7714.
fn every_parameter() -> Vec<PolicyParameter<'static>> {
    (0..=20).map(|parameter_type| PolicyParameter { parameter_type, value: &[1] }).collect()
}

fn mac(algorithm: MacAlgorithm) -> Mac<'static> {
    Mac::new(algorithm, vec![0xaa; algorithm.mac_len()]).unwrap()
}

fn rfc_3830() -> Vec<(&'static str, Payload<'static>)> {
    let time = NtpTime::from_bits(0xd6b4_3232_8000_0000);
    let dh = |group: DhGroup, validity| Dh::new(group, vec![0xd1; group.value_len()], validity).unwrap().into();
    let interval = KeyValidity::Interval { from: vec![1, 2].into(), to: vec![3].into() };
    let kemac = |encryption, algorithm| Kemac::new(encryption, vec![0xc1; 20], mac(algorithm)).into();
    let tgk = KeyData::new(KeyDataType::Tgk, vec![7; 16], KeyValidity::Null);
    let null = SubPayloads::new().with(tgk).to_bytes().unwrap().to_vec();
    let chash = |function: HashFunction| Chash::new(function, vec![0xcc; function.hash_len()]).unwrap().into();
    let extension = |extension_type| GeneralExtension::new(extension_type, b"abcd".as_slice()).into();
    let tesla = SecurityPolicy::new(7, ProtocolType::TESLA, &[PolicyParameter { parameter_type: 1, value: &[0] }]);
    let sign = |signature_type, len: usize| Sign { signature_type, signature: vec![0x51; len].into() }.into();
    vec![
        ("T NTP-UTC", Timestamp::NtpUtc(time).into()),
        ("T NTP", Timestamp::Ntp(time).into()),
        ("T COUNTER", Timestamp::Counter(7).into()),
        ("T NTP-UTC-32", Timestamp::NtpUtc32(0xd6b4_3232).into()),
        ("RAND", Rand::new(vec![7; 16]).into()),
        ("ID NAI", Id { id_type: IdType::NAI, data: b"alice@example.org".as_slice().into() }.into()),
        ("ID URI", Id::uri("sip:alice@example.org").into()),
        ("ID byte string", Id { id_type: IdType::BYTE_STRING, data: vec![7; 4].into() }.into()),
        ("SP SRTP", SecurityPolicy::new(3, ProtocolType::SRTP, &every_parameter()).unwrap().into()),
        ("SP SRTP without parameters", SecurityPolicy::new(3, ProtocolType::SRTP, &[]).unwrap().into()),
        ("SP TESLA", tesla.unwrap().into()),
        ("KEMAC AES-CM", kemac(EncryptionAlgorithm::AES_CM_128, MacAlgorithm::HmacSha1)),
        ("KEMAC AES-KW", kemac(EncryptionAlgorithm::AES_KW_128, MacAlgorithm::Null)),
        ("KEMAC AES-CM-256", kemac(EncryptionAlgorithm::AES_CM_256, MacAlgorithm::HmacSha1)),
        ("KEMAC HMAC-SHA-256", kemac(EncryptionAlgorithm::AES_CM_128, MacAlgorithm::HmacSha256)),
        ("KEMAC NULL", Kemac::new(EncryptionAlgorithm::NULL, null, Mac::null()).into()),
        ("PKE", Pke { cache: CacheType::CACHE_FOR_CSB, data: vec![0xe1; 128].into() }.into()),
        ("DH OAKLEY 5", dh(DhGroup::Oakley5, KeyValidity::Null)),
        ("DH OAKLEY 1", dh(DhGroup::Oakley1, KeyValidity::Null)),
        ("DH OAKLEY 2", dh(DhGroup::Oakley2, KeyValidity::Null)),
        ("DH with SPI", dh(DhGroup::Oakley1, KeyValidity::spi(vec![1, 2, 3, 4]))),
        ("DH with interval", dh(DhGroup::Oakley1, interval)),
        ("CERT URL", Cert::new(CertType::X509V3_URL, b"http://example.org/c".as_slice()).into()),
        ("CHASH SHA-1", chash(HashFunction::Sha1)),
        ("CHASH MD5", chash(HashFunction::Md5)),
        ("CHASH SHA-256", chash(HashFunction::Sha256)),
        ("V NULL", Verification::new(Mac::null()).into()),
        ("V HMAC-SHA-1", Verification::new(mac(MacAlgorithm::HmacSha1)).into()),
        ("V HMAC-SHA-256", Verification::new(mac(MacAlgorithm::HmacSha256)).into()),
        ("ERR", ErrorPayload { number: ErrorNumber(12), reserved: 0 }.into()),
        ("General Extension vendor ID", extension(ExtensionType::VENDOR_ID)),
        ("General Extension SDP IDs", extension(ExtensionType::SDP_IDS)),
        ("General Extension CSB_ID", extension(ExtensionType::CSB_ID)),
        ("SIGN RSA", sign(SignatureType::RSA_PKCS_1, 256)),
        ("SIGN PSS", sign(SignatureType::RSA_PSS, 128)),
        ("SIGN ECCSI", sign(SignatureType::ECCSI, 129)),
    ]
}

fn later() -> Vec<(&'static str, Payload<'static>)> {
    let policy = || TicketPolicy {
        ticket_type: TicketType::MIKEY_BASE,
        subtype: 1,
        version: 1,
        prf: PrfFunction::HMAC_SHA_256,
        flags: TicketFlags::NONE,
        reserved: 0,
        data: TicketPolicy::data_of(&[Tr::new(TsRole::ISSUE, Timestamp::NtpUtc(noon())).into()]).unwrap().into(),
    };
    let ticket = BaseTicket { header_data: vec![].into(), payloads: vec![Rand::new(vec![7; 16]).into()] };
    vec![
        ("IDR", Idr::uri(IdRole::INITIATOR, b"sip:alice@example.org".as_slice()).into()),
        ("SAKKE", Sakke::mcx(vec![4; 273]).into()),
        ("TR", Tr::new(TsRole::START, Timestamp::NtpUtc(noon())).into()),
        ("RANDR", Randr { role: RandRole::INITIATOR, octets: vec![7; 16].into() }.into()),
        ("TP", policy().into()),
        ("TICKET", Ticket::new(policy(), ticket.to_bytes().unwrap()).into()),
        ("IBAKE", Ibake { data: vec![1; 40].into() }.into()),
        ("ESK", Esk { data: vec![1; 40].into() }.into()),
    ]
}

fn sample(name: &str, message: Message<'_>) -> Sample {
    Sample { name: name.into(), octets: message.to_bytes().unwrap() }
}
