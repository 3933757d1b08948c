//! A KMS behind real proxies, good and evil: nginx, HAProxy and Squid, by the snippets of docs/proxies.md.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at what it did not expect")]

#[path = "../cli_support/mod.rs"]
mod cli_support;
#[path = "../peers/mod.rs"]
mod peers;

mod evil;
mod policy;
mod site;
mod snippet;
mod through;

use mikey_sakke::kms::development::TokenIssuer;
use peers::client::Client;
use peers::kms::{Kms, KmsFolder, token, token_issuer};
use peers::process::have;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::rc::Rc;

const ALICE: &str = "sip:alice@example.org";
const BOB: &str = "sip:bob@example.org";
/// A server that is a client of the KMS (CSC-9).
const MCPTT_SERVER: &str = "sip:mcptt-server@example.org";

/// The address that listed proxies speak from.
const PROXY: &str = "127.0.0.2";

/// A KMS that knows its proxies, and who issues tokens for it.
struct World {
    kms: Kms,
    issuer: Rc<TokenIssuer>,
}

impl World {
    /// `None`, with a note, where a program is missing; in continuous integration that is a failure.
    fn new(programs: &[&str]) -> Option<Self> {
        Self::with(programs, &[])
    }

    /// The same with a changed configuration.
    fn with(programs: &[&str], edits: &[(&str, &str)]) -> Option<Self> {
        have(&[programs, &["setpriv", "curl"]].concat()).then(|| {
            let proxies = format!("proxies = [\"{PROXY}\"]");
            let folder = KmsFolder::new(&[ALICE, BOB, MCPTT_SERVER]).edit("proxies = []", &proxies);
            let folder = edits.iter().fold(folder, |folder, (from, to)| folder.edit(from, to));
            let issuer = Rc::new(token_issuer());
            Self { kms: folder.trusting(&issuer).serve(), issuer }
        })
    }

    fn token(&self, user: &str) -> String {
        token(&self.issuer, user)
    }

    /// A client with the user's keys, not provisioned yet.
    fn client(&self, user: &'static str) -> Shared<'_> {
        Shared { world: self, client: Client::new(user), user, keys: self.kms.new_keys(user) }
    }
}

fn notes(report: &Value) -> Vec<&str> {
    report["notes"].as_array().unwrap().iter().map(|note| note.as_str().unwrap()).collect()
}

/// A client that shares a TrK and an InK with the KMS.
struct Shared<'w> {
    world: &'w World,
    client: Client,
    user: &'static str,
    keys: PathBuf,
}

impl Shared<'_> {
    /// The whole of provisioning at a URL.
    fn provision(&self, url: &str, ca: &Path, more: &[&str]) -> Result<Value, String> {
        self.client.provision_with(url, ca, &self.world.token(self.user), &self.keys, more)
    }

    /// The same, which must bring the keys of both periods, protected under the user's TrK and InK.
    #[track_caller]
    fn succeeds(&self, url: &str, ca: &Path, more: &[&str]) {
        let report = self.provision(url, ca, more).unwrap_or_else(|error| panic!("{error}"));
        let name = self.user.strip_prefix("sip:").unwrap();
        assert_eq!(report["user_uri"], self.user);
        assert_eq!(report["periods"].as_array().unwrap().len(), 2, "{report}");
        assert_eq!(report["signed_with"], format!("ink.1.{name}"));
        assert_eq!(report["wrapped_with"], format!("tk.1.{name}"));
        // That something is missing.
        assert!(notes(&report).iter().all(|note| !note.starts_with("no ")), "{report}");
    }

    /// The same, which must fail for this reason and leave the store as it is.
    #[track_caller]
    fn fails(&self, url: &str, ca: &Path, reason: &str) {
        let before = self.client.snapshot();
        let error = self.provision(url, ca, &[]).unwrap_err();
        assert!(error.contains(reason), "{error}");
        assert!(self.client.snapshot() == before, "the store has changed");
    }
}
