//! The program as a script sees it: exit codes, JSON, and what it keeps to itself.

use crate::cli_support;
use crate::cli_support::{Program, vendor};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const PASSPHRASE: &str = "a passphrase for tests";

#[test]
#[cfg(target_os = "linux")]
fn results_that_cannot_be_written_are_a_failure_and_a_closed_pipe_is_none() {
    use std::fs::OpenOptions;
    use std::process::{Command, Stdio};
    let uid =
        ["uid", "--user-uri", "sip:a@b", "--kms-uri", "k", "--period", "86400", "--offset", "0", "--period-no", "1"];
    for json in [&[][..], &["--json"]] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_mikey-sakke"));
        let output = program.args(uid).args(json).stdout(full).stderr(Stdio::piped()).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && stderr.contains("cannot write the results"), "{stderr}");

        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut program = Command::new(env!("CARGO_BIN_EXE_mikey-sakke"));
        assert!(program.args(uid).args(json).stdout(writer).status().unwrap().success());
    }
}

#[test]
fn wrong_usage_exits_with_2_and_says_so_on_standard_error() {
    for arguments in [
        &["no-such-command"][..],
        &["uid", "--user-uri", "a"],
        &["uid", "--user-uri", "a", "--kms-uri", "b", "--period", "1", "--offset", "0"],
        &["uid", "--user-uri", "a", "--kms-uri", "b", "--period", "1", "--offset", "0", "--at", "noon"],
        &["speed", "--op", "no_such_operation"],
        &["speed", "--backend", "no_such_backend"],
        &["speed", "--seconds", "-1"],
        &["client", "offer", "--store", "x", "--as", "a", "--to", "b", "--type", "no-such-type"],
        &["inspect", "--store", "x"],
    ] {
        let run = Program::new(arguments).run();
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
        assert!(run.stdout.is_empty(), "{arguments:?}: {}", run.stdout);
        assert!(!run.stderr.is_empty(), "{arguments:?}");
    }
    for (seconds, words) in [("-1", "a positive number of seconds is needed"), ("inf", "never end")] {
        let run = Program::new(&["speed", "--seconds", seconds]).run();
        assert_eq!(run.code, 2);
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
}

#[test]
fn every_command_has_help() {
    for command in [
        &["demo"][..],
        &["selftest"],
        &["speed"],
        &["uid"],
        &["inspect"],
        &["client", "import"],
        &["client", "provision"],
        &["client", "offer"],
        &["client", "accept"],
        &["client", "kms"],
        &["kms", "init"],
        &["kms", "serve"],
        &["kms", "user", "add"],
        &["kms", "user", "list"],
        &["kms", "user", "revoke"],
        &["kms", "issue"],
        &["kms", "status"],
        &["kms", "audit", "verify"],
        &["kms", "audit", "export"],
        &["kms", "test-token"],
    ] {
        let arguments = [command, &["--help"]].concat();
        let run = Program::new(&arguments).run();
        assert_eq!(run.code, 0, "{command:?}");
        assert!(run.stdout.contains("Usage: mikey-sakke"), "{command:?}");
        assert!(run.stdout.contains("--json"), "{command:?}");
    }
}

#[test]
fn uid_computes_the_example_of_ts_33_180() {
    let arguments = [
        "uid",
        "--user-uri",
        "sip:user@example.org",
        "--kms-uri",
        "kms.example.org",
        "--period",
        "2592000",
        "--offset",
        "0",
    ];
    let uid = "3a81fb14c3b1d0fe43c9c577104d55a6d81788bfd2f09743c4557746a5a0353b";
    let expected = json!({ "uid": uid, "period_no": 1388 });

    let by_number = Program::new(&arguments).args(&["--period-no", "1388"]);
    assert_eq!(by_number.json(), expected);
    assert_eq!(Program::new(&arguments).args(&["--at", "2014-01-15T00:00:00Z"]).json(), expected);
    let run = Program::new(&arguments).args(&["--period-no", "1388"]).run();
    assert_eq!(run.stdout.trim(), uid);
}

#[test]
fn selftest_passes_every_published_value_on_every_backend() {
    let result = Program::new(&["selftest"]).json();
    let backends = result["backends"].as_array().unwrap();
    assert!(!backends.is_empty());
    for backend in backends {
        assert!(backend["name"].is_string());
        assert!(backend["passed"].as_u64().unwrap() >= 20, "{backend}");
        assert_eq!(backend["failed"], 0, "{backend}");
    }
}

#[test]
fn uid_names_the_days_of_a_period_of_any_century() {
    let arguments = ["uid", "--user-uri", "a:b", "--kms-uri", "k", "--period", "2592000", "--offset", "0"];
    let run = Program::new(&arguments).args(&["--period-no", "1"]).run();
    assert_eq!(run.code, 0);
    assert!(run.stderr.contains("from 1900-01-31T00:00:00Z until 1900-03-02T00:00:00Z"), "{}", run.stderr);
}

#[test]
fn speed_measures_what_it_is_asked_for() {
    let result = Program::new(&["speed", "--op", "eccsi_sign", "--op", "eccsi_verify", "--seconds", "0.01"]).json();
    assert!(result["backend"].is_string() && result["cpu"].is_string());
    let names: Vec<_> = result["ops"].as_array().unwrap().iter().map(|op| op["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["eccsi_sign", "eccsi_verify"]);
    for op in result["ops"].as_array().unwrap() {
        let (ns, per_second) = (op["ns_per_op"].as_f64().unwrap(), op["ops_per_s"].as_f64().unwrap());
        assert!(ns > 0.0 && (ns * per_second / 1e9 - 1.0).abs() < 1e-6, "{op}");
    }
}

#[test]
fn each_backend_can_be_forced_and_no_other() {
    let measure = ["speed", "--op", "eccsi_sign", "--seconds", "0.01"];
    for backend in Program::new(&["selftest"]).json()["backends"].as_array().unwrap() {
        let name = backend["name"].as_str().unwrap();
        assert_eq!(Program::new(&measure).args(&["--backend", name]).json()["backend"], name);
        assert_eq!(Program::new(&measure).backend(name).json()["backend"], name);
    }
    let forced = Program::new(&measure).backend("no_such_backend").run();
    assert_eq!(forced.code, 2);
    assert!(forced.stderr.contains("portable"), "{}", forced.stderr);
    assert_eq!(Program::new(&measure).backend("").run().code, 0);
    let asked = Program::new(&measure).args(&["--backend", "no_such_backend"]).run();
    assert!(asked.stderr.contains("portable"), "{}", asked.stderr);
}

#[test]
fn inspect_decodes_foreign_messages_without_keys() {
    let Some(softil) = vendor("softil.json") else { return };
    let Some(streamwide) = vendor("streamwide-v5.json") else { return };
    for (message, data_type) in [(&softil["messages"][0], 26), (&streamwide["messages"][0], 26)] {
        let result = Program::new(&["inspect"]).stdin(message["i_message"].as_str().unwrap()).json();
        assert_eq!(result["data_type"], data_type);
        assert_eq!(result["signature"], "unchecked");
        assert!(result["error"].is_null(), "{result}");
        let payloads = result["payloads"].as_array().unwrap();
        assert!(payloads.len() >= 9, "{result}");
        assert_eq!(payloads[0]["offset"], 0);
        assert_eq!(payloads.last().unwrap()["type"], "SIGN");
    }
    let pck = streamwide["messages"][1]["key_id"].as_str().unwrap();
    let message = streamwide["messages"][1]["i_message"].as_str().unwrap();
    for form in [message.to_owned(), format!("mikey {message}"), format!("v=0\r\na=key-mgmt:mikey {message}\r\n")] {
        assert_eq!(Program::new(&["inspect", "-"]).stdin(&form).json()["csb_id"], pck);
    }
}

#[test]
fn inspect_says_where_a_message_deviates() {
    let Some(streamwide) = vendor("streamwide-v5.json") else { return };
    let message = streamwide["messages"][1]["i_message"].as_str().unwrap();
    let inspect = |message: &str| Program::new(&["inspect"]).stdin(message).json();
    let faithful = inspect(message);
    assert_eq!((&faithful["deviations"], &faithful["refusal"]), (&json!([]), &Value::Null));

    let altered = message.replacen("ARoFAR", "ARoFgB", 1); // V = 1, PRF 0
    let deviating = inspect(&altered);
    let deviations = deviating["deviations"].as_array().unwrap();
    assert_eq!(deviations.len(), 2, "{deviating}");
    assert!(deviations[0].as_str().unwrap().starts_with("the V flag is set"), "{deviating}");
    assert!(deviations[1].as_str().unwrap().starts_with("PRF function 0"), "{deviating}");
    let text = Program::new(&["inspect"]).stdin(&altered).run().stdout;
    assert!(text.contains("deviates from TS 33.180: the V flag is set"), "{text}");

    let foreign = inspect(&message.replacen("ARoF", "AQoF", 1));
    assert!(foreign["refusal"].as_str().unwrap().contains("data type"), "{foreign}");
}

#[test]
fn inspect_of_a_broken_message_says_where_it_breaks() {
    let run = Program::new(&["inspect", "--json"]).stdin("011a0581").run();
    assert_eq!(run.code, 1);
    let result: Value = serde_json::from_str(&run.stdout).unwrap();
    assert!(result["error"].as_str().unwrap().contains("octet"), "{result}");
}

#[test]
fn inspect_opens_foreign_messages_with_a_store_and_hides_their_keys() {
    for (file, period_epoch) in [("streamwide-v5.json", 236), ("alea-v3.json", 4)] {
        let Some(vectors) = vendor(file) else { return };
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        import_vendor_keys(&vectors, folder.path(), &store);
        for message in vectors["messages"].as_array().unwrap() {
            let arguments =
                ["inspect", "--store", store.to_str().unwrap(), "--as", message["responder"].as_str().unwrap()];
            let text = message["i_message"].as_str().unwrap();
            let hidden = Program::new(&arguments).passphrase(PASSPHRASE).stdin(text).json();
            assert_eq!(hidden["signature"], "valid", "{file} {period_epoch}: {hidden}");
            assert!(hidden["error"].is_null(), "{hidden}");
            assert_eq!(hidden["key"]["type"].as_str().unwrap().to_uppercase(), message["key_type"].as_str().unwrap());
            assert_eq!(hidden["key"]["id"], message["key_id"]);
            assert_eq!(hidden["key"]["rand"], message["rand"]);
            assert_eq!(hidden["key"]["guk_id"], message["guk_id"]);
            assert!(hidden["key"]["value"].is_null());
            assert!(!hidden.to_string().contains(message["key"].as_str().unwrap()));
            assert!(hidden["key_parameters"].is_object());

            let shown = Program::new(&arguments).args(&["--show-secrets"]).passphrase(PASSPHRASE).stdin(text).json();
            assert_eq!(shown["key"]["value"], message["key"]);
        }
    }
}

#[test]
fn sample_responses_are_imported_by_the_convention_that_makes_them_valid() {
    let Some(shared) = cli_support::shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let vectors = shared.join("vectors/vendor");
    let (init, keyprov) = (vectors.join("kms-init-response.xml"), vectors.join("kms-keyprov-response.xml"));
    let result = Program::import(&store, &init, &keyprov).passphrase(PASSPHRASE).json();
    assert_eq!(result["user_uri"], "alice@org.com");
    assert_eq!(result["kms_uri"], "localhost:8080");
    assert_eq!(result["periods"], json!([625]));
    assert_eq!(result["identity_form"], "hex_text");
    assert_eq!(result["period_epoch"], "unix");

    let altered = folder.path().join("altered.xml");
    let text = fs::read_to_string(&keyprov).unwrap();
    fs::write(&altered, text.replace("alice@org.com", "mallory@org.com")).unwrap();
    let other = folder.path().join("other");
    let run = Program::import(&other, &init, &altered).passphrase(PASSPHRASE).run();
    assert_eq!(run.code, 1, "{}", run.stdout);
    assert!(!run.stderr.is_empty());
    assert!(!other.exists(), "a store was left behind without keys");
    let run = Program::new(&["client", "offer", "--store", other.to_str().unwrap(), "--as", "mallory@org.com"])
        .args(&["--to", "bob@org.com", "--type", "pck"])
        .passphrase(PASSPHRASE)
        .run();
    assert_eq!(run.code, 1, "keys that validate under no convention must not be stored");
}

#[test]
fn a_passphrase_is_asked_for_in_vain_without_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("kms");
    let arguments = ["kms", "init", "--dir", directory.to_str().unwrap(), "--kms-uri", "k", "--domain", "example.org"];
    let run = Program::new(&arguments).run();
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains("--passphrase-file") && run.stderr.contains("MIKEY_SAKKE_PASSPHRASE"),
        "{}",
        run.stderr
    );
    assert!(!directory.join("secrets.sealed").exists());
}

fn import_vendor_keys(vectors: &Value, folder: &Path, store: &Path) {
    let init = folder.join("init.xml");
    fs::write(&init, cli_support::init_response(&vectors["kms_certificate"])).unwrap();
    for (index, key_set) in vectors["key_sets"].as_array().unwrap().iter().enumerate() {
        let keyprov = folder.join(format!("keyprov-{index}.xml"));
        let kms_uri = vectors["kms_certificate"]["KmsUri"].as_str().unwrap();
        fs::write(&keyprov, cli_support::keyprov_response(kms_uri, key_set)).unwrap();
        let result = Program::import(store, &init, &keyprov).passphrase(PASSPHRASE).json();
        assert_eq!(result["user_uri"], key_set["UserUri"]);
    }
}
