use super::Folder;
use crate::cli::failure::{Context, Failure};
use crate::cli::output::Output;
use crate::cli::{clock, runtime};
use mikey_sakke::kms::store::HandedIn;
use mikey_sakke::kms_protocol::{KmsRedirectResponse, Limits, RedirectDocument, SignatureStatus};
use mikey_sakke::xml_security::X509Trust;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// See the KMS redirect responses that clients received and handed in.
#[derive(clap::Subcommand)]
pub enum Command {
    List(List),
}

/// List the redirect responses, oldest first: the newest 32 of each user.
#[derive(clap::Args)]
pub struct List {
    #[command(flatten)]
    folder: Folder,
    /// PEM certificates of signers, or of authorities that issued theirs: signatures are verified under these.
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
}

pub fn run(command: &Command, output: &Output) -> Result<(), Failure> {
    let Command::List(List { folder, trust }) = command;
    let trust = trust.as_deref().map(read_trust).transpose()?;
    let redirects = runtime::start()?.block_on(async {
        let (_, store) = folder.open_store().await?;
        store.redirects().await.context("cannot list the redirect responses")
    })?;
    let mut objects = Vec::new();
    for handed_in in &redirects {
        objects.push(show(handed_in, trust.as_ref(), output)?);
    }
    if redirects.is_empty() {
        output.message("No client has handed in a redirect response.");
    }
    output.object(&json!({ "redirects": Value::Array(objects) }))
}

fn show(
    HandedIn { sender, document }: &HandedIn,
    trust: Option<&X509Trust>,
    output: &Output,
) -> Result<Value, Failure> {
    let received = RedirectDocument::from_handed_in(document, &Limits::default())
        .context("cannot read a redirect response that was handed in")?;
    let verified = trust.map(|trust| received.clone().verified(trust, since_1970()));
    let (received, problem) = match verified {
        Some(Ok(verified)) => (verified, None),
        Some(Err(error)) => (received, Some(Failure::explain(&error))),
        None => (received, None),
    };
    let signature = match (received.signature(), &problem) {
        (_, Some(_)) => "invalid",
        (SignatureStatus::Absent, None) => "absent",
        (SignatureStatus::Unverified { .. }, None) => "unverified",
        (SignatureStatus::Verified { .. }, None) => "verified",
    };
    let KmsRedirectResponse { processor_uri, receiver_uri, rejected_kms_uri, receiver_kms_uris, .. } =
        received.content();
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
    output.line(format_args!(
        "{}  {}: {} does not accept {} for {}, but {} (signature {signature})",
        clock::display_unix(sender.received),
        sender.uri,
        text(processor_uri),
        text(rejected_kms_uri),
        text(receiver_uri),
        if receiver_kms_uris.is_empty() { "no other".to_owned() } else { receiver_kms_uris.join(", ") },
    ));
    if let Some(problem) = &problem {
        output.line(format_args!("  {problem}"));
    }
    Ok(json!({
        "received": sender.received,
        "user": sender.user_id,
        "uri": sender.uri,
        "request_id": sender.request_id,
        "processor_uri": processor_uri,
        "initiator_uri": received.content().initiator_uri,
        "receiver_uri": receiver_uri,
        "rejected_kms_uri": rejected_kms_uri,
        "initiator_kms_uris": received.content().initiator_kms_uris,
        "receiver_kms_uris": receiver_kms_uris,
        "chain": received.content().chain_len(),
        "signature": signature,
        "problem": problem,
        "document": document,
    }))
}

fn read_trust(path: &Path) -> Result<X509Trust, Failure> {
    let cannot = format!("cannot read the certificates in {}", path.display());
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(|certificates| certificates.map(|der| Ok(der?.to_vec())).collect::<Result<Vec<_>, _>>())
        .context(&cannot)?;
    if certificates.is_empty() {
        return Err(Failure::new(format!("{} has no PEM certificate", path.display())));
    }
    X509Trust::new(certificates).context(&cannot)
}

fn since_1970() -> std::time::Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
