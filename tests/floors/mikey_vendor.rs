//! MIKEY messages and derived keys that vendors published, read, verified and written again.

use std::path::PathBuf;

use crate::backend_support::on_each_backend;
use mikey_sakke::eccsi;
use mikey_sakke::mikey::{
    CsIdMap, DataType, Error, ExtensionType, IdRole, IdScheme, Message, PayloadType, PrfFunction, SakkeParameters,
    SignatureType, SrtpParameter, Timestamp, prf, sdp,
};
use serde_json::Value;

/// A file of the shared vectors, or `None` with a note where they are not at hand; under CI they have to be.
fn vendor(file: &str) -> Option<Value> {
    let Some(shared) = std::env::var_os("MIKEY_SAKKE_SHARED") else {
        assert!(std::env::var_os("CI").is_none(), "MIKEY_SAKKE_SHARED is not set");
        eprintln!("MIKEY_SAKKE_SHARED is not set: {file} not tested");
        return None;
    };
    let path = PathBuf::from(shared).join("vectors/vendor").join(file);
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn number(value: &Value) -> u32 {
    u32::from_str_radix(value.as_str().unwrap(), 16).unwrap()
}

fn octets(message: &Value) -> Vec<u8> {
    sdp::parse_line(format!("mikey {}", message["i_message"].as_str().unwrap()).as_bytes()).unwrap()
}

/// The parts that all of them share, and that a parse followed by a build gives the same octets.
fn assert_common(octets: &[u8]) {
    let message = Message::parse(octets).unwrap();
    assert_eq!(message.to_bytes().unwrap(), octets);
    assert_eq!(message.clone().into_owned().to_bytes().unwrap(), octets);
    assert_eq!(message.header.data_type, DataType::Sakke);
    assert_eq!(message.header.prf, PrfFunction::HMAC_SHA_256);
    assert!(matches!(message.timestamp(), Ok(Timestamp::NtpUtc(_))));
    let sakke = message.sakke().unwrap();
    assert_eq!((sakke.parameters, sakke.id_scheme), (SakkeParameters::SET_1, IdScheme::MCX_UID));
    assert_eq!(sakke.data.len(), 273);
    let sign = message.signature().unwrap();
    assert_eq!((sign.signature_type, sign.signature.len()), (SignatureType::ECCSI, 129));

    let (last, _) = message.located().last().unwrap();
    assert_eq!(last.end, octets.len());
    assert_eq!(octets[last.start..][..2], [0x20, 0x81]);
}

/// Every key of the file verifies its messages; nothing shorter than a message is one.
fn assert_signed_messages(file: &Value) {
    let kpak = hex(&file["kms_certificate"]["PubAuthKey"]);
    let kpak = eccsi::PublicKey::from_bytes(&kpak).unwrap();
    for vector in file["messages"].as_array().unwrap() {
        let octets = octets(vector);
        assert_common(&octets);
        let message = Message::parse(&octets).unwrap();

        let csb_id = vector.get("guk_id").unwrap_or(&vector["key_id"]);
        assert_eq!(message.header.csb_id, number(csb_id));
        assert_eq!(message.rand().unwrap().octets, hex(&vector["rand"]));

        let user = |uri: &Value| {
            let sets = file["key_sets"].as_array().unwrap();
            hex(&sets.iter().find(|set| set["UserUri"] == *uri).unwrap()["UserID"])
        };
        let initiator = message.identity(IdRole::INITIATOR_UID).unwrap().unwrap();
        let responder = message.identity(IdRole::RESPONDER_UID).unwrap().unwrap();
        assert_eq!(initiator.data, user(&vector["initiator"]));
        assert_eq!(responder.data, user(&vector["responder"]));
        let kms_uri = file["kms_certificate"]["KmsUri"].as_str();
        assert_eq!(message.identity(IdRole::INITIATOR_KMS).unwrap().unwrap().text(), kms_uri);
        assert_eq!(message.identity(IdRole::RESPONDER_KMS).unwrap().unwrap().text(), kms_uri);
        assert!(message.extension(ExtensionType::KEY_PARAMETERS).unwrap().is_some());

        on_each_backend(|| {
            let kms = eccsi::KmsTables::new(&kpak);
            assert_eq!(message.verify(&kms, &initiator.data), Ok(()));
            let invalid = Err(Error::Eccsi(eccsi::Error::SignatureInvalid));
            assert_eq!(message.verify(&kms, &responder.data), invalid);
        });

        for length in 0..octets.len() {
            assert!(Message::parse(&octets[..length]).is_err(), "cut after {length} octets");
        }
    }
}

#[test]
fn alea_messages_parse_verify_and_round_trip() {
    let Some(file) = vendor("alea-v3.json") else { return };
    assert_signed_messages(&file);
    let octets = octets(&file["messages"][0]);
    let message = Message::parse(&octets).unwrap();
    assert_eq!(message.header.cs_id_map, CsIdMap::Empty { cs_count: 0 });
    let policy = message.policy(1).unwrap().unwrap();
    assert_eq!(policy.srtp_value(SrtpParameter::ENCRYPTION_ALGORITHM), Some(6));
    assert_eq!(policy.srtp_value(SrtpParameter::ROC_TRANSMISSION_RATE), Some(1));
    assert_eq!(policy.parameters().count(), 10);
}

#[test]
fn streamwide_messages_parse_verify_and_round_trip() {
    let Some(file) = vendor("streamwide-v5.json") else { return };
    assert_signed_messages(&file);
    let octets = octets(&file["messages"][0]);
    let message = Message::parse(&octets).unwrap();
    let CsIdMap::GenericId(map) = &message.header.cs_id_map else { panic!("{:?}", message.header) };
    let entries: Vec<_> = map.entries().collect();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].policy_numbers[..], [0]);
    let mki = [hex(&file["messages"][0]["key_id"]), hex(&file["messages"][0]["guk_id"])].concat();
    assert_eq!(entries[0].spi, mki);
    let types: Vec<PayloadType> = message.payloads.iter().map(|payload| payload.payload_type()).collect();
    let idr = PayloadType::IDR;
    let expected = [
        PayloadType::T,
        PayloadType::RAND,
        idr,
        idr,
        idr,
        idr,
        PayloadType::SP,
        PayloadType::SAKKE,
        PayloadType::GENERAL_EXTENSION,
        PayloadType::SIGN,
    ];
    assert_eq!(types, expected);
}

#[test]
fn the_softil_message_parses_and_round_trips() {
    let Some(file) = vendor("softil.json") else { return };
    let octets = octets(&file["messages"][0]);
    assert_common(&octets);
    let message = Message::parse(&octets).unwrap();
    let text = |role| message.identity(role).unwrap().unwrap().text().unwrap();
    assert_eq!(text(IdRole::INITIATOR), "sip:33666000333@server-rbonamy-vm.streamwide.com");
    assert_eq!(text(IdRole::RESPONDER), "gms@streamwide.com");
    assert_eq!(text(IdRole::INITIATOR_KMS), "kms.streamwide.com:8080");
}

#[test]
fn etherstack_group_keys_give_its_srtp_keys() {
    let Some(file) = vendor("etherstack.json") else { return };
    for vector in file["group_user_keys"].as_array().unwrap() {
        let cs_id = u8::try_from(vector["cs_id"].as_u64().unwrap()).unwrap();
        let derive = |constant, length| {
            let (gmk, rand) = (hex(&vector["gmk"]), hex(&vector["rand"]));
            prf::derive(&gmk, constant, cs_id, number(&vector["guk_id"]), &rand, length)
        };
        assert_eq!(*derive(prf::TEK, 16), hex(&vector["srtp_master_key"]));
        assert_eq!(*derive(prf::SALT, 12), hex(&vector["srtp_master_salt"]));
    }
}
