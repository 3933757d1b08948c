mod import;

use super::{Folder, operator};
use crate::cli::failure::{Context, Failure};
use crate::cli::output::Output;
use crate::cli::{clock, runtime};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use mikey_sakke::kms::{ClientKind, NewUser, admin};
use serde_json::{Value, json};

/// Say who may get keys. The server need not be stopped, and no passphrase is needed.
#[derive(clap::Subcommand)]
pub enum Command {
    Add(Add),
    Import(import::Import),
    List(List),
    Kind(Kind),
    Revoke(Revoke),
}

/// Allow a user, a server or a group management server to get keys.
///
/// A URI must be exactly what the user's access tokens and messages have: it is hashed into the identity.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mikey-sakke kms user add --dir kms --user sip:alice@example.org
  mikey-sakke kms user add --dir kms --user sip:alice@example.org --uri sip:alice-video@example.org
  mikey-sakke kms user add --dir kms --user sip:gms@example.org --kind gms")]
pub struct Add {
    #[command(flatten)]
    folder: Folder,
    /// URI of the user, which also identifies the user in this KMS.
    #[arg(long, value_name = "URI")]
    user: String,
    /// Further URI of the same user, for other services; may be given several times.
    #[arg(long = "uri", value_name = "URI")]
    uris: Vec<String>,
    /// What the client is; [clients] in kms.toml says what each kind may ask for.
    #[arg(long, value_name = "KIND", value_parser = kind_parser(), default_value = ClientKind::User.as_str())]
    kind: ClientKind,
}

/// Say that a user is a client of another kind.
#[derive(clap::Args)]
pub struct Kind {
    #[command(flatten)]
    folder: Folder,
    /// URI that the user was added with.
    #[arg(long, value_name = "URI")]
    user: String,
    /// What the client is.
    #[arg(long, value_name = "KIND", value_parser = kind_parser())]
    kind: ClientKind,
}

/// List all users with their URIs.
#[derive(clap::Args)]
pub struct List {
    #[command(flatten)]
    folder: Folder,
}

/// Refuse a user all further keys. Keys that were issued stay valid until their period ends.
#[derive(clap::Args)]
pub struct Revoke {
    #[command(flatten)]
    folder: Folder,
    /// URI that the user was added with.
    #[arg(long, value_name = "URI")]
    user: String,
}

pub fn run(command: &Command, output: &Output) -> Result<(), Failure> {
    let runtime = runtime::start()?;
    match command {
        Command::Add(arguments) => runtime.block_on(add(arguments, output)),
        Command::Import(arguments) => runtime.block_on(import::run(arguments, output)),
        Command::List(arguments) => runtime.block_on(list(arguments, output)),
        Command::Kind(arguments) => runtime.block_on(set_kind(arguments, output)),
        Command::Revoke(arguments) => runtime.block_on(revoke(arguments, output)),
    }
}

async fn add(arguments: &Add, output: &Output) -> Result<(), Failure> {
    let (_, store) = arguments.folder.open_store().await?;
    let mut uris = vec![arguments.user.clone()];
    for uri in &arguments.uris {
        if !uris.contains(uri) {
            uris.push(uri.clone());
        }
    }
    let user = NewUser { id: arguments.user.clone(), kind: arguments.kind, uris };
    admin::add_user(&*store, &user, &operator::act()).await.context(format_args!("cannot add {}", user.id))?;
    let NewUser { id, kind, uris } = user;
    output.line(format_args!("{id} ({kind}) may get keys for {}", uris.join(", ")));
    output.object(&json!({ "user": id, "kind": kind.as_str(), "uris": uris }))
}

async fn set_kind(arguments: &Kind, output: &Output) -> Result<(), Failure> {
    let (_, store) = arguments.folder.open_store().await?;
    let Kind { user, kind, .. } = arguments;
    admin::set_kind(&*store, user, *kind, &operator::act())
        .await
        .context(format_args!("cannot change the kind of {user}"))?;
    output.line(format_args!("{user} is a client of the kind {kind}"));
    output.object(&json!({ "user": user, "kind": kind.as_str() }))
}

async fn list(arguments: &List, output: &Output) -> Result<(), Failure> {
    let (_, store) = arguments.folder.open_store().await?;
    let users = admin::list_users(&*store).await.context("cannot list the users")?;
    for user in &users {
        let (status, kind) = (user.status.as_str(), user.kind.as_str());
        let created = clock::display_unix(user.created);
        output.line(format_args!("{status:<8} {kind:<16} {created}  {}", user.uris.join(", ")));
    }
    if users.is_empty() {
        output.message("There are no users yet: add one with mikey-sakke kms user add.");
    }
    let users: Value = users
        .iter()
        .map(|user| {
            json!({
                "user": user.id, "kind": user.kind.as_str(), "status": user.status.as_str(),
                "created": user.created, "uris": user.uris,
            })
        })
        .collect();
    output.object(&json!({ "users": users }))
}

async fn revoke(arguments: &Revoke, output: &Output) -> Result<(), Failure> {
    let (_, store) = arguments.folder.open_store().await?;
    admin::revoke_user(&*store, &arguments.user, &operator::act())
        .await
        .context(format_args!("cannot revoke {}", arguments.user))?;
    output.line(format_args!("{} gets no more keys", arguments.user));
    output.object(&json!({ "user": arguments.user, "status": "revoked" }))
}

fn kind_parser() -> impl TypedValueParser<Value = ClientKind> {
    PossibleValuesParser::new(ClientKind::ALL.map(ClientKind::as_str))
        .map(|name| ClientKind::from_name(&name).unwrap_or_default())
}
