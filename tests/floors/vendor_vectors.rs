//! Vectors that vendors published: UIDs, key sets, messages, GUK-IDs, DPCK, SRTP keys.
//!
//! They are not part of this repository: the environment variable `MIKEY_SAKKE_SHARED` names the folder that has them as
//! `vectors/vendor`. Without it these tests pass without testing, except on a continuous integration server.

use crate::backend_support::on_each_backend;
use base64::Engine;
use mikey_sakke::mc::imessage::{CarriedIdentity, Expected, Incoming, Opened, Policy, Receiver, Revocation};
use mikey_sakke::mc::{
    CsId, Error, GukId, IdentityForm, KeyId, KeyPeriods, KeySet, KeyStatus, KeyType, Kms, MediaKeys, PeriodEpoch, Uid,
    dpck,
};
use mikey_sakke::mikey::NtpTime;
use mikey_sakke::sakke::SharedSecret;
use mikey_sakke::{eccsi, sakke};
use serde_json::Value;
use std::path::PathBuf;

#[test]
fn uids_of_streamwide() {
    let Some(vectors) = read("streamwide-v5.json") else { return };
    let uids = vectors["uid"].as_array().unwrap();
    assert_eq!(uids.len(), 3);
    for vector in uids.iter().chain([&vectors["ts33180_uid_example"]]) {
        let number = |name: &str| vector[name].as_u64().unwrap();
        let periods = KeyPeriods::new(number("period"), number("offset"), PeriodEpoch::Ntp).unwrap();
        let uid = Uid::new(text(vector, "uri"), text(vector, "kms_uri"), &periods, number("period_no")).unwrap();
        assert_eq!(uid.to_string(), text(vector, "uid"));
    }
}

#[test]
fn key_sets_of_streamwide_validate() {
    let Some(vectors) = read("streamwide-v5.json") else { return };
    assert_eq!(validated_key_sets(&vectors), 3);
}

#[test]
fn key_sets_of_alea_validate() {
    let Some(vectors) = read("alea-v3.json") else { return };
    assert_eq!(validated_key_sets(&vectors), 2);
}

#[test]
fn a_key_set_of_streamwide_is_refused_for_another_user_period_or_form() {
    let Some(vectors) = read("streamwide-v5.json") else { return };
    let set = &vectors["key_sets"][1];
    let validate =
        |kms: &Kms, user: &str, period| KeySet::validate(kms, user, period, rsk(set), key_pair(set)).map(|_| ());
    let refused = Err(Error::SigningKeyInvalid(eccsi::Error::KeyPairInvalid));
    on_each_backend(|| {
        let kms = kms(&vectors);
        assert_eq!(validate(&kms, "sip:alice@streamwide.com", 236), Ok(()));
        assert_eq!(validate(&kms, "sip:bob@streamwide.com", 236), refused);
        assert_eq!(validate(&kms, "sip:alice@streamwide.com", 237), refused);
        let hex = kms.with_convention(*kms.periods(), IdentityForm::HexText);
        assert_eq!(validate(&hex, "sip:alice@streamwide.com", 236), refused);
    });
}

#[test]
fn a_foreign_rsk_with_a_right_signing_key_is_refused() {
    let Some(vectors) = read("streamwide-v5.json") else { return };
    let (alice, bob) = (&vectors["key_sets"][1], &vectors["key_sets"][2]);
    on_each_backend(|| {
        let refused = KeySet::validate(&kms(&vectors), "sip:alice@streamwide.com", 236, rsk(bob), key_pair(alice));
        assert_eq!(refused.map(|_| ()), Err(Error::RskInvalid(sakke::Error::RskInvalid)));
    });
}

#[test]
fn the_sample_files_of_an_old_kms_validate_by_its_conventions_alone() {
    let (Some(init), Some(keyprov)) = (read_text("kms-init-response.xml"), read_text("kms-keyprov-response.xml"))
    else {
        return;
    };
    let element = |document: &str, name: &str| {
        let start = document.find(&format!("<{name}>")).unwrap() + name.len() + 2;
        document[start..].split('<').next().unwrap().trim().to_owned()
    };
    on_each_backend(|| {
        let mut valid = Vec::new();
        for epoch in [PeriodEpoch::Ntp, PeriodEpoch::Unix] {
            for form in [IdentityForm::Raw, IdentityForm::HexText] {
                let period = element(&init, "UserKeyPeriod").parse().unwrap();
                let offset = element(&init, "UserKeyOffset").parse().unwrap();
                let kms = Kms::new(
                    element(&init, "KmsUri"),
                    &sakke::PublicKey::from_bytes(&hex(&element(&init, "PubEncKey"))).unwrap(),
                    &eccsi::PublicKey::from_bytes(&hex(&element(&init, "PubAuthKey"))).unwrap(),
                    KeyPeriods::new(period, offset, epoch).unwrap(),
                    form,
                );
                let number = element(&keyprov, "KeyPeriodNo").parse().unwrap();
                let user = element(&keyprov, "UserUri");
                assert_eq!(kms.uid(&user, number).unwrap().to_string(), element(&keyprov, "UserID"));
                let rsk = sakke::ReceiverSecretKey::from_bytes(&hex(&element(&keyprov, "UserDecryptKey"))).unwrap();
                let pair = eccsi::KeyPair::from_bytes(
                    &hex(&element(&keyprov, "UserSigningKeySSK")),
                    &hex(&element(&keyprov, "UserPubTokenPVT")),
                )
                .unwrap();
                let written = NtpTime::from_unix(1_621_257_916); // 2021-05-17T13:25:16, the Time of the answer
                if KeySet::validate(&kms, &user, number, rsk, pair).is_ok()
                    && kms.periods().number_at(written) == Ok(number)
                {
                    valid.push((epoch, form));
                }
            }
        }
        assert_eq!(valid, [(PeriodEpoch::Unix, IdentityForm::HexText)]);
    });
}

#[test]
fn the_gmk_message_of_streamwide_opens() {
    let Some(vectors) = read("streamwide-v5.json") else { return };
    let opened = opens(&vectors, &vectors["messages"][0]);
    assert_eq!(opened.key_type(), KeyType::Gmk);
    let parameters = opened.parameters.as_ref().unwrap();
    assert_eq!(parameters.key_type, KeyType::Gmk);
    assert_eq!(parameters.status, KeyStatus::NOT_REVOKED);
    assert_eq!((parameters.activation, parameters.expiry), (0, 0));
    assert_eq!(opened.revocation, Revocation::No);
    assert!(parameters.text.is_empty() && parameters.groups.is_empty());
}

#[test]
fn the_pck_message_of_streamwide_opens() {
    let Some(vectors) = read("streamwide-v5.json") else { return };
    let opened = opens(&vectors, &vectors["messages"][1]);
    assert_eq!(opened.key_type(), KeyType::Pck);
    let parameters = opened.parameters.as_ref().unwrap();
    assert_eq!(parameters.key_type, KeyType::Pck);
    assert_eq!(parameters.status, KeyStatus::NOT_REVOKED);
    assert_eq!(opened.revocation, Revocation::No);
}

#[test]
fn the_gmk_message_of_alea_opens() {
    let Some(vectors) = read("alea-v3.json") else { return };
    let opened = opens(&vectors, &vectors["messages"][0]);
    assert_eq!(opened.key_type(), KeyType::Gmk);
    let parameters = opened.parameters.as_ref().unwrap();
    assert_eq!(parameters.status, KeyStatus::ZERO);
    assert_eq!((parameters.activation, parameters.expiry), (0x68d7_eafa, 0xffff_ffff));
    assert_eq!(parameters.groups, ["sip:g4.chat@veronica-cluster"]);
    assert_eq!(opened.revocation, Revocation::Possible);
}

#[test]
fn the_csk_message_of_softil_parses() {
    let Some(vectors) = read("softil.json") else { return };
    let incoming = Incoming::parse(&octets_of(&vectors["messages"][0])).unwrap();
    assert_eq!(incoming.key_type(), KeyType::Csk);
    assert_eq!(incoming.csb_id().to_u32(), 0x2d50_d3d0);
    assert_eq!(incoming.deviations(), []);
    let initiator = CarriedIdentity::Uri("sip:33666000333@server-rbonamy-vm.streamwide.com".into());
    assert_eq!(incoming.initiator().identity, initiator);
    assert_eq!(incoming.recipient().identity, CarriedIdentity::Uri("gms@streamwide.com".into()));
    assert_eq!(incoming.initiator().kms_uri, "kms.streamwide.com:8080");
    assert_eq!(incoming.recipient().kms_uri, "kms.streamwide.com:8080");
    assert_eq!(incoming.time().seconds(), 0xeaa5_43f6);
}

#[test]
fn the_guk_id_of_etherstack() {
    let Some(vectors) = read("etherstack.json") else { return };
    let vector = &vectors["group_user_keys"][0];
    let gmk = secret(vector, "gmk");
    let guk_id = GukId::new(&gmk, key_id(vector, "gmk_id"), text(vector, "user_uri")).unwrap();
    assert_eq!(guk_id.to_string(), text(vector, "guk_id"));
    assert_eq!(guk_id.gmk_id(&gmk, text(vector, "user_uri")), Ok(key_id(vector, "gmk_id")));
}

#[test]
fn the_srtp_keys_of_etherstack() {
    let Some(vectors) = read("etherstack.json") else { return };
    let vector = &vectors["group_user_keys"][0];
    assert_eq!(vector["cs_id"], u64::from(CsId::McpttGroup.to_u8()));
    let keys = MediaKeys::derive(
        &secret(vector, "gmk"),
        CsId::McpttGroup,
        key_id(vector, "guk_id").to_u32(),
        &hex(text(vector, "rand")),
        Vec::new(),
    );
    assert_eq!(keys.master_key.as_slice(), hex(text(vector, "srtp_master_key")));
    assert_eq!(keys.master_salt.as_slice(), hex(text(vector, "srtp_master_salt")));
}

#[test]
fn the_dpck_of_streamwide() {
    let Some(vectors) = read("streamwide-v5.json") else { return };
    let vector = &vectors["dpck"];
    let id = hex(text(vector, "dppk_id")).try_into().unwrap();
    assert_eq!(dpck(&secret(vector, "dppk"), id).unwrap().as_slice(), hex(text(vector, "dpck")));
}

/// Opens a message on every backend, the last of which gives the result.
fn opens(vectors: &Value, message: &Value) -> Opened {
    let mut opened = None;
    on_each_backend(|| opened = Some(opens_here(vectors, message)));
    opened.unwrap()
}

/// Opens a message with default settings a minute after it was made, and compares everything that the vector states.
fn opens_here(vectors: &Value, message: &Value) -> Opened {
    let kms = kms(vectors);
    let responder = text(message, "responder");
    let set = vectors["key_sets"].as_array().unwrap().iter().find(|set| text(set, "UserUri") == responder).unwrap();
    let key_set = key_set(&kms, set).unwrap();

    let incoming = Incoming::parse(&octets_of(message)).unwrap();
    assert_eq!(incoming.deviations(), []);
    let receiver = Receiver {
        key_sets: &[&key_set],
        kmss: &[&kms],
        initiator: Some(Expected::user(text(message, "initiator"))),
        key_type: Some(incoming.key_type()),
    };
    let policy = Policy::new(NtpTime::from_seconds(incoming.time().seconds() + 60));
    let opened = incoming.verify(&receiver, &policy).unwrap().decapsulate().unwrap().live().unwrap();

    assert_eq!(opened.key_type().to_string(), text(message, "key_type"));
    assert_eq!(opened.bundle.key.as_bytes().as_slice(), hex(text(message, "key")));
    assert_eq!(opened.bundle.key_id.to_string(), text(message, "key_id"));
    assert_eq!(opened.bundle.rand.as_slice(), hex(text(message, "rand")));
    assert_eq!(opened.bundle.guk_id().map(|id| id.to_string()).as_deref(), message["guk_id"].as_str());
    assert_eq!(opened.initiator().uri(), Some(text(message, "initiator")));
    assert_eq!(opened.initiator().kms_uri(), kms.uri());
    assert_eq!(opened.recipient_uri, responder);
    assert_eq!(opened.findings, []);
    if let Some(guk_id) = opened.bundle.guk_id() {
        assert_eq!(GukId::new(&opened.bundle.key, opened.bundle.key_id, responder), Ok(guk_id));
    }
    opened
}

fn validated_key_sets(vectors: &Value) -> usize {
    let sets = vectors["key_sets"].as_array().unwrap();
    on_each_backend(|| {
        let kms = kms(vectors);
        for set in sets {
            let key_set = key_set(&kms, set).unwrap();
            assert_eq!(key_set.uid().to_string(), text(set, "UserID"));
        }
    });
    sets.len()
}

fn kms(vectors: &Value) -> Kms {
    let certificate = &vectors["kms_certificate"];
    let number = |name| text(certificate, name).parse().unwrap();
    Kms::new(
        text(certificate, "KmsUri"),
        &sakke::PublicKey::from_bytes(&hex(text(certificate, "PubEncKey"))).unwrap(),
        &eccsi::PublicKey::from_bytes(&hex(text(certificate, "PubAuthKey"))).unwrap(),
        KeyPeriods::new(number("UserKeyPeriod"), number("UserKeyOffset"), PeriodEpoch::Ntp).unwrap(),
        IdentityForm::Raw,
    )
}

fn key_set(kms: &Kms, set: &Value) -> Result<KeySet, Error> {
    let period_no = text(set, "KeyPeriodNo").parse().unwrap();
    KeySet::validate(kms, text(set, "UserUri"), period_no, rsk(set), key_pair(set))
}

fn rsk(set: &Value) -> sakke::ReceiverSecretKey {
    sakke::ReceiverSecretKey::from_bytes(&hex(text(set, "UserDecryptKey"))).unwrap()
}

fn key_pair(set: &Value) -> eccsi::KeyPair {
    eccsi::KeyPair::from_bytes(&hex(text(set, "UserSigningKeySSK")), &hex(text(set, "UserPubTokenPVT"))).unwrap()
}

fn octets_of(message: &Value) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(text(message, "i_message")).unwrap()
}

fn secret(vector: &Value, name: &str) -> SharedSecret {
    SharedSecret::new(hex(text(vector, name)).try_into().unwrap())
}

fn key_id(vector: &Value, name: &str) -> KeyId {
    KeyId::from_bytes(hex(text(vector, name)).try_into().unwrap()).unwrap()
}

fn text<'a>(vector: &'a Value, name: &str) -> &'a str {
    vector[name].as_str().unwrap_or_else(|| panic!("no {name} in {vector}"))
}

fn hex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2));
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn read(name: &str) -> Option<Value> {
    Some(serde_json::from_str(&read_text(name)?).unwrap())
}

fn read_text(name: &str) -> Option<String> {
    let Some(shared) = std::env::var_os("MIKEY_SAKKE_SHARED") else {
        assert!(std::env::var_os("CI").is_none(), "set MIKEY_SAKKE_SHARED to the folder with the vendor vectors");
        eprintln!("skipped: MIKEY_SAKKE_SHARED is not set");
        return None;
    };
    let path = PathBuf::from(shared).join("vectors/vendor").join(name);
    Some(std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}
