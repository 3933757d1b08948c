//! A KMS as its operator runs it, asked by curl and by this project's client, its answers judged by xmllint.

use crate::cli_support::Program;
use crate::schema;
use crate::schema::Schema;
use mikey_sakke::kms::development::TokenIssuer;
use mikey_sakke::kms_protocol::{KeyIds, KmsError, KmsRedirectResponse, KmsRequest, Limits, RedirectDocument};
use mikey_sakke::sealing::file;
use mikey_sakke::xml_security::X509Signer;
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;

const PASSPHRASE: &str = "a passphrase for tests";
const KMS_URI: &str = "kms.example.org";
const ALICE: &str = "sip:alice@example.org";
const BOB: &str = "sip:bob@example.org";
const ROOT: &str = "/keymanagement/identity/v1";
const XML: &str = "Content-Type: application/xml";

#[test]
fn curl_gets_answers_that_follow_the_schema() {
    let (true, Some(schema)) = (schema::peer("curl"), Schema::open()) else { return };
    let accept = |document: &str| assert_eq!(schema.faults(document), None, "{document}");
    let kms = RunningKms::start(&[ALICE, BOB]);
    let alice = kms.token(ALICE, Duration::from_secs(60));

    let init = kms.curl(&format!("{ROOT}/init"), Some(&alice));
    assert_eq!(init.status, 200, "{}", init.body);
    assert!(init.body.contains("<KmsCertificate"), "{}", init.body);
    accept(&init.body);

    for path in ["/keyprov".to_owned(), "/keyprov/sip%3Aalice%40example.org".to_owned()] {
        let keyprov = kms.curl(&format!("{ROOT}{path}"), Some(&alice));
        assert_eq!(keyprov.status, 200, "{path}: {}", keyprov.body);
        assert_eq!(keyprov.body.matches("<KmsKeySet").count(), 2, "the current and the next period: {}", keyprov.body);
        accept(&keyprov.body);
    }
    let certcache = kms.curl(&format!("{ROOT}/certcache"), Some(&alice));
    assert_eq!(certcache.status, 200, "{}", certcache.body);
    accept(&certcache.body);

    let others = kms.curl(&format!("{ROOT}/keyprov/sip%3Abob%40example.org"), Some(&alice));
    assert_eq!(others.status, 403, "{}", others.body);
    assert!(others.body.contains("<KmsError") && !others.body.contains("UserDecryptKey"), "{}", others.body);
    accept(&others.body);

    let expired = kms.token_at(ALICE, SystemTime::now() - Duration::from_secs(7200), Duration::from_secs(60));
    assert_eq!(kms.curl(&format!("{ROOT}/init"), Some(&expired)).status, 401);
    assert_eq!(kms.curl(&format!("{ROOT}/init"), None).status, 401);
}

#[test]
fn two_users_provision_and_call_each_other() {
    let kms = RunningKms::start(&[ALICE, BOB]);
    let (alice, bob) = (kms.provision(ALICE), kms.provision(BOB));

    let offer = ["client", "offer", "--store", &alice, "--as", ALICE, "--to", BOB, "--type", "pck"];
    let hidden = Program::new(&offer).passphrase(PASSPHRASE).json();
    assert_eq!(hidden["key_type"], "pck");
    assert!(hidden["key"].is_null() && hidden["srtp"]["master_key"].is_null(), "{hidden}");

    let offered = Program::new(&offer).args(&["--show-secrets"]).passphrase(PASSPHRASE).json();
    let message = offered["message"].as_str().unwrap();
    assert_eq!(offered["key"].as_str().unwrap().len(), 32);
    assert_eq!(offered["srtp"]["master_key"].as_str().unwrap().len(), 32);
    assert_eq!(offered["srtp"]["master_salt"].as_str().unwrap().len(), 24);

    let accept = ["client", "accept", "--store", &bob, "--as", BOB, "--show-secrets"];
    let accepted = Program::new(&accept).passphrase(PASSPHRASE).stdin(message).json();
    for field in ["key_type", "key_id", "key", "guk_id", "rand", "srtp"] {
        assert_eq!(accepted[field], offered[field], "{field}");
    }
    assert!(accepted["message"].is_null());

    let again = Program::new(&accept).args(&["--json"]).passphrase(PASSPHRASE).stdin(message).run();
    assert_eq!(again.code, 1);
    let refusal: Value = serde_json::from_str(&again.stdout).unwrap();
    assert!(refusal["error"].as_str().unwrap().contains("replay"), "{refusal}");

    let for_another = ["client", "accept", "--store", &alice, "--as", ALICE];
    let run = Program::new(&for_another).passphrase(PASSPHRASE).stdin(hidden["message"].as_str().unwrap()).run();
    assert_eq!(run.code, 1, "{}", run.stdout);

    let inspected =
        Program::new(&["inspect", "--store", &bob, "--as", BOB]).passphrase(PASSPHRASE).stdin(message).json();
    assert_eq!(inspected["signature"], "valid");
    assert_eq!(inspected["replayed"], true, "{inspected}");
}

#[test]
fn users_of_two_kmss_call_each_other_once_their_operators_have_exchanged_certificates() {
    const CAROL: &str = "sip:carol@example.com";
    let here = RunningKms::start(&[ALICE]);
    let there = RunningKms::named("kms.example.com", "example.com", &[CAROL]);
    let path = |kms: &RunningKms, name: &str| kms.path(name).to_str().unwrap().to_owned();
    let offer = |store: &str| {
        Program::new(&["client", "offer", "--store", store, "--as", ALICE, "--to", CAROL, "--type", "pck", "--json"])
            .passphrase(PASSPHRASE)
            .run()
    };
    let before = here.provision(ALICE);
    let run = offer(&before);
    assert_eq!(run.code, 1, "{}", run.stdout);
    assert!(run.stdout.contains("example.com"), "{}", run.stdout);

    for (from, to) in [(&here, &there), (&there, &here)] {
        let (own, certificate) = (path(from, "kms"), path(from, "certificate.xml"));
        let export = ["kms", "cert", "export", "--dir", &own, "--out", &certificate];
        let fingerprint = Program::new(&export).passphrase(PASSPHRASE).json()["fingerprint"].clone();
        let fingerprint = fingerprint.as_str().unwrap();
        let sum = Command::new("sha256sum").arg(&certificate).output().unwrap();
        assert!(String::from_utf8(sum.stdout).unwrap().starts_with(fingerprint));

        let other = path(to, "kms");
        let add = ["kms", "cert", "add", "--dir", &other, &certificate, "--fingerprint"];
        let wrong = Program::new(&add).args(&[&"00".repeat(32)]).run();
        assert_eq!(wrong.code, 1);
        assert!(wrong.stderr.contains(fingerprint), "{}", wrong.stderr);
        let added = Program::new(&add).args(&[fingerprint]).json();
        assert_eq!((&added["kms_uri"], &added["cache_num"]), (&json!(from.kms_uri), &json!(1)));
        let listed = Program::new(&["kms", "cert", "list", "--dir", &other]).json();
        assert_eq!(listed["certificates"][0]["fingerprint"], fingerprint);
    }

    let (alice, carol) = (here.provision(ALICE), there.provision(CAROL));
    let offered = Program::new(&["client", "offer", "--store", &alice, "--as", ALICE, "--to", CAROL, "--type", "pck"])
        .args(&["--show-secrets"])
        .passphrase(PASSPHRASE)
        .json();
    let accept = ["client", "accept", "--store", &carol, "--as", CAROL, "--show-secrets"];
    let accepted = Program::new(&accept).passphrase(PASSPHRASE).stdin(offered["message"].as_str().unwrap()).json();
    assert_eq!((&accepted["key"], &accepted["srtp"]), (&offered["key"], &offered["srtp"]));

    let remove = ["kms", "cert", "remove", "--dir", &path(&here, "kms"), "--kms-uri", "kms.example.com"];
    assert_eq!(Program::new(&remove).json()["cache_num"], 2);
    assert_eq!(Program::new(&remove).run().code, 1, "it is gone");
}

#[test]
fn a_kms_rolls_over_to_new_master_secrets_and_its_clients_and_partners_learn_of_it() {
    let mut kms = RunningKms::start(&[ALICE]);
    let path = |kms: &RunningKms, name: &str| kms.path(name).to_str().unwrap().to_owned();
    let (dir, other) = (path(&kms, "kms"), path(&kms, "other"));
    let status = || Program::new(&["kms", "status", "--dir", &dir]).json();
    let before = status();
    let only = json!([{ "generation": 1, "first_period": 0, "from": null, "to": null, "present": true }]);
    assert_eq!(before["generations"], only);
    let current = before["period_no"].as_u64().unwrap();
    kms.provision(ALICE);

    let rollover = ["kms", "rollover", "--dir", &dir];
    let run = Program::new(&rollover).args(&["--at-period", "7"]).passphrase(PASSPHRASE).run();
    let advice = format!("earliest for new master secrets is period {}", current + 2);
    assert!(run.code == 1 && run.stderr.contains(&advice), "{}", run.stderr);
    let run = Program::new(&rollover).passphrase("another passphrase").run();
    assert!(run.code == 1 && run.stderr.contains("wrong passphrase"), "{}", run.stderr);
    let done = Program::new(&rollover).passphrase(PASSPHRASE).json();
    assert_eq!((&done["generation"], &done["first_period"]), (&json!(2), &json!(current + 2)));
    assert_eq!((&done["completed"], &done["cache_num"]), (&json!(false), &json!(1)));
    assert_eq!(done["restart_before"], before["next_period"]);
    let again = Program::new(&rollover).passphrase(PASSPHRASE).run();
    assert!(again.code == 1 && again.stderr.contains("made already"), "{}", again.stderr);
    let after = status();
    assert_eq!(after["generations"][0]["to"], done["begins"]);
    assert_eq!(after["generations"][1]["from"], done["begins"]);
    let text = Program::new(&["kms", "status", "--dir", &dir]).run().stdout;
    assert!(text.contains(&format!("generation 2, from period {}", current + 2)), "{text}");

    let withdraw =
        |arguments: &[&str]| Program::new(&rollover).args(&["--withdraw"]).args(arguments).passphrase(PASSPHRASE);
    let forced = Program::new(&rollover).args(&["--force"]).passphrase(PASSPHRASE).run();
    assert!(forced.code == 1 && forced.stderr.contains("made already"), "{}", forced.stderr);
    assert_eq!(withdraw(&["--at-period", "7"]).run().code, 2);
    let withdrawn = withdraw(&[]).json();
    assert_eq!((&withdrawn["generation"], &withdrawn["held"]), (&json!(2), &json!(0)));
    assert_eq!(status()["generations"], only);
    let run = withdraw(&["--force"]).run();
    assert!(run.code == 1 && run.stderr.contains("no roll-over is to come"), "{}", run.stderr);
    let done = Program::new(&rollover).passphrase(PASSPHRASE).json();
    assert_eq!((&done["generation"], &done["first_period"]), (&json!(4), &json!(current + 2)));

    kms.restart();
    let alice = kms.provision(ALICE);
    let known = Program::new(&["client", "kms", "--store", &alice]).passphrase(PASSPHRASE).json();
    let names: Vec<_> = known["kms"][0]["certificates"].as_array().unwrap().iter().map(|of| &of["cert_uri"]).collect();
    assert_eq!(names, ["kms.example.org#generation-1", "kms.example.org#generation-4"]);

    let certificate = path(&kms, "certificate.xml");
    let export = ["kms", "cert", "export", "--dir", &dir, "--out", &certificate];
    let exported = Program::new(&export).passphrase(PASSPHRASE).json();
    let files = exported["certificates"].as_array().unwrap();
    assert_eq!((&files[0]["out"], &files[0]["fingerprint"]), (&exported["out"], &exported["fingerprint"]));
    assert_eq!(files[1]["out"], path(&kms, "certificate.next.xml"));
    assert_eq!((&files[0]["valid_to"], &files[1]["valid_from"]), (&done["begins"], &done["begins"]));
    create_named(&other, "kms.example.com", "example.com");
    for file in files {
        let [path, fingerprint] = ["out", "fingerprint"].map(|field| file[field].as_str().unwrap());
        Program::new(&["kms", "cert", "add", "--dir", &other, path, "--fingerprint", fingerprint]).json();
    }
    let listed = Program::new(&["kms", "cert", "list", "--dir", &other]).json();
    let names: Vec<_> = listed["certificates"].as_array().unwrap().iter().map(|of| &of["cert_uri"]).collect();
    assert_eq!(names, ["kms.example.org#generation-1", "kms.example.org#generation-4"]);
}

#[test]
fn a_group_key_keeps_its_identifier_and_each_member_has_its_own() {
    let kms = RunningKms::start(&[ALICE, BOB]);
    let (alice, bob) = (kms.provision(ALICE), kms.provision(BOB));
    let (key, key_id) = ("000102030405060708090a0b0c0d0e0f", "0abbccdd");
    let offer = [
        "client",
        "offer",
        "--store",
        &alice,
        "--as",
        ALICE,
        "--to",
        BOB,
        "--type",
        "gmk",
        "--group",
        "sip:team@example.org",
        "--key",
        key,
        "--key-id",
        key_id,
        "--sdp",
        "--show-secrets",
    ];
    let offered = Program::new(&offer).passphrase(PASSPHRASE).json();
    assert_eq!((&offered["key"], &offered["key_id"]), (&json!(key), &json!(key_id)));

    let line = Program::new(&offer).passphrase(PASSPHRASE).run().stdout;
    assert!(line.starts_with("a=key-mgmt:mikey "), "{line}");
    let accept = ["client", "accept", "--store", &bob, "--as", BOB, "--show-secrets"];
    let accepted = Program::new(&accept).passphrase(PASSPHRASE).stdin(&line).json();
    assert_eq!((&accepted["key"], &accepted["key_id"]), (&json!(key), &json!(key_id)));
    assert_eq!(accepted["guk_id"], offered["guk_id"]);
    assert_ne!(accepted["guk_id"], accepted["key_id"]);
    assert_eq!(accepted["key_parameters"]["groups"], json!(["sip:team@example.org"]));
}

#[test]
fn each_optional_part_of_a_message_can_be_set_and_a_key_can_be_taken_back() {
    let kms = RunningKms::start(&[ALICE, BOB]);
    let (alice, bob) = (kms.provision(ALICE), kms.provision(BOB));
    let offer =
        ["client", "offer", "--store", &alice, "--as", ALICE, "--to", BOB, "--type", "csk", "--key-id", "2abbccdd"];
    let parts = ["--to-self", "--session-map", "--shared-with-gateway", "--text", "for the drill"];
    let times = ["--activation", "2026-01-01T00:00:00Z", "--expiry", "2040-01-01T00:00:00Z"];
    let offered = Program::new(&offer).args(&parts).args(&times).passphrase(PASSPHRASE).json();
    let message = offered["message"].as_str().unwrap();

    let inspected = Program::new(&["inspect"]).stdin(message).json();
    let payloads = inspected["payloads"].as_array().unwrap();
    assert_eq!(payloads[0]["cs_id_map"], "GENERIC-ID");
    let extensions: Vec<_> = payloads.iter().filter_map(|payload| payload.get("extension_type")).collect();
    assert_eq!(extensions, [&json!(6), &json!(7)]);

    let own = ["--store", &alice, "--as", ALICE, "--sent-to", BOB];
    let inspected = Program::new(&["inspect"]).args(&own).passphrase(PASSPHRASE).stdin(message).json();
    assert_eq!((&inspected["signature"], &inspected["key"]["id"]), (&json!("valid"), &offered["key_id"]));
    let accepted = Program::new(&["client", "accept"]).args(&own).passphrase(PASSPHRASE).stdin(message).json();
    assert_eq!(accepted["key_parameters"], offered["key_parameters"]);

    let accept = ["client", "accept", "--store", &bob, "--as", BOB];
    let accepted = Program::new(&accept).passphrase(PASSPHRASE).stdin(message).json();
    assert_eq!(accepted["key_parameters"], offered["key_parameters"]);
    assert_eq!(accepted["key_parameters"]["text"], "for the drill");
    assert_eq!(accepted["key_parameters"]["expiry"], 2_208_988_800_u64);

    assert_eq!(accepted["revocation"], "no");

    let revoked = Program::new(&offer).args(&["--revoke"]).passphrase(PASSPHRASE).json();
    let run = Program::new(&accept).passphrase(PASSPHRASE).stdin(revoked["message"].as_str().unwrap()).run();
    assert_eq!(run.code, 1, "{}", run.stdout);
    assert!(run.stderr.contains("takes back key 2abbccdd, which was held"), "{}", run.stderr);
    let told = Program::new(&offer).args(&["--revoke"]).passphrase(PASSPHRASE).json();
    let run =
        Program::new(&accept).args(&["--json"]).passphrase(PASSPHRASE).stdin(told["message"].as_str().unwrap()).run();
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((run.code, &told["key_id"], &told["dropped"]), (1, &json!("2abbccdd"), &json!(false)));
    let again = Program::new(&offer).passphrase(PASSPHRASE).run();
    assert!(again.code == 1 && again.stderr.contains("was taken back"), "{}", again.stderr);

    let unnamed = Program::new(&offer[..offer.len() - 2]).args(&["--revoke"]).passphrase(PASSPHRASE).run();
    assert!(unnamed.code == 2 && unnamed.stderr.contains("--key-id"), "{}", unnamed.stderr);
    let expired = ["--key-id", "2abbccde", "--expiry", "2026-01-01T00:00:00Z"];
    let expired = Program::new(&offer[..offer.len() - 2]).args(&expired).passphrase(PASSPHRASE).run();
    assert!(expired.code == 0 && expired.stderr.contains("has expired already"), "{}", expired.stderr);
    let unmapped = [&offer[..8], &["--type", "spk", "--session-map"]].concat();
    let unmapped = Program::new(&unmapped).passphrase(PASSPHRASE).run();
    assert!(unmapped.code == 1 && unmapped.stderr.contains("has no crypto sessions"), "{}", unmapped.stderr);
}

#[test]
fn what_is_excused_under_a_kms_is_set_shown_and_taken_back() {
    let kms = RunningKms::start(&[BOB]);
    let bob = kms.provision(BOB);
    let show = ["client", "kms", "--store", &bob];
    let known = Program::new(&show).passphrase(PASSPHRASE).json()["kms"].clone();
    assert_eq!((known.as_array().unwrap().len(), &known[0]["home"]), (1, &json!(true)));
    assert_eq!(known[0]["excused"], json!([]));
    let kms_uri = known[0]["kms_uri"].as_str().unwrap();

    let set = |arguments: &[&str]| {
        Program::new(&show).args(&["--kms-uri", kms_uri]).args(arguments).passphrase(PASSPHRASE).json()["kms"][0]
            .clone()
    };
    assert_eq!(
        set(&["--excuse", "v-flag", "--excuse", "dropped-zeros"])["excused"],
        json!(["v-flag", "dropped-zeros"])
    );
    let text = Program::new(&show).passphrase(PASSPHRASE).run().stdout;
    assert!(text.contains("dropped-zeros"), "{text}");
    assert_eq!(set(&["--excuse-nothing"])["excused"], json!([]));
    assert_eq!(set(&["--status-zero", "revoked"])["status_zero"], "revoked");
    assert_eq!(set(&["--status-zero", "possibly-live"])["status_zero"], "possibly-live");

    let unknown = Program::new(&show).args(&["--kms-uri", "kms.example.net"]).passphrase(PASSPHRASE).run();
    assert_eq!(unknown.code, 1);
    assert!(unknown.stderr.contains("kms.example.net"), "{}", unknown.stderr);
    let no_such = Program::new(&show).args(&["--kms-uri", kms_uri, "--excuse", "everything"]).run();
    assert_eq!(no_such.code, 2);
    assert!(no_such.stderr.contains("clear-key-parameters"), "{}", no_such.stderr);
}

#[test]
fn test_tokens_open_a_server_that_runs_already() {
    let kms = RunningKms::start(&[ALICE, BOB]);
    let dir = kms.path("kms");
    let arguments = ["kms", "test-token", "--dir", dir.to_str().unwrap(), "--user", ALICE];
    let token = Program::new(&arguments).run().stdout;
    kms.provision_with(ALICE, &token);
    let log = Program::new(&["kms", "audit", "export", "--dir", dir.to_str().unwrap()]).run().stdout;
    let made = log.lines().find(|line| line.contains(r#""event":"test_token_made""#)).unwrap();
    let made: Value = serde_json::from_str(made).unwrap();
    let published = fs::read_to_string(dir.join("jwks.json")).unwrap();
    assert!(published.contains(made["entry"]["key_id"].as_str().unwrap()), "{made}");
    assert_eq!(made["entry"]["uri"], ALICE);
    assert!(made["entry"]["expires"].as_str().unwrap().ends_with('Z') && !log.contains(token.trim()), "{made}");
    // The provider's own key is still in the JWK set.
    kms.provision(BOB);
}

#[cfg(unix)]
#[test]
fn what_clients_hand_in_is_listed_with_what_its_signature_is_worth() {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
    let signer = X509Signer::new(certificate.der(), &key.serialize_der()).unwrap();
    let redirect = KmsRedirectResponse {
        processor_uri: Some(BOB.into()),
        time: Some(OffsetDateTime::now_utc()),
        rejected_kms_uri: Some(KMS_URI.into()),
        receiver_kms_uris: vec!["kms.example.com".into()],
        ..KmsRedirectResponse::default()
    };
    let signed = redirect.to_signed_xml(&signer).unwrap();

    let kms = RunningKms::start(&[ALICE]);
    let dir = kms.path("kms").to_str().unwrap().to_owned();
    let list = |what: &str| Program::new(&["kms", what, "list", "--dir", &dir]);
    for (what, nothing) in [("redirect", "redirect response"), ("report", "reported an error")] {
        let run = list(what).run();
        assert!(run.code == 0 && run.stderr.contains(nothing), "{}", run.stderr);
    }
    let request = |path: &str| KmsRequest {
        user_uri: ALICE.into(),
        kms_uri: KMS_URI.into(),
        time: OffsetDateTime::now_utc(),
        client_id: None,
        device_id: None,
        client_req_url: format!("https://{}{ROOT}/{path}", kms.address),
        client_error: None,
        krr_list: Vec::new(),
        key_ids: KeyIds::default(),
    };
    let document = RedirectDocument::from_xml(signed.as_bytes(), &Limits::default()).unwrap();
    kms.send(&KmsRequest { krr_list: vec![document], ..request("redirect") }, "redirect");
    let trouble = KmsError { code: -3, message: "the RSK is \u{1b}[2J bad".into() };
    kms.send(&KmsRequest { client_error: Some(trouble), ..request("init") }, "init");

    let reports = list("report").json()["reports"].clone();
    assert_eq!(reports.as_array().unwrap().len(), 1);
    assert_eq!((&reports[0]["uri"], &reports[0]["code"]), (&json!(ALICE), &json!(-3)));
    let text = list("report").run().stdout;
    assert!(text.contains(ALICE) && text.contains("-3") && !text.contains('\u{1b}'), "{text:?}");

    let stranger = KeyPair::generate().unwrap();
    let stranger = CertificateParams::new(Vec::new()).unwrap().self_signed(&stranger).unwrap();
    let trust = |name: &str, pem: String| {
        let path = kms.path(name).to_str().unwrap().to_owned();
        fs::write(&path, pem).unwrap();
        path
    };
    let (right, wrong) = (trust("right.pem", certificate.pem()), trust("wrong.pem", stranger.pem()));
    for (trust, signature) in [(None, "unverified"), (Some(&right), "verified"), (Some(&wrong), "invalid")] {
        let arguments = trust.map_or(Vec::new(), |path| vec!["--trust", path]);
        let redirects = list("redirect").args(&arguments).json()["redirects"].clone();
        assert_eq!(redirects[0]["signature"], signature);
        assert_eq!(redirects[0]["problem"].is_string(), signature == "invalid", "{redirects}");
        assert_eq!(redirects[0]["receiver_kms_uris"], json!(["kms.example.com"]));
        let text = list("redirect").args(&arguments).run().stdout;
        assert!(text.contains(&format!("signature {signature}")) && text.contains(BOB), "{text}");
    }
    for (name, pem) in [("none.pem", ""), ("bad.pem", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n")] {
        let run = list("redirect").args(&["--trust", &trust(name, pem.into())]).run();
        assert!(run.code == 1 && run.stderr.contains(name), "{}", run.stderr);
    }
}

#[test]
fn a_server_that_is_told_to_stop_leaves_one_whole_database() {
    let mut kms = RunningKms::start(&[ALICE]);
    kms.provision(ALICE);
    let log = kms.path("kms/kms.sqlite-wal");
    assert!(log.exists());
    let stopped = Command::new("kill").args(["-TERM", &kms.child.id().to_string()]).status().unwrap();
    assert!(stopped.success() && kms.child.wait().unwrap().success());
    assert!(!log.exists());
}

#[test]
fn keys_travel_in_files_and_revoked_users_get_none() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("kms");
    let (init, keyprov, store) =
        (folder.path().join("i.xml"), folder.path().join("k.xml"), folder.path().join("alice"));
    let dir = dir.to_str().unwrap();
    let made = create(dir);
    assert_eq!(made["kms_uri"], KMS_URI);
    assert_eq!(made["pub_enc_key"].as_str().unwrap().len(), 514);
    assert_eq!(made["pub_auth_key"].as_str().unwrap().len(), 130);
    add_user(dir, ALICE);

    let issue = [
        "kms",
        "issue",
        "--dir",
        dir,
        "--user",
        ALICE,
        "--out",
        keyprov.to_str().unwrap(),
        "--init-out",
        init.to_str().unwrap(),
    ];
    assert_eq!(Program::new(&issue).passphrase(PASSPHRASE).json()["issued"], 2);
    let imported = Program::import(&store, &init, &keyprov).passphrase(PASSPHRASE).json();
    assert_eq!((&imported["user_uri"], &imported["kms_uri"]), (&json!(ALICE), &json!(KMS_URI)));
    assert_eq!(imported["periods"].as_array().unwrap().len(), 2);

    let status = Program::new(&["kms", "status", "--dir", dir]).json();
    assert_eq!((&status["active_users"], &status["issued"]), (&json!(1), &json!(2)));
    Program::new(&["kms", "user", "revoke", "--dir", dir, "--user", ALICE]).json();
    let users = Program::new(&["kms", "user", "list", "--dir", dir]).json();
    assert_eq!(users["users"][0]["status"], "revoked");
    let run = Program::new(&issue).passphrase(PASSPHRASE).run();
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains(&format!("user {ALICE} is revoked and gets no more keys")), "{}", run.stderr);
    for (command, advice) in [("revoke", "is revoked already"), ("add", "exists already, active or revoked")] {
        let run = Program::new(&["kms", "user", command, "--dir", dir, "--user", ALICE]).run();
        assert_eq!(run.code, 1);
        assert!(run.stderr.contains(advice), "{}", run.stderr);
    }
}

#[test]
fn transport_keys_protect_files_and_the_air_and_are_rotated() {
    let kms = RunningKms::start(&[ALICE, BOB]);
    let path = |name: &str| kms.path(name).to_str().unwrap().to_owned();
    let (dir, out, store) = (path("kms"), path("keys"), path("alice"));
    let (trk, ink) = (path("keys/trk.key"), path("keys/ink.key"));
    let (init, keyprov) = (kms.path("i.xml"), kms.path("k.xml"));
    let run = |arguments: &[&str]| Program::new(arguments).passphrase(PASSPHRASE);

    let new = ["kms", "trk", "new", "--dir", &dir, "--user", ALICE, "--out", &out];
    let made = run(&new).json();
    let (trk_id, ink_id) = (&made["trk_id"], &made["ink_id"]);
    assert_eq!((trk_id, ink_id), (&json!("tk.1.alice@example.org"), &json!("ink.1.alice@example.org")));
    assert_eq!((&made["trk"], &made["ink"]), (&json!(trk), &json!(ink)));
    #[cfg(unix)]
    for file in [&trk, &ink] {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    for (arguments, advice) in [
        (&new[..], "exists already"),
        (&["kms", "trk", "new", "--dir", &dir, "--user", ALICE, "--out", &path("other")], "--replace"),
        (&["kms", "trk", "rotate", "--dir", &dir, "--user", BOB], "kms trk new"),
        (
            &["client", "import", "--store", &store, "--init", &ink, "--keyprov", &ink, "--trk", &ink, "--ink", &trk],
            "the one with --trk, the other with --ink",
        ),
    ] {
        let refused = run(arguments).run();
        assert_eq!(refused.code, 1, "{}", refused.stdout);
        assert!(refused.stderr.contains(advice), "{}", refused.stderr);
    }

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let set = |mode| fs::set_permissions(&trk, fs::Permissions::from_mode(mode)).unwrap();
        set(0o644);
        let import = ["client", "import", "--store", &store, "--init", &ink, "--keyprov", &ink];
        let refused = run(&import).args(&["--trk", &trk, "--ink", &ink]).run();
        assert!(refused.code == 1 && refused.stderr.contains("chmod 600"), "{}", refused.stderr);
        set(0o600);
    }

    for one in [["--trk", &trk], ["--ink", &ink]] {
        let refused = run(&["client", "import", "--store", &store, "--init", &ink, "--keyprov", &ink]).args(&one).run();
        assert_eq!(refused.code, 2, "{}", refused.stderr);
        assert!(
            refused.stderr.contains("--trk <FILE>") && refused.stderr.contains("--ink <FILE>"),
            "{}",
            refused.stderr
        );
    }

    // In files.
    let (init_file, keyprov_file) = (init.to_str().unwrap(), keyprov.to_str().unwrap());
    let issue = ["kms", "issue", "--dir", &dir, "--user", ALICE, "--out", keyprov_file, "--init-out", init_file];
    let keys = ["--trk", &trk, "--ink", &ink];
    let refused = run(&issue).run();
    assert!(refused.code == 1 && refused.stderr.contains("--clear"), "{}", refused.stderr);
    assert!(!init.exists() && !keyprov.exists());
    assert_eq!(run(&issue).args(&["--clear"]).json()["wrapped_with"], Value::Null);
    let issued = run(&issue).args(&keys).json();
    assert_eq!((&issued["wrapped_with"], &issued["signed_with"]), (trk_id, ink_id));
    if let Some(schema) = Schema::open() {
        for file in [&init, &keyprov] {
            assert_eq!(schema.faults(&fs::read_to_string(file).unwrap()), None);
        }
    }
    let without = Program::import(&kms.path("alice"), &init, &keyprov).passphrase(PASSPHRASE).run();
    assert!(without.code == 1 && without.stderr.contains("ink.1.alice"), "{}", without.stderr);
    let imported = Program::import(&kms.path("alice"), &init, &keyprov).args(&keys).passphrase(PASSPHRASE).json();
    assert_eq!((&imported["wrapped_with"], &imported["signed_with"]), (trk_id, ink_id));

    // Over the air, with what the store has now, and new ones.
    let rotated = run(&["kms", "trk", "rotate", "--dir", &dir, "--user", ALICE]).json();
    assert_eq!(rotated["trk_id"], "tk.2.alice@example.org");
    let token = path("alice.jwt");
    fs::write(&token, kms.token(ALICE, Duration::from_secs(60))).unwrap();
    let (url, ca) = (format!("https://{}", kms.address), path("kms/tls-cert.pem"));
    let provision =
        ["client", "provision", "--store", &store, "--kms", &url, "--user", ALICE, "--token", &token, "--ca", &ca];
    let first = run(&provision).json();
    assert_eq!((&first["signed_with"], &first["new_transport_key"]), (ink_id, &json!("tk.2.alice@example.org")));
    let second = run(&provision).json();
    assert_eq!(
        (&second["signed_with"], &second["new_transport_key"]),
        (&json!("ink.2.alice@example.org"), &Value::Null)
    );
    // The command that was right before the rotation still is.
    let third = run(&provision).args(&keys).json();
    assert_eq!(third["signed_with"], "ink.2.alice@example.org");
    assert!(third["notes"][0].as_str().unwrap().contains("newer keys, tk.2"), "{third}");
    // The old ones are good no more.
    let fresh = path("fresh");
    let old = run(&[
        "client",
        "provision",
        "--store",
        &fresh,
        "--kms",
        &url,
        "--user",
        ALICE,
        "--token",
        &token,
        "--ca",
        &ca,
    ]);
    let refused = old.args(&keys).run();
    assert!(refused.code == 1 && refused.stderr.contains("2007"), "{}", refused.stderr);
    assert!(refused.stderr.contains("kms trk new --replace"), "{}", refused.stderr);
    // Nothing to show who asks.
    let nobody = run(&["client", "provision", "--store", &fresh, "--kms", &url, "--user", ALICE]).run();
    assert_eq!(nobody.code, 2, "{}", nobody.stderr);
    assert!(nobody.stderr.contains("--token <FILE>|--cert <FILE>"), "{}", nobody.stderr);
}

#[test]
fn a_wrong_passphrase_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("kms");
    let dir = dir.to_str().unwrap();
    create(dir);
    let again = ["kms", "init", "--dir", dir, "--kms-uri", KMS_URI, "--domain", "example.org"];
    let run = Program::new(&again).passphrase(PASSPHRASE).run();
    assert_eq!(run.code, 1, "a KMS is never overwritten");
    let run = Program::new(&["kms", "serve", "--dir", dir]).passphrase("another passphrase").run();
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("wrong passphrase"), "{}", run.stderr);
}

#[cfg(unix)]
#[test]
fn no_command_opens_a_kms_that_others_can_write() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("kms");
    let dir = dir.to_str().unwrap();
    create(dir);
    add_user(dir, ALICE);
    let keys = folder.path().join("keys");
    fs::set_permissions(dir, fs::Permissions::from_mode(0o770)).unwrap();
    for arguments in [
        &["status"][..],
        &["user", "list"],
        &["user", "revoke", "--user", ALICE],
        &["audit", "verify"],
        &["audit", "export"],
        &["test-token", "--user", ALICE],
        &["cert", "list"],
        &["report", "list"],
        &["serve"],
        &["rollover"],
        &["backup", "--out", "kms.backup"],
        &["trk", "new", "--user", ALICE, "--out", keys.to_str().unwrap()],
    ] {
        let run = Program::new(&["kms"]).args(arguments).args(&["--dir", dir]).within(folder.path());
        let run = run.passphrase(PASSPHRASE).run();
        assert_eq!(run.code, 1, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(dir) && run.stderr.contains("mode 0770"), "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains("chmod go-w"), "{arguments:?}: {}", run.stderr);
    }
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).unwrap();
    Program::new(&["kms", "status", "--dir", dir]).json();
}

fn create(dir: &str) -> Value {
    create_named(dir, KMS_URI, "example.org")
}

fn create_named(dir: &str, kms_uri: &str, domain: &str) -> Value {
    let arguments = ["kms", "init", "--dir", dir, "--kms-uri", kms_uri, "--domain", domain];
    Program::new(&arguments).passphrase(PASSPHRASE).json()
}

fn add_user(dir: &str, user: &str) {
    Program::new(&["kms", "user", "add", "--dir", dir, "--user", user]).json();
}

/// A KMS that serves at a port of its own until it is dropped.
struct RunningKms {
    folder: tempfile::TempDir,
    issuer: TokenIssuer,
    child: Child,
    address: String,
    kms_uri: &'static str,
}

/// What curl got.
struct Answer {
    status: u16,
    body: String,
}

impl RunningKms {
    fn start(users: &[&str]) -> Self {
        Self::named(KMS_URI, "example.org", users)
    }

    fn named(kms_uri: &'static str, domain: &str, users: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("kms");
        create_named(dir.to_str().unwrap(), kms_uri, domain);
        for user in users {
            add_user(dir.to_str().unwrap(), user);
        }
        let issuer = TokenIssuer::new(&format!("https://idms.{domain}"), kms_uri, "test").unwrap();
        file::create(&dir.join("jwks.json"), issuer.jwks().as_bytes()).unwrap();
        let (child, address) = Self::serve(&dir);
        Self { folder, issuer, child, address, kms_uri }
    }

    fn restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        (self.child, self.address) = Self::serve(&self.path("kms"));
    }

    fn serve(dir: &Path) -> (Child, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mikey-sakke"))
            .args(["kms", "serve", "--json", "--listen", "127.0.0.1:0", "--dir", dir.to_str().unwrap()])
            .env("MIKEY_SAKKE_PASSPHRASE", PASSPHRASE)
            .env("MIKEY_SAKKE_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        (child, ready["address"].as_str().unwrap().to_owned())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn token(&self, uri: &str, lifetime: Duration) -> String {
        self.token_at(uri, SystemTime::now(), lifetime)
    }

    fn token_at(&self, uri: &str, now: SystemTime, lifetime: Duration) -> String {
        self.issuer.token(uri, now, lifetime).unwrap()
    }

    /// Alice posts a document, which must be taken.
    fn send(&self, request: &KmsRequest, path: &str) {
        let file = self.path("request.xml");
        fs::write(&file, request.to_xml()).unwrap();
        let header = format!("Authorization: Bearer {}", self.token(ALICE, Duration::from_secs(60)));
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--fail", "--header", &header, "--header", XML, "--cacert"]);
        command.arg(self.path("kms/tls-cert.pem")).arg("--data-binary").arg(format!("@{}", file.display()));
        let output = command.arg(format!("https://{}{ROOT}/{path}", self.address)).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn curl(&self, path: &str, token: Option<&str>) -> Answer {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--request", "POST", "--write-out", "\n%{http_code}"]);
        command.arg("--cacert").arg(self.path("kms/tls-cert.pem"));
        if let Some(token) = token {
            command.args(["--header", &format!("Authorization: Bearer {token}")]);
        }
        let output = command.arg(format!("https://{}{path}", self.address)).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, status) = text.rsplit_once('\n').unwrap();
        Answer { status: status.parse().unwrap(), body: body.to_owned() }
    }

    /// Provisions a store for a user and returns its path.
    fn provision(&self, user: &str) -> String {
        self.provision_with(user, &self.token(user, Duration::from_secs(60)))
    }

    fn provision_with(&self, user: &str, access_token: &str) -> String {
        let name = user.replace([':', '@'], "-");
        let (store, token) = (self.path(&name), self.path(&format!("{name}.jwt")));
        fs::write(&token, access_token).unwrap();
        let store = store.to_str().unwrap().to_owned();
        let arguments = [
            "client",
            "provision",
            "--store",
            &store,
            "--kms",
            &format!("https://{}", self.address),
            "--user",
            user,
            "--token",
            token.to_str().unwrap(),
            "--ca",
            self.path("kms/tls-cert.pem").to_str().unwrap(),
        ]
        .map(str::to_owned);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let result = Program::new(&arguments).passphrase(PASSPHRASE).json();
        assert_eq!((&result["user_uri"], &result["kms_uri"]), (&json!(user), &json!(self.kms_uri)));
        assert_eq!(result["periods"].as_array().unwrap().len(), 2);
        store
    }
}

impl Drop for RunningKms {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_audit_log_tells_of_everything_and_can_be_exported_and_anchored() {
    let kms = RunningKms::start(&[ALICE]);
    kms.provision(ALICE);
    let dir = kms.path("kms").to_str().unwrap().to_owned();
    let verify = ["kms", "audit", "verify", "--dir", &dir];
    let head = Program::new(&verify).json();
    let anchor = format!("{}:{}", head["entries"], head["hash"].as_str().unwrap());
    Program::new(&["kms", "user", "revoke", "--dir", &dir, "--user", ALICE]).json();
    assert_eq!(Program::new(&verify).args(&["--anchor", &anchor]).json()["anchored"], true);
    let forged = format!("{}:{}", head["entries"], "00".repeat(32));
    let run = Program::new(&verify).args(&["--anchor", &forged]).run();
    assert!(run.code == 1 && run.stderr.contains("is not the one that was noted"), "{}", run.stderr);
    let run = Program::new(&verify).args(&["--anchor", "7"]).run();
    assert!(run.code == 2 && run.stderr.contains("64 hex digits"), "{}", run.stderr);

    let export = ["kms", "audit", "export", "--dir", &dir];
    let lines = Program::new(&export).run().stdout;
    let entries: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events: Vec<_> = entries.iter().map(|line| line["entry"]["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["initialised", "user_added", "started", "issued", "user_revoked"]);
    let by = entries[4]["entry"]["by"].as_str().unwrap();
    assert!(by.starts_with("operator ") && by.contains("uid "), "{by}");
    let toml = kms.path("kms/kms.toml");
    let sum = Command::new("sha256sum").arg(&toml).output().unwrap();
    let configuration = entries[2]["entry"]["configuration"].as_str().unwrap();
    assert!(String::from_utf8(sum.stdout).unwrap().starts_with(configuration), "{configuration}");
    // No environment variable makes one operator another.
    let revoke = |user: &str, name: &str| {
        add_user(&dir, user);
        let mut command = Command::new(env!("CARGO_BIN_EXE_mikey-sakke"));
        let names = ["USER", "LOGNAME", "USERNAME"].map(|variable| (variable, name));
        assert!(
            command
                .args(["kms", "user", "revoke", "--dir", &dir, "--user", user])
                .envs(names)
                .status()
                .unwrap()
                .success()
        );
        let lines = Program::new(&export).run().stdout;
        let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
        last["entry"]["by"].clone()
    };
    assert_eq!(revoke("sip:x@example.org", "mallory"), revoke("sip:y@example.org", "alice"));
    let file = format!("{dir}/log.jsonl");
    let exported = Program::new(&export).args(&["--from", "8", "--out", &file]).json();
    assert_eq!((&exported["exported"], &exported["last"]), (&json!(2), &json!(9)));
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 2);
    assert_eq!(Program::new(&export).args(&["--json"]).run().code, 1);
}
