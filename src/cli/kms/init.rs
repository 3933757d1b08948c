use super::{Folder, operator};
use crate::cli::failure::{Context, Failure};
use crate::cli::output::{Output, hex};
use crate::cli::{passphrase, runtime};
use mikey_sakke::kms::config::KeySource;
use mikey_sakke::kms::{self, InitOptions};
use serde_json::json;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Create a KMS: master secrets, sealed under a passphrase, a database, a self-signed TLS certificate for development,
/// and the configuration kms.toml.
///
/// URI, period and offset are part of every identity that the KMS will issue keys for. They cannot be changed later.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  mikey-sakke kms init --dir kms --kms-uri kms.example.org --domain example.org

Then allow users, put the public keys of your identity provider (a JWK set) into kms/jwks.json, and serve:
  mikey-sakke kms user add --dir kms --user sip:alice@example.org
  mikey-sakke kms serve --dir kms

Without an identity provider, mikey-sakke kms test-token makes tokens to try with.")]
pub struct Arguments {
    #[command(flatten)]
    folder: Folder,
    /// URI that names the KMS, used as exact text.
    #[arg(long, value_name = "URI")]
    kms_uri: String,
    /// Domain whose users the KMS serves; may be given several times, the principal one first.
    #[arg(long = "domain", value_name = "DOMAIN", required = true)]
    domains: Vec<String>,
    /// Length of a key period in seconds [default: 2592000, thirty days].
    #[arg(long, value_name = "SECONDS")]
    period: Option<u64>,
    /// Start of period 0 in seconds after 1 January 1900 [default: 0].
    #[arg(long, value_name = "SECONDS")]
    offset: Option<u64>,
    /// Address and port that the server will listen at [default: 127.0.0.1:8443].
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Issuer (iss) of the access tokens [default: https://idms. and the domain].
    #[arg(long, value_name = "ISS")]
    issuer: Option<String>,
    /// Audience (aud) of the access tokens [default: the KMS URI].
    #[arg(long, value_name = "AUD")]
    audience: Option<String>,
    /// File with the JWK set of the identity provider, relative to the folder [default: jwks.json].
    #[arg(long, value_name = "FILE")]
    jwks_file: Option<PathBuf>,
    #[command(flatten)]
    passphrase: passphrase::Source,
}

pub fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let options = arguments.options();
    let passphrase = arguments.passphrase.choose(&arguments.folder.secrets())?;
    let made = runtime::start()?
        .block_on(kms::init(&arguments.folder.dir, options, &passphrase, operator::act()))
        .context(format_args!("cannot create a KMS in {}", arguments.folder.dir.display()))?;

    let dir = arguments.folder.dir.display();
    let (pub_enc_key, pub_auth_key) = (hex(made.pub_enc_key.to_bytes()), hex(made.pub_auth_key.to_bytes()));
    output.line(format_args!("KMS {} created in {dir}", made.config.kms_uri));
    output.line(format_args!("PubEncKey  {pub_enc_key}"));
    output.line(format_args!("PubAuthKey {pub_auth_key}"));
    output.message(format_args!(
        "Keep the passphrase and a copy of {dir}/secrets.sealed in safe places: without both, no user gets keys again."
    ));
    output.object(&json!({
        "kms_uri": made.config.kms_uri,
        "pub_enc_key": pub_enc_key,
        "pub_auth_key": pub_auth_key,
    }))
}

impl Arguments {
    fn options(&self) -> InitOptions {
        let principal = self.domains.first().map_or("", String::as_str);
        let mut options = InitOptions::new(&self.kms_uri, principal);
        options.domains.clone_from(&self.domains);
        if let Some(period) = self.period {
            options.key_period = period;
        }
        if let Some(offset) = self.offset {
            options.key_offset = offset;
        }
        if let Some(listen) = self.listen {
            options.listen = listen;
        }
        if let Some(issuer) = &self.issuer {
            options.issuer.clone_from(issuer);
        }
        if let Some(audience) = &self.audience {
            options.audience.clone_from(audience);
        }
        if let Some(file) = &self.jwks_file {
            options.keys = KeySource::File(file.clone());
        }
        options
    }
}
