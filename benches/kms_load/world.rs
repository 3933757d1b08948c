//! A KMS in a temporary folder, with users, served by the program.

use mikey_sakke::kms::audit::Act;
use mikey_sakke::kms::development::TokenIssuer;
use mikey_sakke::kms::{self, InitOptions, NewUser, State, admin};
use mikey_sakke::kms_protocol::ClientKeys;
use mikey_sakke::sealing::{KdfParameters, Passphrase, file};
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

pub const KMS_URI: &str = "kms.example.org";
/// Users that take turns.
const USERS: usize = 64;
const PASSPHRASE: &str = "a passphrase";
/// Users that are added in one transaction.
const TOGETHER: usize = 10_000;

/// One who asks.
pub struct Asker {
    pub uri: String,
    pub token: String,
    pub keys: Option<ClientKeys>,
}

pub struct World {
    pub folder: TempDir,
    pub askers: Vec<Asker>,
}

impl World {
    /// With `keys`, every user has a TrK and an InK, and needs them.
    pub async fn new(keys: bool) -> Self {
        #[cfg(unix)]
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
        let folder = tempfile::tempdir().unwrap();
        let options = InitOptions { kdf: KdfParameters::cheap_for_tests(), ..InitOptions::new(KMS_URI, "example.org") };
        kms::init(folder.path(), options, &passphrase(), act()).await.unwrap();
        let issuer = TokenIssuer::new("https://idms.example.org", KMS_URI, "key-1").unwrap();
        file::create(&folder.path().join("jwks.json"), issuer.jwks().as_bytes()).unwrap();
        let toml = folder.path().join("kms.toml");
        let mut text = fs::read_to_string(&toml).unwrap();
        // Few users do the work of many here.
        text = text.replace("requests_per_minute = 60\n", "requests_per_minute = 1000000\n");
        // They all come from one address.
        text = text.replace("connections_per_address = 256", "connections_per_address = 100000");
        if keys {
            text = text.replace("direct = \"optional\"", "direct = \"required\"");
        }
        fs::write(&toml, text).unwrap();

        let state = open(folder.path()).await;
        let mut askers = Vec::with_capacity(USERS);
        for number in 0..USERS {
            let uri = format!("sip:asker{number}@example.org");
            admin::add_user(&*state.store, &NewUser::new(&uri, [&uri]), &act()).await.unwrap();
            let keys =
                if keys { Some(admin::new_client_keys(&state, &uri, false, &act()).await.unwrap()) } else { None };
            let token = issuer.token(&uri, SystemTime::now(), Duration::from_secs(24 * 3600)).unwrap();
            askers.push(Asker { uri, token, keys });
        }
        state.store.close().await.unwrap();
        Self { folder, askers }
    }

    /// What commands work with beside a server, or without one.
    pub async fn open(&self) -> State {
        open(self.folder.path()).await
    }

    pub async fn add_users(&self, count: u64) {
        let state = self.open().await;
        let numbers: Vec<u64> = (0..count).collect();
        for numbers in numbers.chunks(TOGETHER) {
            let uri = |number: &u64| format!("sip:user{number}@example.org");
            let users: Vec<NewUser> = numbers.iter().map(uri).map(|uri| NewUser::new(&uri, [&uri])).collect();
            state.store.add_users(&users, &act()).await.unwrap();
        }
        state.store.close().await.unwrap();
    }

    pub fn trust_anchor(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("tls-cert.pem")).unwrap()
    }

    /// The server, which stops when it is dropped. Its log goes to a file, as it would in service.
    pub fn serve(&self) -> Served {
        let log = File::create(self.folder.path().join("log.jsonl")).unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_mikey-sakke"))
            .args(["kms", "serve", "--json", "--listen", "127.0.0.1:0", "--dir"])
            .arg(self.folder.path())
            .env("MIKEY_SAKKE_PASSPHRASE", PASSPHRASE)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let started: serde_json::Value = serde_json::from_str(&line).expect("the server started");
        let address = started["address"].as_str().unwrap().parse().unwrap();
        Served { process, address }
    }
}

pub struct Served {
    process: Child,
    pub address: SocketAddr,
}

impl Served {
    /// The most resident memory that there was, in octets.
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() * 1024
    }

    /// Processor time so far.
    pub fn processor_time(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        // utime and stime, in the hundredths of a second of Linux.
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn open(folder: &Path) -> State {
    State::open(folder, &passphrase()).await.unwrap()
}

fn passphrase() -> Passphrase {
    Passphrase::new(PASSPHRASE.into()).unwrap()
}

pub fn act() -> Act {
    Act::new("the benchmark", SystemTime::now())
}
