//! A KMS with its users, over real HTTPS on the loopback interface.

#[cfg(unix)]
pub mod process;

use mikey_sakke::kms::audit::{self, Act};
use mikey_sakke::kms::development::TokenIssuer;
use mikey_sakke::kms::{self, InitOptions, Initialised, NewUser, Server, State, admin, open_store};
use mikey_sakke::kms_protocol::{
    ErrorCode, KeyIds, KmsKeyProv, KmsKeySet, KmsMessage, KmsRequest, KmsResponse, Limits,
};
use mikey_sakke::mc::{IdentityForm, KeyPeriods, KeySet, Kms, PeriodEpoch};
use mikey_sakke::mikey::NtpTime;
use mikey_sakke::sealing::{KdfParameters, Passphrase, file};
use mikey_sakke::{eccsi, sakke};
use reqwest::{Certificate, Client, ClientBuilder, Response, StatusCode};
use serde_json::Value;
use sqlx::sqlite::SqlitePool;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;
use time::OffsetDateTime;

pub const KMS_URI: &str = "kms.example.org";
pub const ALICE: &str = "sip:alice@example.org";
pub const ALICE_VIDEO: &str = "sip:alice.video@example.org";
pub const BOB: &str = "sip:bob@example.org";
pub const REVOKED: &str = "sip:revoked@example.org";
pub const UNKNOWN: &str = "sip:unknown@example.org";
pub const ROOT: &str = "/keymanagement/identity/v1";
pub const PERIOD: u64 = 86_400;
pub const NTP_UNIX: u64 = 2_208_988_800;

pub fn passphrase() -> Passphrase {
    Passphrase::new("a passphrase".into()).unwrap()
}

/// An empty folder. Whatever the umask of who runs the tests, what they make is not to be written by others: a KMS refuses that.
pub fn folder() -> TempDir {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    tempfile::tempdir().unwrap()
}

pub fn options() -> InitOptions {
    InitOptions {
        key_period: PERIOD,
        key_offset: 11,
        kdf: KdfParameters::cheap_for_tests(),
        ..InitOptions::new(KMS_URI, "example.org")
    }
}

/// A KMS with its users, an identity provider, a running server and a client that trusts it.
pub struct World {
    pub folder: TempDir,
    pub initialised: Initialised,
    pub provider: TokenIssuer,
    pub server: Server,
    pub client: Client,
}

impl World {
    pub async fn new() -> Self {
        Self::with_config(|config| config).await
    }

    pub async fn with_config(edit: impl FnOnce(String) -> String) -> Self {
        Self::with_files(|_| (), edit).await
    }

    /// With more files in the folder.
    pub async fn with_files(add: impl FnOnce(&Path), edit: impl FnOnce(String) -> String) -> Self {
        let folder = folder();
        let initialised = kms::init(folder.path(), options(), &passphrase(), act()).await.unwrap();
        let provider = TokenIssuer::new("https://idms.example.org", KMS_URI, "key-1").unwrap();
        file::create(&folder.path().join("jwks.json"), provider.jwks().as_bytes()).unwrap();
        add(folder.path());
        let toml = folder.path().join("kms.toml");
        std::fs::write(&toml, edit(std::fs::read_to_string(&toml).unwrap())).unwrap();

        let (_, store) = open_store(folder.path()).await.unwrap();
        for (id, uris) in [("alice", &[ALICE, ALICE_VIDEO][..]), ("bob", &[BOB]), ("revoked", &[REVOKED])] {
            let uris: Vec<String> = uris.iter().map(|uri| (*uri).to_owned()).collect();
            admin::add_user(&*store, &NewUser::new(id, uris), &act()).await.unwrap();
        }
        admin::revoke_user(&*store, "revoked", &act()).await.unwrap();
        let server = serve(folder.path()).await;
        let client = trusting(folder.path()).build().unwrap();
        Self { folder, initialised, provider, server, client }
    }

    pub fn token(&self, uri: &str) -> String {
        self.provider.token(uri, SystemTime::now(), Duration::from_secs(60)).unwrap()
    }

    pub fn token_where(&self, claims: &[(&str, Value)]) -> String {
        let mut all = self.provider.claims(ALICE, SystemTime::now(), Duration::from_secs(60));
        for (name, value) in claims {
            if value.is_null() {
                all.remove(*name);
            } else {
                all.insert((*name).to_owned(), value.clone());
            }
        }
        self.provider.token_with(all).unwrap()
    }

    pub fn url(&self, resource: &str) -> String {
        format!("https://{}{ROOT}/{resource}", self.server.address())
    }

    pub async fn post(&self, resource: &str, token: &str) -> Response {
        self.client.post(self.url(resource)).bearer_auth(token).send().await.unwrap()
    }

    pub async fn post_document(&self, resource: &str, token: &str, request: &KmsRequest) -> Response {
        let post = self.client.post(self.url(resource)).bearer_auth(token).header("content-type", "application/xml");
        post.body(request.to_xml()).send().await.unwrap()
    }

    pub fn request(&self, user_uri: &str, resource: &str) -> KmsRequest {
        KmsRequest {
            user_uri: user_uri.into(),
            kms_uri: KMS_URI.into(),
            time: OffsetDateTime::now_utc(),
            client_id: None,
            device_id: None,
            client_req_url: self.url(resource),
            client_error: None,
            krr_list: Vec::new(),
            key_ids: KeyIds::default(),
        }
    }

    /// The KMS as its clients know it: from its certificate alone.
    pub async fn public(&self) -> Kms {
        let (_, message) = answer(self.post("init", &self.token(ALICE)).await).await;
        let certificate = message.into_init().unwrap().certificate;
        let periods =
            KeyPeriods::new(certificate.user_key_period, certificate.user_key_offset, PeriodEpoch::Ntp).unwrap();
        Kms::new(
            &*certificate.kms_uri,
            &sakke::PublicKey::from_bytes(&certificate.pub_enc_key).unwrap(),
            &eccsi::PublicKey::from_bytes(&certificate.pub_auth_key).unwrap(),
            periods,
            IdentityForm::Raw,
        )
    }

    pub async fn restart(mut self) -> Self {
        self.server.shutdown().await;
        self.server = serve(self.folder.path()).await;
        self
    }
}

pub async fn serve(folder: &Path) -> Server {
    let state = State::open(folder, &passphrase()).await.unwrap();
    Server::bind(&state, Some(SocketAddr::from(([127, 0, 0, 1], 0))), act()).await.unwrap()
}

pub fn trusting(folder: &Path) -> ClientBuilder {
    let pem = std::fs::read(folder.join("tls-cert.pem")).unwrap();
    Client::builder().tls_certs_only([Certificate::from_pem(&pem).unwrap()]).timeout(Duration::from_secs(20))
}

pub fn now() -> NtpTime {
    NtpTime::from_unix(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs())
}

pub fn current_period() -> u64 {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    (unix + NTP_UNIX - 11) / PERIOD
}

pub async fn document(response: Response) -> KmsResponse {
    assert_eq!(response.headers()["content-type"], "application/xml");
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["x-request-id"].len(), 16);
    let length: usize = response.headers()["content-length"].to_str().unwrap().parse().unwrap();
    let body = response.bytes().await.unwrap();
    assert_eq!(body.len(), length);
    KmsResponse::from_xml(&body, &Limits::default()).unwrap().into_parts().0
}

/// The user and the message of an answer that must be good.
pub async fn answer(response: Response) -> (String, KmsMessage) {
    assert_eq!(response.status(), StatusCode::OK);
    let document = document(response).await;
    assert_eq!(document.error, None);
    assert_eq!(document.kms_uri, KMS_URI);
    (document.user_uri, document.message.unwrap())
}

pub async fn key_sets(response: Response) -> Vec<KmsKeySet> {
    let (_, message) = answer(response).await;
    let KmsKeyProv { key_sets, .. } = message.into_key_prov().unwrap();
    key_sets
}

pub fn names(key_sets: &[KmsKeySet]) -> Vec<(&str, u64)> {
    key_sets.iter().map(|key_set| (key_set.user_uri.as_str(), key_set.key_period_no)).collect()
}

/// A refusal must have its code, the HTTP status that goes with it, and no message.
pub async fn refused(response: Response, code: ErrorCode) -> String {
    let status = response.status();
    let document = document(response).await;
    let error = document.error.unwrap();
    assert_eq!(error.known_code(), Some(code), "{error}");
    assert_eq!(status.as_u16(), code.http_status(), "{error}");
    assert_eq!(document.message, None);
    error.message
}

pub fn validate(kms: &Kms, key_set: &KmsKeySet) -> KeySet {
    let rsk = sakke::ReceiverSecretKey::from_bytes(key_set.user_decrypt_key.as_clear().unwrap()).unwrap();
    let ssk = key_set.user_signing_key_ssk.as_clear().unwrap();
    let pair = eccsi::KeyPair::from_bytes(ssk, key_set.user_pub_token_pvt.as_clear().unwrap()).unwrap();
    KeySet::validate(kms, &key_set.user_uri, key_set.key_period_no, rsk, pair).unwrap()
}

pub fn act() -> Act {
    Act::new("the operator", SystemTime::now())
}

/// What is there once whoever does it beside the requests has done it.
pub async fn now_or_later<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let found = async {
        loop {
            match look().await {
                Some(found) => return found,
                None => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), found).await.expect("it happens")
}

/// The entries of the audit log, which must hold.
pub async fn log(state: &State) -> Vec<Value> {
    audit::verify(&*state.store, None).await.unwrap();
    let mut all = Vec::new();
    loop {
        let page = audit::page(&*state.store, all.len() as u64 + 1).await.unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page.iter().map(|entry| serde_json::from_str::<Value>(&entry.entry).unwrap()));
    }
}

/// Changes a database behind the KMS's back.
pub async fn tamper(database: &Path, sql: &str) {
    let pool = SqlitePool::connect(&format!("sqlite://{}", database.display())).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&pool).await.unwrap();
    pool.close().await;
}
