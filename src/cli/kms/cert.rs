use super::{Folder, operator};
use crate::cli::clock;
use crate::cli::failure::{Context, Failure};
use crate::cli::output::Output;
use crate::cli::{passphrase, runtime};
use mikey_sakke::kms::{State, certificates};
use mikey_sakke::sealing;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Say which other KMSs our users may exchange messages with: clients get these certificates with their keys.
#[derive(clap::Subcommand)]
pub enum Command {
    Add(Add),
    List(List),
    Remove(Remove),
    Export(Export),
}

/// Add the certificate of another KMS: an external one, one to migrate to, or one of a security gateway.
///
/// Get the file in any way, and its fingerprint from the other KMS's operator in a way that nobody can bend, such as
/// a call: whoever can put a certificate here can read what our users encrypt to the domains that it names.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  mikey-sakke kms cert add --dir kms kms-example-com.xml \\
      --fingerprint 2f6b0c4f0e6cfa6a1d3cbbd1f3a1b7e3f5f3b1e0c2a49d7e8f60718293a4b5c6")]
pub struct Add {
    #[command(flatten)]
    folder: Folder,
    /// A KmsCertificate, alone or in a SignedKmsCertificate.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// SHA-256 of the file, octet by octet, as sha256sum prints it; colons are left aside.
    #[arg(long, value_name = "HEX")]
    fingerprint: String,
    /// Put it in the place of those of the same KMS that hold at the same time.
    #[arg(long)]
    replace: bool,
}

/// List the certificates of other KMSs.
#[derive(clap::Args)]
pub struct List {
    #[command(flatten)]
    folder: Folder,
}

/// Take the certificates of a KMS out of what clients get. Those that have it keep it: to end its use, add it as revoked.
#[derive(clap::Args)]
pub struct Remove {
    #[command(flatten)]
    folder: Folder,
    /// KmsUri of the certificate.
    #[arg(long, value_name = "URI")]
    kms_uri: String,
}

/// Write our own certificate as other KMSs add it, and show its fingerprint. After a roll-over there are two, the present and the
/// coming one: the coming one goes to a file of its own beside the other.
#[derive(clap::Args)]
pub struct Export {
    #[command(flatten)]
    folder: Folder,
    /// The file to write; it must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    passphrase: passphrase::Source,
}

pub fn run(command: &Command, output: &Output) -> Result<(), Failure> {
    let runtime = runtime::start()?;
    match command {
        Command::Add(arguments) => runtime.block_on(add(arguments, output)),
        Command::List(arguments) => runtime.block_on(list(arguments, output)),
        Command::Remove(arguments) => runtime.block_on(remove(arguments, output)),
        Command::Export(arguments) => runtime.block_on(export(arguments, output)),
    }
}

async fn add(arguments: &Add, output: &Output) -> Result<(), Failure> {
    let path = arguments.file.display();
    let file = std::fs::read(&arguments.file).context(format_args!("cannot read {path}"))?;
    let (config, store) = arguments.folder.open_store().await?;
    let Add { fingerprint, replace, .. } = arguments;
    let (certificate, number) = certificates::add(&config, &*store, &file, fingerprint, *replace, &operator::act())
        .await
        .context(format_args!("cannot add {path}"))?;
    let domains = certificate.domains.join(", ");
    output.line(format_args!("{} may be reached, with the domains {domains}: cache {number}", certificate.kms_uri));
    if certificate.domains.is_empty() {
        output.message("The certificate names no domain: clients find its users only where they are told the KMS.");
    }
    if certificate.revoked {
        output.message("The certificate is revoked: clients refuse what comes in the name of that KMS.");
    }
    output.object(&json!({
        "kms_uri": certificate.kms_uri,
        "domains": certificate.domains,
        "revoked": certificate.revoked,
        "security_gateway": certificate.is_security_gateway,
        "cache_num": number,
    }))
}

async fn list(arguments: &List, output: &Output) -> Result<(), Failure> {
    let (_, store) = arguments.folder.open_store().await?;
    let cache = store.certificates().await.context("cannot list the certificates")?;
    let mut objects = Vec::new();
    for stored in &cache.certificates {
        let certificate = certificates::restored(stored).context("cannot read a certificate")?;
        let state = if certificate.revoked { "revoked" } else { "valid" };
        let valid_to = certificate.valid_to.map(clock::display_date);
        let until = valid_to.as_deref().unwrap_or("any time");
        let added = clock::display_unix(stored.added);
        let domains = certificate.domains.join(", ");
        let from = certificate.valid_from.map(clock::display_date);
        let dates = from.as_ref().map_or_else(|| format!("until {until}"), |from| format!("from {from} until {until}"));
        output.line(format_args!("{state:<8} {added}  {}  {domains}  {dates}", stored.kms_uri));
        objects.push(json!({
            "kms_uri": stored.kms_uri,
            "domains": certificate.domains,
            "revoked": certificate.revoked,
            "security_gateway": certificate.is_security_gateway,
            "cert_uri": certificate.cert_uri,
            "valid_from": from,
            "valid_to": valid_to,
            "fingerprint": stored.fingerprint,
            "added": stored.added,
        }));
    }
    if cache.certificates.is_empty() {
        output.message("There are no certificates of other KMSs: add one with mikey-sakke kms cert add.");
    }
    output.object(&json!({ "cache_num": cache.number, "certificates": Value::Array(objects) }))
}

async fn remove(arguments: &Remove, output: &Output) -> Result<(), Failure> {
    let (_, store) = arguments.folder.open_store().await?;
    let kms_uri = &arguments.kms_uri;
    let number =
        store.remove_certificate(kms_uri, &operator::act()).await.context(format_args!("cannot remove {kms_uri}"))?;
    output.line(format_args!("{kms_uri} is not handed out any more: cache {number}"));
    output.object(&json!({ "kms_uri": kms_uri, "cache_num": number }))
}

async fn export(arguments: &Export, output: &Output) -> Result<(), Failure> {
    let passphrase = arguments.passphrase.read(&arguments.folder.secrets())?;
    let state = State::open(&arguments.folder.dir, &passphrase).await.context(arguments.folder.cannot_open())?;
    let exported = certificates::exported(&state.authority, operator::act().at);
    let mut files = Vec::new();
    for (index, certificate) in exported.iter().enumerate() {
        let path = if index == 0 { arguments.out.clone() } else { beside(&arguments.out) };
        let document = certificate.to_xml();
        sealing::file::create(&path, document.as_bytes()).context(format_args!("cannot write {}", path.display()))?;
        let fingerprint = certificates::fingerprint(document.as_bytes());
        output.line(format_args!("{fingerprint}  {}", path.display()));
        files.push(json!({
            "cert_uri": certificate.cert_uri,
            "valid_from": certificate.valid_from.map(clock::display_date),
            "valid_to": certificate.valid_to.map(clock::display_date),
            "out": path,
            "fingerprint": fingerprint,
        }));
    }
    if files.len() > 1 {
        output.message(
            "Other KMSs put the first in the place of the one they have (kms cert add --replace), then add the second.",
        );
    }
    let fingerprint = files.first().map(|first| first["fingerprint"].clone());
    output.object(&json!({
        "kms_uri": state.config.kms_uri,
        "out": arguments.out,
        "fingerprint": fingerprint,
        "certificates": files,
    }))
}

/// Where the coming certificate goes: `certificate.next.xml` beside `certificate.xml`.
fn beside(path: &Path) -> PathBuf {
    let extension = path.extension().map_or_else(|| "next".to_owned(), |old| format!("next.{}", old.display()));
    path.with_extension(extension)
}
