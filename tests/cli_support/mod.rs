//! Runs the program, and makes KMS responses of the key sets of other vendors.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at what it did not expect")]

use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The program with its arguments, before it runs.
pub struct Program {
    command: Command,
    stdin: Vec<u8>,
}

/// What it did.
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Program {
    pub fn new(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mikey-sakke"));
        command.args(arguments).env_remove("MIKEY_SAKKE_PASSPHRASE").env_remove("MIKEY_SAKKE_BACKEND");
        Self { command, stdin: Vec::new() }
    }

    /// `client import` of two files into a store.
    pub fn import(store: &Path, init: &Path, keyprov: &Path) -> Self {
        let [store, init, keyprov] = [store, init, keyprov].map(|path| path.to_str().unwrap());
        Self::new(&["client", "import", "--store", store, "--init", init, "--keyprov", keyprov])
    }

    pub fn args(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    pub fn passphrase(mut self, passphrase: &str) -> Self {
        self.command.env("MIKEY_SAKKE_PASSPHRASE", passphrase);
        self
    }

    /// Runs in this folder.
    pub fn within(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    pub fn backend(mut self, name: &str) -> Self {
        self.command.env("MIKEY_SAKKE_BACKEND", name);
        self
    }

    pub fn stdin(mut self, text: &str) -> Self {
        self.stdin = text.as_bytes().to_vec();
        self
    }

    pub fn run(mut self) -> Run {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        // A program that does not read its input closes the pipe; that is no fault.
        let _ = child.stdin.take().unwrap().write_all(&self.stdin);
        let output = child.wait_with_output().unwrap();
        Run {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs it with `--json`, which must succeed and print one object and nothing else.
    pub fn json(self) -> Value {
        let run = self.args(&["--json"]).run();
        assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
        let value: Value = serde_json::from_str(&run.stdout).unwrap();
        assert!(value.is_object(), "{value}");
        value
    }
}

/// The folder of shared test data. Without it the tests that need it pass silently, but not in CI.
pub fn shared() -> Option<PathBuf> {
    match std::env::var_os("MIKEY_SAKKE_SHARED") {
        Some(path) => Some(path.into()),
        None if std::env::var_os("CI").is_some() => panic!("MIKEY_SAKKE_SHARED must name the folder of shared vectors"),
        None => {
            eprintln!("MIKEY_SAKKE_SHARED is not set: nothing is tested here");
            None
        }
    }
}

/// A file of test vectors that another vendor published.
pub fn vendor(file: &str) -> Option<Value> {
    let path = shared()?.join("vectors/vendor").join(file);
    Some(read_json(&path))
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))).unwrap()
}

/// The answer of a KMS to `init` that carries this certificate.
pub fn init_response(certificate: &Value) -> String {
    let kms_uri = text(certificate, "KmsUri");
    let certificate =
        elements(certificate, &["KmsUri", "UserIdFormat", "UserKeyPeriod", "UserKeyOffset", "PubEncKey", "PubAuthKey"]);
    response(
        "sip:test@example.org",
        &kms_uri,
        &format!(
            r#"<KmsInit Version="1.0.0"><KmsCertificate Version="1.1.0" Role="Root">{certificate}</KmsCertificate></KmsInit>"#
        ),
    )
}

/// The answer of a KMS to `keyprov` that carries this key set.
pub fn keyprov_response(kms_uri: &str, key_set: &Value) -> String {
    let user_uri = text(key_set, "UserUri");
    let elements = elements(
        key_set,
        &["UserUri", "UserID", "KeyPeriodNo", "UserDecryptKey", "UserSigningKeySSK", "UserPubTokenPVT"],
    );
    response(
        &user_uri,
        kms_uri,
        &format!(
            r#"<KmsKeyProv Version="1.0.0"><KmsKeySet Version="1.1.0"><KmsUri>{kms_uri}</KmsUri>{elements}</KmsKeySet></KmsKeyProv>"#
        ),
    )
}

fn response(user_uri: &str, kms_uri: &str, message: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<KmsResponse xmlns="urn:3gpp:ns:mcsecKMSInterface:1.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" Id="xmldoc" Version="1.0.0">
<UserUri>{user_uri}</UserUri><KmsUri>{kms_uri}</KmsUri><Time>2025-10-01T12:00:00Z</Time>
<ClientReqUrl>https://kms.example.org/keymanagement/identity/v1/keyprov</ClientReqUrl>
<KmsMessage>{message}</KmsMessage></KmsResponse>"#
    )
}

fn elements(values: &Value, names: &[&str]) -> String {
    names.iter().map(|name| format!("<{name}>{}</{name}>", text(values, name))).collect()
}

fn text(values: &Value, name: &str) -> String {
    match &values[name] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
