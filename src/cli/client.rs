mod accept;
mod import;
mod kms;
mod offer;
mod provision;

use super::failure::{Advise, Context, Failure};
use super::output::Output;
use super::passphrase;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use mikey_sakke::client::{Error, ImportReport, Store, StoreOptions};
use mikey_sakke::mc::KeyType;
use mikey_sakke::mc::imessage::{Compatibility, Excuse, StatusZero};
use std::path::Path;

/// Be a key management client: get keys, send keys, receive keys.
#[derive(clap::Subcommand)]
pub enum Command {
    Import(import::Arguments),
    Provision(provision::Arguments),
    Offer(offer::Arguments),
    Accept(accept::Arguments),
    Kms(kms::Arguments),
}

pub fn run(command: &Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Import(arguments) => import::run(arguments, output),
        Command::Provision(arguments) => provision::run(arguments, output),
        Command::Offer(arguments) => offer::run(arguments, output),
        Command::Accept(arguments) => accept::run(arguments, output),
        Command::Kms(arguments) => kms::run(arguments, output),
    }
}

/// Opens a store that exists.
pub fn open(folder: &Path, passphrase: &passphrase::Source) -> Result<Store, Failure> {
    // Before anybody types a passphrase for a store that is not there.
    if !exists(folder)? {
        return Err(Failure::new(format!("there is no client store in {}", folder.display())))
            .advise("Make one with mikey-sakke client provision or client import.");
    }
    let passphrase = passphrase.read(&format!("the store {}", folder.display()))?;
    Store::open(folder, &passphrase, &StoreOptions::default()).context("cannot open the store")
}

fn exists(folder: &Path) -> Result<bool, Failure> {
    Store::exists(folder)
        .context("cannot tell whether there is a store")
        .advise("Check the path, and whether this user may read the folder.")
}

/// Brings keys into a store, which is made if need be. If none come, a store that was made for them is deleted again.
fn fill(
    folder: &Path,
    passphrase: &passphrase::Source,
    bring: impl FnOnce(&mut Store) -> Result<ImportReport, Failure>,
) -> Result<ImportReport, Failure> {
    if exists(folder)? {
        return bring(&mut open(folder, passphrase)?);
    }
    let passphrase = passphrase.choose(&format!("the store {}", folder.display()))?;
    let mut store = Store::create(folder, &passphrase, &StoreOptions::default()).context("cannot make a store")?;
    let brought = bring(&mut store);
    if brought.is_err() {
        store.delete().context("cannot delete the empty store again")?;
    }
    brought
}

/// What to do about keys that did not come.
fn advice(error: &Error) -> Option<&'static str> {
    match error {
        Error::Connection { problem, .. } if problem.contains("UnknownIssuer") => Some(
            "If the KMS's TLS certificate is of an authority of its own, give that authority's certificate with --ca.",
        ),
        Error::OtherUser { .. } => {
            Some("Give --user exactly as the access token has it, or log in as that user and use the new token.")
        }
        _ => None,
    }
}

fn print_report(report: &ImportReport, output: &Output) -> Result<(), Failure> {
    output.line(report);
    output.object(report)
}

/// What a key is for, as the command line names it.
#[derive(Clone, Copy, clap::ValueEnum)]
enum KeyTypeName {
    /// Private call key: media of a private call.
    Pck,
    /// Group master key: media of a group.
    Gmk,
    /// Client-server key: signalling between a client and its server.
    Csk,
    /// Multicast signalling key.
    Musik,
    /// Multicast floor control key.
    Mkfc,
    /// MBMS subchannel control key.
    Mscck,
    /// Signalling protection key: signalling between servers.
    Spk,
}

impl From<KeyTypeName> for KeyType {
    fn from(name: KeyTypeName) -> Self {
        match name {
            KeyTypeName::Pck => Self::Pck,
            KeyTypeName::Gmk => Self::Gmk,
            KeyTypeName::Csk => Self::Csk,
            KeyTypeName::Musik => Self::MuSik,
            KeyTypeName::Mkfc => Self::Mkfc,
            KeyTypeName::Mscck => Self::Mscck,
            KeyTypeName::Spk => Self::Spk,
        }
    }
}

/// How to read the messages of peers that deviate from TS 33.180.
#[derive(clap::Args)]
pub struct Compatible {
    /// Excuse this deviation from TS 33.180 in the message; may be given several times. What the store excuses in
    /// messages under the initiator's KMS (client kms) is excused without it.
    #[arg(long = "excuse", value_name = "DEVIATION", value_parser = excuses())]
    excused: Vec<Excuse>,
    /// What status 0 in key parameters means, if the store sets nothing for the initiator's KMS (client kms).
    #[arg(long, value_name = "MEANING", value_enum, default_value_t = StatusZeroName::PossiblyLive)]
    status_zero: StatusZeroName,
}

/// What status 0 in key parameters means, as the command line names it.
#[derive(Clone, Copy, clap::ValueEnum)]
enum StatusZeroName {
    /// The key opens unless it is held already or has expired, as some senders have it.
    PossiblyLive,
    /// The key is live, also if it is held already.
    Live,
    /// The key is revoked, by the letter of table E.6.1-1.
    Revoked,
}

impl From<StatusZeroName> for StatusZero {
    fn from(name: StatusZeroName) -> Self {
        match name {
            StatusZeroName::PossiblyLive => Self::PossiblyLive,
            StatusZeroName::Live => Self::Live,
            StatusZeroName::Revoked => Self::Revoked,
        }
    }
}

impl Compatible {
    pub fn settings(&self) -> Compatibility {
        Compatibility { status_zero: self.status_zero.into(), ..Compatibility::default() }
            .and(self.excused.iter().copied())
    }
}

/// Reads the name of a setting.
fn excuses() -> impl TypedValueParser<Value = Excuse> {
    let names = Excuse::ALL.map(|excuse| PossibleValue::new(excuse.name()).help(excuse.meaning()));
    PossibleValuesParser::new(names).try_map(|name| Excuse::from_name(&name).ok_or("no such setting"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_fits_the_error() {
        let connection = |problem: &str| Error::Connection { url: "https://k".into(), problem: problem.into() };
        assert!(advice(&connection("invalid peer certificate: UnknownIssuer")).unwrap().contains("--ca"));
        assert_eq!(advice(&connection("connection refused")), None);
        let (found, expected) = ("sip:a@example.org".into(), "sip:b@example.org".into());
        assert!(advice(&Error::OtherUser { request: "keyprov", found, expected }).unwrap().contains("--user"));
    }
}
