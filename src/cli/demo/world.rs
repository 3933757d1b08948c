use super::narrator::Narrator;
use crate::cli::failure::{Context, Failure};
use crate::cli::output::hex;
use crate::cli::{rng, runtime};
use mikey_sakke::client::{
    self, AcceptOptions, OfferRequest, Offered, ProvisionRequest, Provisioner, Store, StoreOptions,
};
use mikey_sakke::kms::development::TokenIssuer;
use mikey_sakke::kms::{ClientKind, Server};
use mikey_sakke::mc::imessage::Opened;
use mikey_sakke::sealing::Passphrase;
use rand_core::Rng;
use std::path::PathBuf;
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub const KMS_URI: &str = "kms.example.org";
pub const DOMAIN: &str = "example.org";
pub const GROUP: &str = "sip:rescue-team@example.org";

/// A party that needs keys.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Party {
    /// What the story calls it.
    pub name: &'static str,
    pub uri: &'static str,
    pub kind: ClientKind,
    /// The reference point at which it meets the KMS (TS 23.179).
    pub reference_point: &'static str,
}

pub const ALICE: Party =
    Party { name: "Alice", uri: "sip:alice@example.org", kind: ClientKind::User, reference_point: "CSC-8" };
pub const BOB: Party =
    Party { name: "Bob", uri: "sip:bob@example.org", kind: ClientKind::User, reference_point: "CSC-8" };
pub const CAROL: Party =
    Party { name: "Carol", uri: "sip:carol@example.org", kind: ClientKind::User, reference_point: "CSC-8" };
pub const MCPTT_SERVER: Party = Party {
    name: "the MCPTT server",
    uri: "sip:mcptt-server@example.org",
    kind: ClientKind::McxServer,
    reference_point: "CSC-9",
};
pub const GROUP_SERVER: Party = Party {
    name: "the group management server",
    uri: "sip:gms@example.org",
    kind: ClientKind::Gms,
    reference_point: "CSC-10",
};
pub const EVERYONE: [Party; 5] = [ALICE, BOB, CAROL, MCPTT_SERVER, GROUP_SERVER];
pub const MEMBERS: [Party; 3] = [ALICE, BOB, CAROL];

/// The KMS as its clients see it, and the server that answers.
struct OpenKms {
    server: Server,
    url: String,
    /// What its clients trust (PEM).
    tls_certificate: Vec<u8>,
}

/// Everything that exists in the story.
pub struct World {
    pub runtime: Runtime,
    pub issuer: TokenIssuer,
    /// The KMS, once it is open.
    kms: Option<OpenKms>,
    stores: Vec<(Party, Store)>,
    folder: TempDir,
}

impl World {
    pub fn new() -> Result<Self, Failure> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let issuer = TokenIssuer::new("https://idms.example.org", KMS_URI, "demo").context("no identity provider")?;
        Ok(Self { runtime: runtime::start()?, issuer, kms: None, stores: Vec::new(), folder })
    }

    pub fn kms_folder(&self) -> PathBuf {
        self.folder.path().join("kms")
    }

    /// From now on the KMS can be asked.
    pub fn open_kms(&mut self, server: Server) -> Result<(), Failure> {
        let tls_certificate =
            std::fs::read(self.kms_folder().join("tls-cert.pem")).context("cannot read the KMS's TLS certificate")?;
        let url = format!("https://{}", server.address());
        self.kms = Some(OpenKms { server, url, tls_certificate });
        Ok(())
    }

    /// Where the KMS can be asked.
    pub fn kms_url(&self) -> &str {
        self.kms.as_ref().map_or("", |kms| &kms.url)
    }

    /// What the KMS's clients trust (PEM).
    pub fn tls_certificate(&self) -> &[u8] {
        self.kms.as_ref().map_or(&[], |kms| &kms.tls_certificate)
    }

    /// A passphrase that nobody has to remember.
    pub fn passphrase() -> Result<Passphrase, Failure> {
        let mut octets = [0; 16];
        rng::system().fill_bytes(&mut octets);
        Passphrase::new(hex(octets)).context("no passphrase")
    }

    /// An empty key store.
    pub fn new_store(&self) -> Result<Store, Failure> {
        // The folder of the world is deleted with all that is in it.
        let folder = tempfile::tempdir_in(self.folder.path()).context("cannot make a folder")?.keep();
        Store::create(&folder, &Self::passphrase()?, &StoreOptions::default()).context("cannot make a key store")
    }

    pub fn keep_store(&mut self, party: Party, store: Store) {
        self.stores.push((party, store));
    }

    /// What asks the KMS for the keys of `user_uri`, with this token.
    pub fn provisioner(&self, user_uri: &str, token: &str) -> Result<Provisioner, Failure> {
        let mut request = ProvisionRequest::new(self.kms_url(), user_uri);
        request.transport.trust_anchors = Some(self.tls_certificate().to_vec());
        Provisioner::new(request, token).context("the KMS cannot be asked")
    }

    /// `from` makes a message.
    pub fn offer(&mut self, from: Party, request: &OfferRequest<'_>) -> Result<Offered, client::Error> {
        client::offer(self.store(from)?, request, client::now(), &mut rng::system())
    }

    /// `party` opens a message, if it is from `from`.
    pub fn accept(&mut self, party: Party, from: Party, message: &[u8]) -> Result<Opened, client::Error> {
        let options = AcceptOptions { initiator_uri: Some(from.uri), ..AcceptOptions::default() };
        client::accept(self.store(party)?, party.uri, message, &options, client::now())
    }

    /// Ends the world: the server first, while its folder is still there.
    pub fn close(self, narrator: &mut Narrator<'_>) -> Result<(), Failure> {
        let Self { runtime, kms, stores, folder, .. } = self;
        drop(stores);
        narrator.step("The KMS closes, and the temporary folder is deleted", || {
            if let Some(kms) = kms {
                runtime.block_on(kms.server.shutdown());
            }
            folder.close()
        })
    }

    fn store(&mut self, party: Party) -> Result<&mut Store, client::Error> {
        let found = self.stores.iter_mut().find(|(owner, _)| *owner == party);
        found.map(|(_, store)| store).ok_or(client::Error::NoKeySets)
    }
}
