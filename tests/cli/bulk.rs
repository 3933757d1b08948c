//! Many users at once: imported from CSV, pre-provisioned to files; a KMS backed up and restored.

use crate::cli_support::Program;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
#[cfg(unix)]
use std::process::{Command, Stdio};
#[cfg(unix)]
use std::time::Duration;
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
    let twice = ["--user", "sip:dave@example.org", "--uri", "tel:+1555", "--uri", "tel:+1555"];
    let added = Program::new(&["kms", "user", "add", "--dir", &kms.dir]).args(&twice).json();
    assert_eq!(added["uris"], json!(["sip:dave@example.org", "tel:+1555"]));
    let utf_16 = kms.path("utf-16.csv");
    fs::write(&utf_16, "user\nsip:carol@example.org\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
        .unwrap();
    for (path, text) in
        [(utf_16.to_str().unwrap(), "is not UTF-8"), (kms.folder.path().to_str().unwrap(), "cannot be read")]
    {
        let run = Program::new(&import).args(&[path]).run();
        assert!(run.code == 1 && run.stderr.contains(text), "{}", run.stderr);
        assert!(run.stderr.contains("Nobody was added") && !run.stderr.contains("user list"), "{}", run.stderr);
    }
    let spaced = Program::new(&import).args(&["-", "--json"]).stdin(" \n\nuser\nSip:carol@example.org\n").run();
    let object: Value = serde_json::from_str(&spaced.stdout).unwrap();
    assert_eq!((&object["bad"][0]["line"], &object["lines"]), (&json!(4), &json!(1)));
    assert!(object["bad"][0]["reason"].as_str().unwrap().contains("in lower case, sip:"), "{object}");
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

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }
}

#[test]
fn many_users_are_issued_to_files_that_clients_import() {
    let kms = Kms::new();
    let (out, keys) = (kms.text("out"), kms.text("keys"));
    let list = "user,uri\nsip:alice@example.org,sip:alice.video@example.org\nsip:bob@example.org,\n";
    Program::new(&["kms", "user", "import", "--dir", &kms.dir, "-"]).stdin(list).json();
    let issue = ["kms", "issue", "--dir", &kms.dir, "--out", &out];
    let run = |arguments: &[&str]| Program::new(&issue).args(arguments).passphrase(PASSPHRASE);

    let refused = run(&["--all", "--json"]).run();
    assert_eq!(refused.code, 1);
    let object: Value = serde_json::from_str(&refused.stdout).unwrap();
    assert_eq!((&object["issued"], object["refused"].as_array().unwrap().len()), (&json!(0), 3));
    assert!(object["refused"][0]["reason"].as_str().unwrap().contains("kms trk new"), "{object}");

    let issued = run(&["--users", "-", "--new-trk", &keys]).stdin(list).json();
    assert_eq!((&issued["issued"], &issued["uris"], &issued["new_trk"]), (&json!(6), &json!(3), &json!(2)));
    assert!(issued["per_second"].as_f64().unwrap() > 0.0);
    let name = |folder: &str, ending: &str| format!("{folder}/sip%3Aalice@example.org.{ending}");
    let [init, keyprov] = ["init.xml", "keyprov.xml"].map(|ending| PathBuf::from(name(&out, ending)));
    let (trk, ink) = (name(&keys, "trk.key"), name(&keys, "ink.key"));
    let imported = Program::import(&kms.path("alice"), &init, &keyprov)
        .args(&["--trk", &trk, "--ink", &ink])
        .passphrase(PASSPHRASE)
        .json();
    assert_eq!((&imported["user_uri"], &imported["wrapped_with"]), (&json!(ALICE), &json!("tk.1.alice@example.org")));

    let again = run(&["--all"]).json();
    assert_eq!((&again["issued"], &again["already"], &again["left"]), (&json!(0), &json!(3), &json!(0)));
    let bad = run(&["--users", "-", "--json"]).stdin("nobody\nsip:eve@example.org\n").run();
    assert_eq!(bad.code, 1);
    let object: Value = serde_json::from_str(&bad.stdout).unwrap();
    assert_eq!((&object["bad"][0]["line"], &object["refused"][0]["uri"]), (&json!(1), &json!("sip:eve@example.org")));
    // Each failure has one remedy.
    for arguments in [&["--all", "--clear"][..], &["--all", "--period-no", "1529"]] {
        let run = run(arguments).run();
        assert!(run.code == 1 && run.stderr.contains("choose a new folder"), "{}", run.stderr);
        assert!(!run.stderr.contains("again"), "{}", run.stderr);
    }

    Program::new(&["kms", "user", "revoke", "--dir", &kms.dir, "--user", ALICE]).json();
    let (init, keyprov) = (kms.text("init.xml"), kms.text("keyprov.xml"));
    for more in [&["--clear"][..], &["--clear", "--init-out", &init], &["--trk", &trk, "--ink", &ink]] {
        let issue = ["kms", "issue", "--dir", &kms.dir, "--user", ALICE, "--out", &keyprov];
        let run = Program::new(&issue).args(more).passphrase(PASSPHRASE).run();
        assert!(run.code == 1 && run.stderr.contains("cannot issue keys for sip:alice@example.org"), "{}", run.stderr);
        assert!(run.stderr.contains("is revoked") && !run.stderr.contains("certificate"), "{}", run.stderr);
        assert!(!kms.path("init.xml").exists() && !kms.path("keyprov.xml").exists());
    }
    let on = run(&["--all", "--new-trk", &keys]).json();
    assert_eq!((&on["already"], &on["uris"], &on["refused"]), (&json!(1), &json!(0), &json!([])));
    let gone = on["removed"].as_array().unwrap();
    assert_eq!(gone.len(), 3, "{on}");
    assert!(gone.iter().any(|gone| gone["file"] == json!(name(&keys, "trk.key"))), "{on}");
    assert!(gone.iter().all(|gone| gone["reason"].as_str().unwrap().contains("is revoked")), "{on}");
    fs::write(name(&out, "keyprov.xml"), "of an earlier run").unwrap();
    let told = run(&["--all"]).run();
    assert!(
        told.code == 0 && told.stdout.contains("was removed: user sip:alice@example.org is revoked"),
        "{}",
        told.stdout
    );
    assert!(told.stderr.contains("good no more and were removed: 1"), "{}", told.stderr);

    for (arguments, code) in [
        (&["--user", ALICE, "--all"][..], 2),
        (&["--user", ALICE, "--clear", "--trk", &trk, "--ink", &ink], 2),
        (&["--all", "--clear", "--new-trk", &keys], 2),
        (&["--all", "--init-out", "x"], 2),
        (&[], 2),
        (&["--all", "--trk", &trk], 2),
        (&["--all", "--trk", &trk, "--ink", &ink], 1),
        (&["--all", "--period-no", "1529"], 1),
    ] {
        let run = run(arguments).run();
        assert_eq!(run.code, code, "{arguments:?}: {}", run.stderr);
    }
}

#[cfg(unix)]
#[test]
fn an_issue_that_was_interrupted_or_killed_goes_on() {
    const USERS: usize = 12_000;
    let kms = Kms::new();
    let list: String = (0..USERS).map(|i| format!("sip:u{i}@example.org\n")).collect();
    let import = ["kms", "user", "import", "--dir", &kms.dir, "-"];
    assert_eq!(Program::new(&import).stdin(&format!("user\n{list}")).json()["added"], USERS);
    let out = kms.text("out");
    let issue = ["kms", "issue", "--dir", &kms.dir, "--all", "--clear", "--period-no", "1600", "--out", &out, "--json"];
    let files = || {
        let Ok(entries) = fs::read_dir(&out) else { return 0 };
        entries.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".keyprov.xml")).count()
    };
    let begin = || {
        let before = files();
        let mut command = Command::new(env!("CARGO_BIN_EXE_mikey-sakke"));
        command.args(issue).env("MIKEY_SAKKE_PASSPHRASE", PASSPHRASE).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        while files() == before {
            std::thread::sleep(Duration::from_millis(2));
        }
        child
    };

    let child = begin();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stopped: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(stopped["uris"].as_u64().unwrap() as usize, files(), "{stopped}");
    assert_eq!(files() + stopped["left"].as_u64().unwrap() as usize, USERS);

    let mut killed = begin();
    killed.kill().unwrap();
    killed.wait().unwrap();
    let whole = files();
    assert!(whole < USERS);
    let on = Program::new(&issue[..issue.len() - 1]).passphrase(PASSPHRASE).json();
    assert_eq!((&on["already"], &on["uris"]), (&json!(whole), &json!(USERS - whole)));
    assert_eq!(files(), USERS);
    for entry in fs::read_dir(&out).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "xml") {
            assert!(fs::read_to_string(&path).unwrap().ends_with("</KmsResponse>"), "{}", path.display());
        }
    }
    assert!(!kms.path("out/.unfinished").exists());
    // Each file was recorded before it was there; those of the batch that was killed were recorded twice.
    let audit = Program::new(&["kms", "audit", "verify", "--dir", &kms.dir]).json();
    assert!(audit["key_sets"].as_u64().unwrap() as usize >= USERS, "{audit}");
    let init = kms.path("out/init.xml");
    let keyprov = kms.path(&format!("out/sip%3Au{}@example.org.keyprov.xml", USERS - 1));
    Program::import(&kms.path("client"), &init, &keyprov).passphrase(PASSPHRASE).json();
}

#[test]
fn a_kms_is_backed_up_and_restored() {
    let kms = Kms::new();
    Program::new(&["kms", "user", "add", "--dir", &kms.dir, "--user", ALICE]).json();
    let (file, restored) = (kms.text("kms.backup"), kms.text("restored"));
    let backup = ["kms", "backup", "--dir", &kms.dir, "--out", &file];
    let restore = ["kms", "restore", "--from", &file, "--dir", &restored];
    let saved = Program::new(&backup).passphrase(PASSPHRASE).json();
    assert_eq!((&saved["kms_uri"], &saved["entries"]), (&json!("kms.example.org"), &json!(2)));
    assert_eq!(saved["left_out"][0]["reason"], "there is no such file", "{saved}");
    let run = Program::new(&backup).passphrase(PASSPHRASE).run();
    assert!(run.code == 1 && run.stderr.contains("exists already"), "{}", run.stderr);

    let run = Program::new(&restore).passphrase("another").run();
    assert!(run.code == 1 && run.stderr.contains("wrong passphrase"), "{}", run.stderr);
    let again = Program::new(&restore).passphrase(PASSPHRASE).json();
    for same in ["entries", "hash", "sha256"] {
        assert_eq!(again[same], saved[same]);
    }
    let run = Program::new(&restore).passphrase(PASSPHRASE).run();
    assert!(run.code == 1 && run.stderr.contains("is not empty"), "{}", run.stderr);
    let anchor = format!("{}:{}", saved["entries"], saved["hash"].as_str().unwrap());
    let verified = Program::new(&["kms", "audit", "verify", "--dir", &restored, "--anchor", &anchor]).json();
    assert_eq!(verified["entries"], 3, "that it was restored is the next entry");
    Program::new(&["kms", "audit", "verify", "--dir", &kms.dir, "--anchor", &anchor]).json();

    let keyprov = |dir: &str| {
        let out = kms.text("keyprov.xml");
        let issue = ["kms", "issue", "--dir", dir, "--user", ALICE, "--out", &out];
        Program::new(&issue).passphrase(PASSPHRASE).json();
        let document = fs::read_to_string(&out).unwrap();
        document[document.find("<KmsMessage").unwrap()..].to_owned()
    };
    assert_eq!(keyprov(&kms.dir), keyprov(&restored));
}

#[cfg(unix)]
#[test]
fn a_restoring_that_was_killed_is_told_and_begun_anew() {
    let kms = Kms::new();
    let (file, restored) = (kms.text("kms.backup"), kms.text("restored"));
    Program::new(&["kms", "backup", "--dir", &kms.dir, "--out", &file]).passphrase(PASSPHRASE).json();
    let restore = ["kms", "restore", "--from", &file, "--dir", &restored];
    let mut command = Command::new(env!("CARGO_BIN_EXE_mikey-sakke"));
    let mut killed = command.args(restore).env("MIKEY_SAKKE_PASSPHRASE", PASSPHRASE).spawn().unwrap();
    // All is unpacked by then, and the passphrase takes its time.
    while !kms.path("restored/.restoring/kms/tls-key.pem").exists() {
        std::thread::sleep(Duration::from_millis(1));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(kms.path("restored/.restoring").exists() && !kms.path("restored/kms.toml").exists());

    let init = ["kms", "init", "--dir", &restored, "--kms-uri", "kms.example.org", "--domain", "example.org"];
    for command in [&init[..], &["kms", "status", "--dir", &restored], &["kms", "serve", "--dir", &restored]] {
        let run = Program::new(command).passphrase(PASSPHRASE).run();
        assert!(run.code == 1 && run.stderr.contains("not restored to the end: run `kms restore`"), "{}", run.stderr);
    }
    let run = Program::new(&restore).passphrase("another").run();
    assert!(run.code == 1 && run.stderr.contains("wrong passphrase"), "{}", run.stderr);
    assert_eq!(fs::read_dir(&restored).unwrap().count(), 0, "the leavings of both are gone");
    assert_eq!(Program::new(&restore).passphrase(PASSPHRASE).json()["cleared"], false);
    Program::new(&["kms", "status", "--dir", &restored]).json();
}

#[cfg(unix)]
#[test]
fn what_a_killed_backup_leaves_is_removed_by_the_next_one() {
    let kms = Kms::new();
    let (first, second) = (kms.text("first.backup"), kms.text("second.backup"));
    let hidden = || {
        let names = fs::read_dir(&kms.dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with('.')).collect::<Vec<_>>()
    };
    let is_copied = || hidden().iter().any(|name| kms.path("kms").join(name).join("kms.sqlite").exists());
    let mut command = Command::new(env!("CARGO_BIN_EXE_mikey-sakke"));
    command.args(["kms", "backup", "--dir", &kms.dir, "--out", &first]);
    let mut killed = command.env("MIKEY_SAKKE_PASSPHRASE", PASSPHRASE).spawn().unwrap();
    while !is_copied() {
        assert!(killed.try_wait().unwrap().is_none(), "it ended");
        std::thread::sleep(Duration::from_millis(1));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(hidden().len(), 2, "{:?}", hidden());
    let backup = ["kms", "backup", "--dir", &kms.dir, "--out", &second];
    let saved = Program::new(&backup).passphrase(PASSPHRASE).json();
    assert_eq!(saved["swept"].as_array().unwrap().len(), 1, "{saved}");
    assert_eq!(hidden(), [""; 0]);
    let log = Program::new(&["kms", "audit", "export", "--dir", &kms.dir]).run().stdout;
    assert_eq!(log.matches(r#""event":"backed_up""#).count(), 1, "{log}");
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_told_of_the_place_and_not_of_the_backup() {
    let kms = Kms::new();
    let (file, restored) = (kms.text("kms.backup"), kms.text("restored"));
    Program::new(&["kms", "backup", "--dir", &kms.dir, "--out", &file]).passphrase(PASSPHRASE).json();
    // No file may have more than 32 KiB.
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.args([
        "-c",
        script,
        env!("CARGO_BIN_EXE_mikey-sakke"),
        "kms",
        "restore",
        "--from",
        &file,
        "--dir",
        &restored,
    ]);
    let output = command.env("MIKEY_SAKKE_PASSPHRASE", PASSPHRASE).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("kms/kms.sqlite: ") && said.contains("make room"), "{said}");
    assert!(!said.contains("damaged") && !kms.path("restored").exists(), "{said}");
}

#[test]
fn files_that_are_named_by_whole_paths_are_in_the_backup() {
    let kms = Kms::new();
    let (toml, key) = (kms.path("kms/kms.toml"), kms.text("kms/tls-key.pem"));
    let text = fs::read_to_string(&toml).unwrap().replace("tls-key.pem", &key);
    fs::write(&toml, text).unwrap();
    let run = |arguments: &[&str]| Program::new(arguments).within(kms.folder.path()).passphrase(PASSPHRASE).json();
    let saved = run(&["kms", "backup", "--dir", "kms", "--out", "b"]);
    assert!(saved["files"].as_array().unwrap().contains(&json!("tls-key.pem")), "{saved}");
    let restored = run(&["kms", "restore", "--from", "b", "--dir", "restored"]);
    assert!(kms.path("restored/tls-key.pem").exists());
    let told = restored["left_out"].as_array().unwrap();
    let of_key = told.iter().find(|left| left["file"] == json!(key)).unwrap();
    assert!(of_key["reason"].as_str().unwrap().contains("kms.toml names the place where it was"), "{restored}");
    // In its own place again, there is nothing to tell.
    fs::remove_dir_all(kms.path("kms")).unwrap();
    let restored = run(&["kms", "restore", "--from", "b", "--dir", "kms"]);
    assert!(restored["left_out"].as_array().unwrap().iter().all(|left| left["file"] != json!(key)), "{restored}");
    assert!(kms.path("kms/tls-key.pem").exists());
}
