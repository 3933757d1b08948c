//! A real KMS with users, served, and its identity provider.

use crate::support::{ALICE, BOB, TestStore};
use mikey_sakke::client::{self, Credentials, Error, ImportReport, ProvisionRequest, Provisioner};
use mikey_sakke::kms::audit::Act;
use mikey_sakke::kms::development::TokenIssuer;
use mikey_sakke::kms::{self, InitOptions, NewUser, Server, State, admin};
use mikey_sakke::sealing::{KdfParameters, Passphrase, file};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

pub const KMS: &str = "kms.example.org";
/// Another URI of Alice.
pub const ALICE_VIDEO: &str = "sip:alice.video@example.org";
/// An MCPTT server.
pub const SERVER: &str = "sip:mcptt-server@example.org";

pub struct World {
    pub folder: TempDir,
    pub provider: TokenIssuer,
    pub state: State,
    pub server: Server,
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_, text| text).await
    }

    /// With another `kms.toml`, and whatever else `edit` puts into the folder of the KMS.
    pub async fn with(edit: impl FnOnce(&Path, String) -> String) -> Self {
        // Whatever the umask of who runs the tests, what they make is not to be written by others: a KMS refuses that.
        #[cfg(unix)]
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
        let folder = tempfile::tempdir().unwrap();
        let passphrase = Passphrase::new("a passphrase".into()).unwrap();
        let options = InitOptions { kdf: KdfParameters::cheap_for_tests(), ..InitOptions::new(KMS, "example.org") };
        kms::init(folder.path(), options, &passphrase, act()).await.unwrap();
        let provider = TokenIssuer::new("https://idms.example.org", KMS, "key-1").unwrap();
        file::create(&folder.path().join("jwks.json"), provider.jwks().as_bytes()).unwrap();
        let toml = folder.path().join("kms.toml");
        fs::write(&toml, edit(folder.path(), fs::read_to_string(&toml).unwrap())).unwrap();
        let state = State::open(folder.path(), &passphrase).await.unwrap();
        for (id, uris) in [("alice", &[ALICE, ALICE_VIDEO][..]), ("bob", &[BOB]), ("server", &[SERVER])] {
            let uris: Vec<String> = uris.iter().map(|uri| (*uri).to_owned()).collect();
            admin::add_user(&*state.store, &NewUser::new(id, uris), &act()).await.unwrap();
        }
        let server = Server::bind(&state, Some(SocketAddr::from(([127, 0, 0, 1], 0))), act()).await.unwrap();
        Self { folder, provider, state, server }
    }

    pub fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.server.address())
    }

    pub fn trust_anchor(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("tls-cert.pem")).unwrap()
    }

    /// For a minute.
    pub fn token(&self, uri: &str) -> String {
        self.provider.token(uri, SystemTime::now(), Duration::from_secs(60)).unwrap()
    }

    pub fn request(&self, user_uri: &str) -> ProvisionRequest {
        let mut request = ProvisionRequest::new(self.url(""), user_uri);
        request.transport.trust_anchors = Some(self.trust_anchor());
        request
    }

    pub async fn provision(
        &self,
        made: &mut TestStore,
        user_uri: &str,
        credentials: Credentials<'_>,
    ) -> Result<ImportReport, Error> {
        let provisioner = Provisioner::with_credentials(self.request(user_uri), credentials)?;
        provisioner.provision(&mut made.store, client::now()).await
    }
}

pub fn act() -> Act {
    Act::new("the operator", SystemTime::now())
}
