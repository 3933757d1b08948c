use crate::cli_support::{Program, Run};
use crate::message::{invite, message, octets};
use crate::wire::{self, ETHERNET};
use mikey_sakke::mikey::{
    BaseTicket, CacheType, Cert, CertType, Chash, CsIdMap, DataType, Dh, DhGroup, EncryptionAlgorithm, ErrorNumber,
    ErrorPayload, Esk, ExtensionType, GeneralExtension, HashFunction, Header, Ibake, IdRole, Idr, Kemac, KeyData,
    KeyDataType, KeyId, KeyIdInformation, KeyIdType, KeyValidity, Mac, MacAlgorithm, Message, NtpTime, OmaBcast,
    OmaBcastSubtype, Pke, PolicyParameter, PrfFunction, ProtocolType, Rand, RandRole, Randr, SdpIds, SecurityPolicy,
    SubPayloads, Ticket, TicketFlags, TicketPolicy, TicketType, Timestamp, Tr, TsRole, Verification,
};
use serde_json::{Value, json};

pub fn inspect(arguments: &[&str], input: &[u8]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("input");
    std::fs::write(&file, input).unwrap();
    Program::new(&["inspect", file.to_str().unwrap()]).args(arguments).run()
}

pub fn object(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn every_message_of_a_capture_is_shown_with_its_origin() {
    let mut second = message();
    second.header.csb_id = 0x1000_0002;
    let tls = wire::tcp(1, false, &[22, 3, 1, 0, 5, 1]);
    let frames = [wire::udp(&invite(&octets())), tls, wire::udp(&invite(&second.to_bytes().unwrap()))];
    let capture = wire::pcapng(ETHERNET, &frames);

    let run = inspect(&["--json"], &capture);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let result = object(&run);
    assert_eq!(result["csb_id"], "10000001");
    let messages = result["messages"].as_array().unwrap();
    assert_eq!(messages.iter().map(|message| &message["csb_id"]).collect::<Vec<_>>(), ["10000001", "10000002"]);
    let origin = json!({
        "form": "sdp",
        "frame": 3,
        "time": "2023-11-14T22:13:22.25Z",
        "source": "192.0.2.1:5060",
        "destination": "192.0.2.2:5060",
        "transport": "udp",
        "sip": { "method": "INVITE", "status": null, "call_id": "call-1" },
    });
    assert_eq!(messages[1]["origin"], origin);
    assert!(result["unread"][0]["what"].as_str().unwrap().contains("TLS"), "{result}");
    assert_eq!(result["unread"][0]["origin"]["frame"], 2);

    let chosen = object(&inspect(&["--json", "--message", "2"], &capture));
    assert_eq!((&chosen["csb_id"], &chosen["number"]), (&json!("10000002"), &json!(2)));
    let none = inspect(&["--message", "3"], &capture);
    assert_eq!(none.code, 1);
    assert!(none.stderr.contains("no message 3") && none.stderr.contains("has 2"), "{}", none.stderr);

    let text = inspect(&[], &capture).stdout;
    for words in ["message 2 of 2", "frame 3", "SIP INVITE", "Call-ID call-1", "not read: a TLS stream"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains('\x1b'), "colours without a terminal");
}

#[test]
fn the_tree_names_every_field_and_leaves_no_octet_out() {
    let result = object(&inspect(&["--json"], &octets()));
    let mut end = 0;
    for payload in result["payloads"].as_array().unwrap() {
        end = assert_covered(payload, end);
    }
    assert_eq!(end, octets().len());
    let text = inspect(&[], &octets()).stdout;
    for words in ["CSB ID", "PRF func", "ID Role", "SAKKE data", "AES-GCM", "PVT"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn the_tree_has_the_fields_of_every_payload_of_every_specification() {
    let mac = || Mac::new(MacAlgorithm::HmacSha1, vec![1; 20]).unwrap();
    let inside = [
        Idr::uri(IdRole::KMS, b"kms.example.org".as_slice()).into(),
        Tr::new(TsRole::END, Timestamp::NtpUtc32(0xe000_0000)).into(),
        Tr::new(TsRole::REKEYING_INTERVAL, Timestamp::NtpUtc32(3600)).into(),
    ];
    let policy = || TicketPolicy {
        ticket_type: TicketType::MIKEY_BASE,
        subtype: 1,
        version: 1,
        prf: PrfFunction::HMAC_SHA_256,
        flags: TicketFlags::D,
        reserved: 0,
        data: TicketPolicy::data_of(&inside).unwrap().into(),
    };
    let v = || Verification::new(mac()).into();
    let base_ticket = BaseTicket { header_data: vec![19; 2].into(), payloads: vec![Timestamp::Counter(9).into(), v()] };
    let initiator_data = TicketPolicy::data_of(&[v(), v()]).unwrap();
    let interval = KeyValidity::Interval { from: vec![2; 8].into(), to: vec![3; 8].into() };
    let key_ids = KeyIdInformation::new(&[KeyId { key_id_type: KeyIdType::MBMS_TRAFFIC_KEY, id: &[1, 2] }]).unwrap();
    let tesla = PolicyParameter { parameter_type: 1, value: &[4] };
    let message = Message::new(Header::sakke(1, CsIdMap::Empty { cs_count: 0 }))
        .with(Kemac::new(EncryptionAlgorithm::AES_CM_128, vec![5; 30], mac()))
        .with(Pke::new(CacheType(1), vec![6; 40]))
        .with(Dh::new(DhGroup::Oakley1, vec![7; 96], interval).unwrap())
        .with(Dh::new(DhGroup::Oakley1, vec![7; 96], KeyValidity::spi(vec![8; 4])).unwrap())
        .with(Cert::new(CertType::X509V3, vec![9; 50]))
        .with(Chash::new(HashFunction::Sha1, vec![10; 20]).unwrap())
        .with(Timestamp::Counter(7))
        .with(Timestamp::NtpUtc32(7))
        .with(SecurityPolicy::new(0, ProtocolType::TESLA, &[tesla]).unwrap())
        .with(ErrorPayload::new(ErrorNumber::AUTH_FAILURE))
        .with(Tr::new(TsRole::START, Timestamp::NtpUtc(NtpTime::from_unix(1_790_000_000))))
        .with(Randr::new(RandRole::INITIATOR, vec![11; 16]))
        .with(policy())
        .with(Ticket {
            initiator_data: initiator_data.into(),
            ..Ticket::new(policy(), base_ticket.to_bytes().unwrap())
        })
        .with(Ticket { initiator_data: vec![12; 3].into(), ..Ticket::new(policy(), vec![13; 20]) })
        .with(Ibake::new(vec![14; 60]))
        .with(Esk::new(vec![15; 60]))
        .with(key_ids.to_extension())
        .with(OmaBcast { subtype: OmaBcastSubtype(1), data: vec![16; 5].into() }.to_extension())
        .with(GeneralExtension::new(ExtensionType::VENDOR_ID, vec![17; 4]))
        .with(SdpIds::new(&["mikey", "keyp1"]).unwrap().to_extension())
        .with(Verification::new(mac()));
    let octets = message.to_bytes().unwrap();
    let result = object(&inspect(&["--json"], &octets));
    let mut end = 0;
    for payload in result["payloads"].as_array().unwrap() {
        assert!(payload["fields"].as_array().unwrap().len() > 1, "{payload}");
        end = assert_covered(payload, end);
    }
    assert_eq!(end, octets.len());
    let text = inspect(&[], &octets).stdout;
    for words in [
        "AES-CM-128",
        "OAKLEY 1",
        "Valid From",
        "start of validity period",
        "Initiator Data",
        "Key ID Type",
        "First Payload",
        "kms.example.org",
        "2019-02-02T11:39:44Z (e0000000)",
        "3600 s",
        "THDR Data",
        "keyp1",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let named =
        |name: &str| result["payloads"].as_array().unwrap().iter().find(|p| !p[name].is_null()).unwrap()[name].clone();
    assert_eq!(named("protocols"), json!(["mikey", "keyp1"]));
}

#[test]
fn keys_in_clear_are_shown_where_secrets_are() {
    let tek = KeyData {
        salt: vec![0x5a; 14].into(),
        ..KeyData::new(KeyDataType::TekSalt, vec![0xa5; 16], KeyValidity::spi(vec![7]))
    };
    let keys = SubPayloads::new().with(tek.clone()).with(tek).to_bytes().unwrap();
    let kemac = Kemac::new(EncryptionAlgorithm::NULL, keys.to_vec(), Mac::null());
    let message = Message::new(Header::sakke(1, CsIdMap::Empty { cs_count: 0 })).with(kemac);
    let octets = message.to_bytes().unwrap();
    let (key, salt) = ("a5".repeat(16), "5a".repeat(14));
    let hidden = inspect(&["--json"], &octets);
    assert!(!hidden.stdout.contains(&key) && !hidden.stdout.contains(&salt), "{}", hidden.stdout);
    let hidden = object(&hidden);
    let kemac = &hidden["payloads"][1];
    assert_eq!(kemac["data"], Value::Null);
    assert_covered(kemac, 10);
    let text = inspect(&[], &octets).stdout;
    assert!(text.contains("TEK+SALT") && text.contains("(hidden)") && !text.contains(&key), "{text}");
    let shown = inspect(&["--show-secrets"], &octets).stdout;
    assert!(shown.contains(&key) && shown.contains(&salt), "{shown}");
    let shown = object(&inspect(&["--show-secrets", "--json"], &octets));
    assert_eq!(shown["payloads"][1]["data"].as_str().unwrap().len(), 2 * keys.len());
}

const KEY: [u8; 30] = {
    let mut key = [0; 30];
    let mut index = 0;
    while index < key.len() {
        key[index] = 0xa1 + index as u8;
        index += 1;
    }
    key
};

fn clear_kemac() -> Kemac<'static> {
    let key = KeyData::new(KeyDataType::Tek, KEY.to_vec(), KeyValidity::Null);
    Kemac::new(EncryptionAlgorithm::NULL, SubPayloads::new().with(key).to_bytes().unwrap().to_vec(), Mac::null())
}

fn of_type(data_type: DataType) -> Message<'static> {
    Message::new(Header { data_type, ..Header::sakke(1, CsIdMap::Empty { cs_count: 0 }) })
        .with(Timestamp::Counter(7))
        .with(Rand::new(vec![0x11; 16]))
}

/// No 4 octets of the key are shown, in text or JSON, until secrets are.
fn assert_hidden(octets: &[u8], case: &str) -> Value {
    let digits: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    let has_key = |text: &str| {
        KEY.windows(4).any(|four| text.contains(&four.iter().map(|octet| format!("{octet:02x}")).collect::<String>()))
    };
    let (text, json) = (inspect(&[], digits.as_bytes()).stdout, inspect(&["--json"], digits.as_bytes()));
    assert!(!has_key(&text) && !has_key(&json.stdout), "{case}: {text}");
    assert!(text.contains("(hidden)"), "{case}: {text}");
    for arguments in [&["--show-secrets"][..], &["--show-secrets", "--json"]] {
        let shown = inspect(arguments, digits.as_bytes()).stdout;
        assert!(has_key(&shown), "{case}: {shown}");
    }
    object(&json)
}

#[test]
fn keys_in_what_cannot_be_read_are_hidden() {
    let whole = of_type(DataType::PreShared).with(clear_kemac()).to_bytes().unwrap();
    let start = of_type(DataType::PreShared).to_bytes().unwrap();
    let key_data = &whole[start.len() + 4..whole.len() - 1];
    // The Next payload of RAND.
    let with_next = |next: u8, octets: &[u8]| {
        let mut start = start.clone();
        start[10 + 6] = next;
        [&start, octets].concat()
    };
    let kemac = &whole[start.len()..];
    for (case, octets) in [
        ("KEMAC cut short", whole[..whole.len() - 4].to_vec()),
        ("Key data", with_next(20, key_data)),
        ("an unknown payload before KEMAC", with_next(99, kemac)),
        ("octets behind the last payload", with_next(0, kemac)),
    ] {
        let result = assert_hidden(&octets, case);
        assert_eq!(result["fault"]["octets"], Value::Null, "{case}");
    }
}

#[test]
fn keys_in_tickets_are_hidden() {
    let policy = |ticket_type, data: Vec<u8>| TicketPolicy {
        ticket_type,
        subtype: 1,
        version: 1,
        prf: PrfFunction::HMAC_SHA_256,
        flags: TicketFlags::D,
        reserved: 0,
        data: data.into(),
    };
    let plain = || policy(TicketType::MIKEY_BASE, vec![0]);
    let chain = TicketPolicy::data_of(&[clear_kemac().into()]).unwrap();
    let base = BaseTicket { header_data: vec![].into(), payloads: vec![clear_kemac().into()] }.to_bytes().unwrap();
    let inside = Ticket::new(policy(TicketType::MIKEY_BASE, chain.clone()), vec![]);
    let cut = |data: &[u8]| data[..data.len() - 3].to_vec();
    let transferred = |ticket: Ticket<'static>| of_type(DataType::TicketTransferInit).with(ticket).to_bytes().unwrap();
    let initiated = |data: Vec<u8>| Ticket { initiator_data: data.into(), ..Ticket::new(plain(), vec![]) };
    for (field, ticket) in [
        ("policy_data", Ticket::new(policy(TicketType::MIKEY_BASE, chain.clone()), vec![])),
        ("policy_data", Ticket::new(policy(TicketType::MIKEY_BASE, cut(&chain)), vec![])),
        ("ticket_data", Ticket::new(plain(), base.clone())),
        ("ticket_data", Ticket::new(plain(), cut(&base))),
        ("ticket_data", Ticket::new(policy(TicketType::THREE_GPP_BASE, vec![0]), base.clone())),
        ("initiator_data", initiated(chain.clone())),
        ("initiator_data", initiated(cut(&chain))),
        ("initiator_data", initiated(TicketPolicy::data_of(&[inside.into()]).unwrap())),
    ] {
        let result = assert_hidden(&transferred(ticket), field);
        let ticket = &result["payloads"][3];
        for name in ["policy_data", "ticket_data", "initiator_data"] {
            assert_eq!(ticket[name].is_null(), name == field, "{name} of {ticket}");
        }
    }
    let requested = policy(TicketType::MIKEY_BASE, chain);
    let result = assert_hidden(
        &of_type(DataType::TicketRequestPreShared).with(requested).to_bytes().unwrap(),
        "the policy of a request",
    );
    assert_eq!(result["payloads"][3]["policy_data"], Value::Null);
}

/// Fields that share octets with the next one.
const SHARED: [&str; 13] = [
    "V",
    "PRF func",
    "S",
    "#P",
    "S type",
    "Signature len",
    "C",
    "Data len",
    "Reserv",
    "KV",
    "PRF Func",
    "Flags",
    "Key data type",
];

/// The fields lie one behind the other, save those that share an octet.
fn assert_covered(node: &Value, start: usize) -> usize {
    let number = |node: &Value, name: &str| usize::try_from(node[name].as_u64().unwrap()).unwrap();
    assert_eq!(number(node, "offset"), start, "{node}");
    let end = start + number(node, "length");
    let Some(fields) = node["fields"].as_array().filter(|fields| !fields.is_empty()) else { return end };
    let mut at = start;
    for field in fields {
        // V is a flag of HDR, and a payload.
        let shared = SHARED.contains(&field["name"].as_str().unwrap()) && field["fields"].is_null();
        if !shared {
            at = number(field, "offset");
            at = assert_covered(field, at);
        }
    }
    assert_eq!(at, end, "{node}");
    end
}

#[test]
fn trailing_octets_are_refused_behind_the_tree() {
    let run = inspect(&["--json"], &[octets(), vec![0; 3]].concat());
    assert_eq!(run.code, 1);
    let result = object(&run);
    assert_eq!(result["payloads"].as_array().unwrap().len(), 10);
    assert_eq!(result["findings"][0]["clause"], "RFC 3830 6.1");
    assert!(result["error"].as_str().unwrap().contains("3 octets after the end"), "{result}");
}

#[test]
fn accept_takes_no_capture() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("input");
    std::fs::write(&file, wire::pcap(ETHERNET, &[])).unwrap();
    let arguments = ["client", "accept", "--store", "x", "--as", "sip:b@example.org", file.to_str().unwrap()];
    let run = Program::new(&arguments).run();
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("capture of packets") && run.stderr.contains("inspect"), "{}", run.stderr);
}
