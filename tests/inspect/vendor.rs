//! What vendors' messages say, beside what is expected of them. The messages themselves are not part of this repository.
use crate::cli_support::{self, Program};
use serde_json::{Value, json};
use std::path::Path;

const PASSPHRASE: &str = "a passphrase for tests";

#[test]
fn alea() {
    assert_expected("alea-v3");
}

#[test]
fn softil() {
    assert_expected("softil");
}

#[test]
fn streamwide() {
    assert_expected("streamwide-v5");
}

/// Inspects every message of a vendor's file, with its keys if they are published.
fn assert_expected(name: &str) {
    let Some(vectors) = cli_support::vendor(&format!("{name}.json")) else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let has_keys = vectors["key_sets"].is_array();
    if has_keys {
        import(&vectors, folder.path(), &store);
    }
    let found: Value = vectors["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| {
            let mut program = Program::new(&["inspect", "--strict"]).stdin(message["i_message"].as_str().unwrap());
            if has_keys {
                let user = message["responder"].as_str().unwrap();
                program = program.args(&["--store", store.to_str().unwrap(), "--as", user]).passphrase(PASSPHRASE);
            }
            let run = program.args(&["--json"]).run();
            summary(&serde_json::from_str(&run.stdout).unwrap())
        })
        .collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inspect/expected").join(format!("{name}.json"));
    let expected: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(found, expected, "{}", serde_json::to_string_pretty(&found).unwrap());
}

/// The part of a result that identifies nothing secret and says everything else.
fn summary(result: &Value) -> Value {
    let payloads: Vec<Value> = result["payloads"].as_array().unwrap().iter().map(payload).collect();
    let lasting = |finding: &&Value| finding["severity"] != "not_now";
    let findings: Vec<&Value> = result["findings"].as_array().unwrap().iter().filter(lasting).collect();
    json!({
        "csb_id": result["csb_id"],
        "data_type": result["data_type"],
        "payloads": payloads,
        "findings": findings,
        "refusal": result["refusal"],
        "signature": result["signature"],
        "key": { "type": result["key"]["type"], "id": result["key"]["id"], "guk_id": result["key"]["guk_id"] },
        "key_parameters": result["key_parameters"],
        "revocation": result["revocation"],
        "error": result["error"],
    })
}

/// A payload without its random and encrypted octets.
fn payload(payload: &Value) -> Value {
    let mut payload = payload.clone();
    let object = payload.as_object_mut().unwrap();
    for name in ["fields", "offset", "rand", "encapsulation", "data", "signature"] {
        object.remove(name);
    }
    payload
}

fn import(vectors: &Value, folder: &Path, store: &Path) {
    let init = folder.join("init.xml");
    std::fs::write(&init, cli_support::init_response(&vectors["kms_certificate"])).unwrap();
    let kms_uri = vectors["kms_certificate"]["KmsUri"].as_str().unwrap();
    for (index, key_set) in vectors["key_sets"].as_array().unwrap().iter().enumerate() {
        let keyprov = folder.join(format!("keyprov-{index}.xml"));
        std::fs::write(&keyprov, cli_support::keyprov_response(kms_uri, key_set)).unwrap();
        Program::import(store, &init, &keyprov).passphrase(PASSPHRASE).json();
    }
}
