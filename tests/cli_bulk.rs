//! Many users at once: imported from CSV, pre-provisioned to files; a KMS backed up and restored.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

#[path = "cli_support/mod.rs"]
mod cli_support;

use cli_support::Program;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

const PASSPHRASE: &str = "a passphrase for tests";
const ALICE: &str = "sip:alice@example.org";
const BOB: &str = "sip:bob@example.org";

#[test]
fn users_are_imported_from_csv_and_every_bad_line_is_told() {
    let kms = Kms::new();
    let import = ["kms", "user", "import", "--dir", &kms.dir];
    let bad = "user,kind\nsip:alice@example.org,\nsip:bob@example.org,admiral\n\nsip:alice@example.org,\n";

    let refused = Program::new(&import).args(&["-", "--json"]).stdin(bad).run();
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    let object: Value = serde_json::from_str(&refused.stdout).unwrap();
    assert_eq!((&object["lines"], &object["added"]), (&json!(3), &json!(0)));
    assert_eq!(object["bad"][0]["line"], 3);
    assert_eq!(object["bad"][1]["line"], 5);
    assert!(object["bad"][0]["reason"].as_str().unwrap().contains("no kind of client"), "{object}");
    let told = Program::new(&import).args(&["-"]).stdin(bad).run();
    assert!(told.code == 1 && told.stdout.contains("line 5: sip:alice@example.org is in line 2"), "{}", told.stdout);
    assert!(told.stderr.contains("--skip-bad"), "{}", told.stderr);

    let skipped = Program::new(&import).args(&["-", "--json", "--skip-bad"]).stdin(bad).run();
    assert_eq!(skipped.code, 1);
    assert_eq!(serde_json::from_str::<Value>(&skipped.stdout).unwrap()["added"], 1);
    let good = kms.path("good.csv");
    fs::write(&good, "user\nsip:bob@example.org\n").unwrap();
    let imported = Program::new(&import).args(&[good.to_str().unwrap()]).json();
    assert_eq!(imported, json!({ "lines": 1, "added": 1, "bad": [] }));
    let users = Program::new(&["kms", "user", "list", "--dir", &kms.dir]).json();
    assert_eq!((&users["users"][0]["user"], &users["users"][1]["user"]), (&json!(ALICE), &json!(BOB)));

    let no_csv = Program::new(&import).args(&["-"]).stdin("sip:carol@example.org\n").run();
    assert!(no_csv.code == 1 && no_csv.stderr.contains("must name the columns"), "{}", no_csv.stderr);
    let absent = Program::new(&import).args(&["absent.csv"]).run();
    assert!(absent.code == 1 && absent.stderr.contains("cannot read absent.csv"), "{}", absent.stderr);
}

/// A KMS without users.
struct Kms {
    folder: TempDir,
    dir: String,
}

impl Kms {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("kms").to_str().unwrap().to_owned();
        let init = ["kms", "init", "--dir", &dir, "--kms-uri", "kms.example.org", "--domain", "example.org"];
        Program::new(&init).passphrase(PASSPHRASE).json();
        Self { folder, dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
