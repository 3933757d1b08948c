use super::{Folder, operator};
use crate::cli::failure::{Advise, Context, Failure};
use crate::cli::output::{Output, hex};
use crate::cli::{clock, rng, runtime};
use mikey_sakke::kms::audit::Event;
use mikey_sakke::kms::config::KeySource;
use mikey_sakke::kms::development::TokenIssuer;
use mikey_sakke::sealing;
use rand_core::Rng;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// Make an access token for a user, to try the KMS before there is an identity provider.
///
/// The token is signed with a new key whose public half is added to the KMS's JWK set, so a running server takes it too, within seconds.
/// A KMS whose JWK set is that of a real identity provider takes such tokens as well: do not use this command there.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  mikey-sakke kms test-token --dir kms --user sip:alice@example.org > token.jwt")]
pub struct Arguments {
    #[command(flatten)]
    folder: Folder,
    /// URI that the token is for.
    #[arg(long, value_name = "URI")]
    user: String,
    /// How long the token is valid, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "3600", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    lifetime: u64,
}

pub fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let runtime = runtime::start()?;
    let (config, store) = runtime.block_on(arguments.folder.open_store())?;
    let KeySource::File(jwks_file) = &config.auth.keys else {
        return Err(Failure::new("this KMS takes its JWK set from a URL"))
            .advise("Get the token from the identity provider behind that URL.");
    };
    let mut key_id = [0; 8];
    rng::system().fill_bytes(&mut key_id);
    let key_id = format!("test-{}", hex(key_id));
    let issuer = TokenIssuer::new(&config.auth.issuer, &config.auth.audience, &key_id).context("no token was made")?;
    let act = operator::act();
    let lifetime = Duration::from_secs(arguments.lifetime);
    let token = issuer.token(&arguments.user, act.at, lifetime).context("no token was made")?;
    let expires = clock::display_date((act.at + lifetime).into());
    let event = Event::TestTokenMade { uri: arguments.user.clone(), key_id, expires };
    runtime.block_on(store.record(event, act)).context("no token was made")?;
    publish(&issuer, jwks_file)?;
    output.line(&token);
    output.object(&json!({ "token": token, "user_uri": arguments.user, "lifetime": arguments.lifetime }))
}

/// Adds the issuer's public key to the JWK set.
fn publish(issuer: &TokenIssuer, jwks_file: &Path) -> Result<(), Failure> {
    let unreadable = || format!("cannot read {}", jwks_file.display());
    let mut published = if jwks_file.exists() {
        let text = std::fs::read(jwks_file).context(unreadable())?;
        serde_json::from_slice(&text).context(unreadable())?
    } else {
        json!({ "keys": [] })
    };
    let mut new: Value = serde_json::from_str(&issuer.jwks()).context("the new key cannot be published")?;
    let (Some(published_keys), Some(new_keys)) = (keys_of(&mut published), keys_of(&mut new)) else {
        return Err(Failure::new(format!("{} is no JWK set", jwks_file.display())))
            .advise("It must hold an object with a list named keys (RFC 7517).");
    };
    published_keys.append(new_keys);
    sealing::file::replace(jwks_file, published.to_string().as_bytes())
        .context(format_args!("cannot write {}", jwks_file.display()))
}

fn keys_of(jwks: &mut Value) -> Option<&mut Vec<Value>> {
    jwks.get_mut("keys")?.as_array_mut()
}
