//! A KMS whose tokens come from a real OpenID Provider, the npm package `oidc-provider`: over HTTPS, with keys that change,
//! with a clock that is wrong, and away for a while.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at what it did not expect")]

#[path = "../cli_support/mod.rs"]
mod cli_support;
#[path = "../peers/mod.rs"]
mod peers;

mod keys;
mod provider;
mod tokens;

use peers::kms::{Kms, KmsFolder};
use provider::Provider;

const ALICE: &str = "sip:alice@example.org";
const BOB: &str = "sip:bob@example.org";
/// A server for all three services, with another URI in each.
const SERVER: [&str; 3] = ["sip:ptt@example.org", "sip:video@example.org", "sip:data@example.org"];
/// One without an identity for video.
const PTT_SERVER: &str = "sip:ptt-alone@example.org";

/// A KMS that asks this provider for its keys, and whatever else its configuration says.
fn kms_of(provider: &Provider, edits: &[(&str, &str)]) -> Kms {
    let [ptt, video, data] = SERVER;
    let jwks = format!("jwks_url = {:?}\njwks_ca = {:?}", format!("{}/jwks", provider.issuer), provider.ca());
    let folder = KmsFolder::new(&[ALICE, BOB, ptt, video, data, PTT_SERVER])
        .edit("jwks_file = \"jwks.json\"", &jwks)
        .edit("issuer = \"https://idms.example.org\"", &format!("issuer = {:?}", provider.issuer));
    edits.iter().fold(folder, |folder, (from, to)| folder.edit(from, to)).serve()
}
