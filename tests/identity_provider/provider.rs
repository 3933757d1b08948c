//! The identity provider, and those who get tokens from it.

use super::{ALICE, BOB, PTT_SERVER, SERVER};
use crate::peers::process::{Process, command, free_port, have, or_leave_out};
use mikey_sakke::kms::development::SelfSigned;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command};
use tempfile::TempDir;

/// Where the app gets its authorization code: a URL that the system hands to a native application (RFC 8252 7.2).
const APP: &str = "https://app.example.org/signed-in";
const AUDIENCE: &str = "kms.example.org";

/// Every scope of a key management service.
pub const ALL: &str = "3gpp:mc:ptt_key_management_service 3gpp:mc:video_key_management_service \
    3gpp:mc:data_key_management_service";

pub struct Provider {
    pub issuer: String,
    pub process: Process,
    folder: TempDir,
    port: u16,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// What the app gets for its authorization code.
pub struct SignedIn {
    pub access_token: String,
    pub id_token: String,
}

/// Where tests/peers/oidc/install has brought the packages.
fn packages() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("oidc")
}

impl Provider {
    /// `None`, with a note, where something is missing; in continuous integration that is a failure.
    pub fn start() -> Option<Self> {
        let is_there = have(&["setpriv", "node", "curl"])
            && or_leave_out(packages().join("installed").exists(), "the npm package oidc-provider");
        is_there.then(|| {
            let folder = tempfile::tempdir().unwrap();
            let tls = SelfSigned::new(&[]).unwrap();
            fs::write(folder.path().join("tls-cert.pem"), tls.certificate.as_bytes()).unwrap();
            fs::write(folder.path().join("tls-key.pem"), tls.key.as_bytes()).unwrap();
            Self::start_in(folder, free_port())
        })
    }

    /// Where it was, with new keys, after it was away.
    pub fn again(self) -> Self {
        let Self { folder, port, process, .. } = self;
        drop(process);
        Self::start_in(folder, port)
    }

    fn start_in(folder: TempDir, port: u16) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/oidc/provider.mjs");
        let mut process =
            Process::start(command("node").arg(script).arg(packages()), &folder.path().join("provider.log"), true);
        let pem = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        let [ptt, video, data] = SERVER;
        let settings = json!({
            "certificate": pem("tls-cert.pem"),
            "key": pem("tls-key.pem"),
            "port": port,
            "app": APP,
            "servers": ["server", "ptt-server"],
            "accounts": {
                "alice": { "mcptt_id": ALICE, "mcvideo_id": ALICE, "mcdata_id": ALICE },
                "bob": { "mcptt_id": BOB },
                "server": { "mcptt_id": ptt, "mcvideo_id": video, "mcdata_id": data },
                "ptt-server": { "mcptt_id": PTT_SERVER },
            },
        });
        let orders = process.child.stdin.take().unwrap();
        let answers = BufReader::new(process.child.stdout.take().unwrap());
        let mut provider = Self { issuer: String::new(), process, folder, port, orders, answers };
        provider.issuer = provider.order(&settings)["issuer"].as_str().unwrap().to_owned();
        provider
    }

    fn order(&mut self, order: &Value) -> Value {
        writeln!(self.orders, "{order}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("{}", self.process.log()))
    }

    /// How often its key set was fetched.
    pub fn fetched(&mut self) -> u64 {
        self.order(&json!({}))["fetched"].as_u64().unwrap()
    }

    /// How often anyone connected to it.
    pub fn connections(&mut self) -> u64 {
        self.order(&json!({}))["connections"].as_u64().unwrap()
    }

    /// Publishes these keys and no others: identifiers and algorithms. The first one of an algorithm signs.
    pub fn publish(&mut self, keys: &[(&str, &str)]) {
        let keys: Vec<_> = keys.iter().map(|(kid, alg)| json!({ "kid": kid, "alg": alg })).collect();
        self.order(&json!({ "publish": keys }));
    }

    /// Sets its clock fast by so many seconds.
    pub fn set_clock(&mut self, seconds: i64) {
        self.order(&json!({ "clock": seconds }));
    }

    /// What vouches for its TLS certificate.
    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("tls-cert.pem")
    }

    /// A token of the server with these scopes, signed by RS256.
    pub fn token(&self, scope: &str) -> String {
        self.server_token("server", scope, AUDIENCE, "RS256")
    }

    /// A token by client credentials.
    pub fn server_token(&self, server: &str, scope: &str, audience: &str, algorithm: &str) -> String {
        let mut fields = vec![("grant_type", "client_credentials".to_owned())];
        fields.push(("resource", format!("https://{audience}/{algorithm}")));
        fields.extend((!scope.is_empty()).then(|| ("scope", scope.to_owned())));
        let answer = self.post("/token", &["--user", &format!("{server}:{server}-secret")], &fields);
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// A user signs in at the app, with a password, and lets it have what it asks for (RFC 6749 4.1, RFC 7636).
    pub fn sign_in(&self, account: &str, scope: &str) -> SignedIn {
        const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let resource = format!("https://{AUDIENCE}/RS256");
        let query = [
            ("client_id", "app"),
            ("response_type", "code"),
            ("redirect_uri", APP),
            ("scope", &format!("openid {scope}")),
            ("resource", &resource),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let mut url = reqwest::Url::parse_with_params(&format!("{}/auth", self.issuer), query).unwrap().to_string();
        let mut forms = [&["prompt=login", &format!("login={account}"), "password=secret"][..], &["prompt=consent"]]
            .map(|form| form.iter().map(ToString::to_string).collect::<Vec<_>>())
            .into_iter();
        let code = loop {
            if let Some((_, code)) = url.strip_prefix(APP).and_then(|back| back.split_once("code=")) {
                break code.split('&').next().unwrap().to_owned();
            }
            url = match self.browse(&url, &[]) {
                (_, Some(next)) => next,
                (page, None) => {
                    let form = forms.next().unwrap_or_else(|| panic!("{page}"));
                    self.browse(&url, &form).1.unwrap_or_else(|| panic!("{page}"))
                }
            };
        };
        let fields = [
            ("grant_type", "authorization_code".to_owned()),
            ("client_id", "app".to_owned()),
            ("code", code),
            ("code_verifier", VERIFIER.to_owned()),
            ("redirect_uri", APP.to_owned()),
            ("resource", resource),
        ];
        let answer = self.post("/token", &[], &fields);
        let token = |name: &str| answer[name].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        SignedIn { access_token: token("access_token"), id_token: token("id_token") }
    }

    /// A page, or where it leads to.
    fn browse(&self, url: &str, form: &[String]) -> (String, Option<String>) {
        let cookies = self.folder.path().join("cookies");
        let mut curl = self.curl();
        curl.arg("--cookie").arg(&cookies).arg("--cookie-jar").arg(&cookies);
        curl.args(["--write-out", "\n%{redirect_url}"]);
        form.iter().for_each(|field| _ = curl.args(["--data-urlencode", field]));
        let text = String::from_utf8(curl.arg(url).output().unwrap().stdout).unwrap();
        let (page, next) = text.rsplit_once('\n').unwrap();
        (page.to_owned(), (!next.is_empty()).then(|| next.to_owned()))
    }

    fn post(&self, path: &str, arguments: &[&str], fields: &[(&str, String)]) -> Value {
        let mut curl = self.curl();
        curl.args(arguments);
        fields.iter().for_each(|(name, value)| _ = curl.args(["--data-urlencode", &format!("{name}={value}")]));
        let output = curl.arg(format!("{}{path}", self.issuer)).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?} {}", self.process.log()))
    }

    fn curl(&self) -> Command {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--noproxy", "*", "--cacert"]).arg(self.ca());
        curl
    }
}
