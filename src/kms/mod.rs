//! The key management server (KMS): gives each identity its keys, and nobody else's (TS 33.180 5.3, Annex D).
//!
//! A KMS lives in a folder that [`init`] makes: its master secrets sealed under a passphrase, a database of users, a
//! configuration. [`State::open`] unseals it, [`Server::bind`] serves it over HTTPS, [`admin`] adds users and issues keys
//! to files. Inside, from the ground up:
//!
//! | module | is |
//! |---|---|
//! | [`config`] | `kms.toml`, checked value by value |
//! | `custody`, `leftovers` | files of the KMS: whose they are, and what killed commands have left |
//! | [`store`] | users, their URIs, certificates of other KMSs, what clients report, and the audit log, behind traits |
//! | [`audit`] | the log of every issue, refusal and administrative act: a chain of hashes |
//! | `authority` | the master secrets, and the key sets that follow from them: the same at each call |
//! | `rollover` | new generations of master secrets |
//! | [`auth`] | access tokens: who is asking |
//! | [`certificates`] | the certificates of other KMSs, checked before clients get them |
//! | `user_uri` | which texts are URIs of users |
//! | [`users`] | users from a CSV file, every bad line told of |
//! | [`backup`] | all of it in one sealed file, and back |
//! | [`bulk`] | key sets of many users to files |
//! | `issue` | the one way in which keys leave: an active user's, and noted |
//! | `vault`, `protection` | transport and integrity keys: sealed in the store, and what they do to requests and answers |
//! | `limits` | how often a client may ask |
//! | `http` | the resources, and every refusal with its status and code |
//! | `server` | TLS, connections, limits |
//! | [`development`] | a certificate and an identity provider to begin with |
//!
//! The server keeps no state but the store: several can serve from one sealed file and one database.
//!
//! ```
//! use mikey_sakke::kms::audit::Act;
//! use mikey_sakke::kms::{self, InitOptions, NewUser, Server, State, admin, development::TokenIssuer};
//! use mikey_sakke::sealing::{self, KdfParameters, Passphrase};
//! use std::time::SystemTime;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let temporary = tempfile::tempdir()?;
//! # let folder = &temporary.path().join("kms");
//! let passphrase = Passphrase::new("correct horse battery staple".to_owned())?;
//! let options = InitOptions { kdf: KdfParameters::cheap_for_tests(), ..InitOptions::new("kms.example.org", "example.org") };
//! let act = || Act::new("the operator", SystemTime::now());
//! kms::init(folder, options, &passphrase, act()).await?;
//!
//! // The identity provider publishes its keys; here it is a stand-in.
//! let provider = TokenIssuer::new("https://idms.example.org", "kms.example.org", "key-1")?;
//! sealing::file::create(&folder.join("jwks.json"), provider.jwks().as_bytes())?;
//!
//! let state = State::open(folder, &passphrase).await?;
//! let alice = NewUser::new("alice", ["sip:alice@example.org"]);
//! admin::add_user(&*state.store, &alice, &act()).await?;
//! let server = Server::bind(&state, Some("127.0.0.1:0".parse()?), act()).await?;
//! println!("https://{}/keymanagement/identity/v1/init", server.address());
//! server.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod absent;
pub mod admin;
pub mod audit;
pub mod auth;
mod authority;
pub mod backup;
pub mod bulk;
mod calendar;
pub mod certificates;
pub mod config;
mod custody;
pub mod development;
mod error;
mod hash;
mod http;
mod init;
mod issue;
mod kind;
mod leftovers;
mod limits;
mod progress;
mod protection;
mod rollover;
mod secrets;
mod server;
mod state;
pub mod store;
#[cfg(test)]
mod testing;
mod user_uri;
pub mod users;
mod vault;

pub use authority::Authority;
pub use config::Config;
pub use custody::Exposure;
pub use error::Error;
pub use init::{InitOptions, Initialised, init};
pub use kind::ClientKind;
pub use progress::Progress;
pub use rollover::{RollOverAt, RolledOver, Withdrawn, roll_over, withdraw};
pub use secrets::MasterSecrets;
pub use server::Server;
pub use state::{State, open_store};
pub use store::{NewUser, SqliteStore, Store};
pub use user_uri::{UriFault, check_user_uri};
