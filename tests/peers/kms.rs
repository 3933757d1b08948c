//! A KMS that the program serves, in a folder of its own.

use super::process::{Process, command};
use crate::cli_support::Program;
use mikey_sakke::kms::audit::Act;
use mikey_sakke::kms::development::TokenIssuer;
use mikey_sakke::kms::{self, InitOptions, NewUser, admin, open_store};
use mikey_sakke::sealing::{KdfParameters, Passphrase, file};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

pub const PASSPHRASE: &str = "a passphrase for tests";
pub const KMS_URI: &str = "kms.example.org";
pub const ROOT: &str = "/keymanagement/identity/v1";

/// The folder of a KMS, before it is served.
pub struct KmsFolder {
    folder: TempDir,
}

impl KmsFolder {
    /// With these users, each of one URI.
    pub fn new(users: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("kms");
        let mut options = InitOptions::new(KMS_URI, "example.org");
        options.domains.push(KMS_URI.into());
        options.kdf = KdfParameters::cheap_for_tests();
        let passphrase = Passphrase::new(PASSPHRASE.into()).unwrap();
        let act = || Act::new("the operator", SystemTime::now());
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            kms::init(&dir, options, &passphrase, act()).await.unwrap();
            let (_, store) = open_store(&dir).await.unwrap();
            for user in users {
                admin::add_user(&*store, &NewUser::new(*user, [*user]), &act()).await.unwrap();
            }
            store.close().await.unwrap();
        });
        Self { folder }
    }

    /// Changes `kms.toml`.
    pub fn edit(self, from: &str, to: &str) -> Self {
        let path = self.dir().join("kms.toml");
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        self
    }

    /// Takes the tokens of this issuer.
    pub fn trusting(self, issuer: &TokenIssuer) -> Self {
        file::create(&self.dir().join("jwks.json"), issuer.jwks().as_bytes()).unwrap();
        self
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("kms")
    }

    /// Runs the server.
    pub fn serve(self) -> Kms {
        let mut serve = command(env!("CARGO_BIN_EXE_mikey-sakke"));
        serve.args(["kms", "serve", "--json", "--listen", "127.0.0.1:0", "--dir"]).arg(self.dir());
        serve.env("MIKEY_SAKKE_PASSPHRASE", PASSPHRASE).env("MIKEY_SAKKE_LOG", "info");
        let mut process = Process::start(&mut serve, &self.folder.path().join("kms.log"), true);
        let mut line = String::new();
        BufReader::new(process.child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{}", process.log()));
        let address = ready["address"].as_str().unwrap().to_owned();
        Kms { folder: self, process, address }
    }
}

/// A running KMS.
pub struct Kms {
    folder: KmsFolder,
    process: Process,
    /// Where it listens.
    pub address: String,
}

impl Kms {
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// What vouches for its TLS certificate.
    pub fn ca(&self) -> PathBuf {
        self.folder.dir().join("tls-cert.pem")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.folder.path().join(name)
    }

    /// Makes a TrK and an InK for a user; the folder with their files.
    pub fn new_keys(&self, user: &str) -> PathBuf {
        let out = self.path(&format!("keys of {user}"));
        self.operator("trk", &["new", "--user", user, "--out", out.to_str().unwrap()]);
        out
    }

    /// Keys of a user in clear, as `kms issue` writes them.
    pub fn issue(&self, user: &str) -> String {
        let out = self.path("issued.xml");
        self.operator("issue", &["--user", user, "--clear", "--out", out.to_str().unwrap()]);
        let issued = fs::read_to_string(&out).unwrap();
        fs::remove_file(out).unwrap();
        issued
    }

    /// `kms COMMAND`, which must succeed.
    pub fn operator(&self, name: &str, arguments: &[&str]) -> Value {
        let (command, rest) = match arguments {
            [command, rest @ ..] if !command.starts_with("--") => (vec!["kms", name, command], rest),
            rest => (vec!["kms", name], rest),
        };
        let dir = self.folder.dir();
        Program::new(&command).args(&["--dir", dir.to_str().unwrap()]).args(rest).passphrase(PASSPHRASE).json()
    }

    /// Posts to a resource without a body, by curl and with further arguments for it: the status, and the answer.
    pub fn post(&self, resource: &str, token: &str, more: &[&str]) -> Answer {
        post(&self.url(), &self.ca(), resource, token, more)
    }

    /// The requests in its log, newest last.
    pub fn requests(&self) -> Vec<Value> {
        let log = self.process.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.map(|line| line["fields"].clone()).filter(|fields| fields["message"] == "request").collect()
    }
}

/// What curl got.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// The code of the refusal, if it is one.
    pub code: Option<i64>,
    pub body: String,
}

/// Posts to a resource at a URL, by curl and with further arguments for it; without a token if that is empty.
pub fn post(url: &str, ca: &Path, resource: &str, token: &str, more: &[&str]) -> Answer {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--request", "POST", "--write-out", "\n%{http_code}", "--noproxy", "*"])
        .args((!token.is_empty()).then(|| format!("-HAuthorization: Bearer {token}")))
        .arg("--cacert")
        .arg(ca)
        .args(more)
        .arg(format!("{url}{ROOT}/{resource}"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (body, status) = text.rsplit_once('\n').unwrap();
    let code = body.split_once("<ErrorCode>").map(|(_, rest)| rest.split_once('<').unwrap().0.parse().unwrap());
    Answer { status: status.parse().unwrap(), code, body: body.to_owned() }
}

/// Who issues tokens for a KMS that has no other provider.
pub fn token_issuer() -> TokenIssuer {
    TokenIssuer::new("https://idms.example.org", KMS_URI, "test").unwrap()
}

/// A token of a user, good for a minute.
pub fn token(issuer: &TokenIssuer, user: &str) -> String {
    issuer.token(user, SystemTime::now(), Duration::from_secs(60)).unwrap()
}

/// What of a document with keys must not be seen by anybody else: the hex of each RSK and SSK.
pub fn secrets(issued: &str) -> Vec<String> {
    let mut secrets = Vec::new();
    for name in ["UserDecryptKey", "UserSigningKeySSK"] {
        for element in issued.split(&format!("<{name} ")).skip(1) {
            let (_, rest) = element.split_once('>').unwrap();
            secrets.push(rest.split_once('<').unwrap().0.to_owned());
        }
    }
    assert!(secrets.len() >= 2 && secrets.iter().all(|hex| hex.len() >= 64), "{issued}");
    secrets
}

/// Whether octets that somebody saw have one of these secrets in them: as hex, as base64 or as they are.
pub fn sees(seen: &[u8], secrets: &[String]) -> bool {
    use base64::Engine;
    let seen_as_text = String::from_utf8_lossy(seen).to_ascii_lowercase();
    secrets.iter().any(|hex| {
        let octets: Vec<u8> =
            (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect();
        // A secret may begin anywhere in what is encoded: without its ends, base64 of it is the same at one of three places.
        let base64 = (0..3).any(|skipped| {
            let middle = base64::prelude::BASE64_STANDARD_NO_PAD.encode(&octets[skipped..skipped + 27]);
            String::from_utf8_lossy(seen).contains(&middle)
        });
        base64 || seen_as_text.contains(&hex.to_ascii_lowercase()) || seen.windows(octets.len()).any(|at| at == octets)
    })
}

/// The octets of a file.
pub fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}
