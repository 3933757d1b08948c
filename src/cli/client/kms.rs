use super::{StatusZeroName, excuses, open};
use crate::cli::failure::{Context, Failure};
use crate::cli::output::{Output, field_style};
use crate::cli::{clock, passphrase};
use mikey_sakke::client::{CertificateSummary, KmsSummary};
use mikey_sakke::mc::imessage::{Excuse, StatusZero};
use serde_json::json;
use std::path::PathBuf;

/// Show the KMSs that a store knows, and set how to read the messages of the users of one.
///
/// A vendor's KMS and its radios come together, so that what the radios do differently is set once for that KMS. Without
/// a setting nothing is excused that weakens a check.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mikey-sakke client kms --store bob
  mikey-sakke client kms --store bob --kms-uri kms.example.org --excuse dropped-zeros
  mikey-sakke client kms --store bob --kms-uri kms.example.org --excuse-nothing")]
pub struct Arguments {
    /// Folder of the client store.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// KMS to set this for.
    #[arg(long, value_name = "URI")]
    kms_uri: Option<String>,
    /// Excuse this deviation from TS 33.180 from now on, and no other but those given here; may be given several times.
    #[arg(long = "excuse", value_name = "DEVIATION", value_parser = excuses(), requires = "kms_uri")]
    excused: Vec<Excuse>,
    /// Excuse nothing from now on.
    #[arg(long, requires = "kms_uri", conflicts_with = "excused")]
    excuse_nothing: bool,
    /// What status 0 in key parameters means from now on.
    #[arg(long, value_name = "MEANING", value_enum, requires = "kms_uri")]
    status_zero: Option<StatusZeroName>,
    #[command(flatten)]
    passphrase: passphrase::Source,
}

pub fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let mut store = open(&arguments.store, &arguments.passphrase)?;
    if let (Some(kms_uri), true) = (&arguments.kms_uri, arguments.excuse_nothing || !arguments.excused.is_empty()) {
        store.excuse(kms_uri, &arguments.excused).context("nothing was set")?;
    }
    if let (Some(kms_uri), Some(meaning)) = (&arguments.kms_uri, arguments.status_zero) {
        store.read_status_zero(kms_uri, meaning.into()).context("nothing was set")?;
    }
    let mut kmss = store.kms_list();
    if let Some(kms_uri) = &arguments.kms_uri {
        kmss.retain(|kms| kms.kms_uri == *kms_uri);
        if kmss.is_empty() {
            return Err(Failure::new(format!("the store knows no KMS {kms_uri:?}")));
        }
    }
    kmss.iter().for_each(|kms| print(kms, output));
    output.object(&json!({ "kms": kmss }))
}

fn print(kms: &KmsSummary, output: &Output) {
    let field = field_style();
    let role = match (kms.revoked, kms.home) {
        (true, _) => "revoked",
        (false, true) => "has issued keys to this store",
        (false, false) => "of other users",
    };
    output.line(format_args!("{} ({role})", kms.kms_uri));
    output.line(format_args!("  {field}key periods{field:#} of {} s from {} s on", kms.period, kms.offset));
    for certificate in &kms.certificates {
        output.line(format_args!("  {field}certificate{field:#} {}", text(certificate)));
    }
    let zero = match kms.status_zero {
        StatusZero::PossiblyLive => "possibly live",
        StatusZero::Live => "live",
        StatusZero::Revoked => "revoked",
    };
    output.line(format_args!("  {field}status 0{field:#} {zero}"));
    match kms.excused.as_slice() {
        [] => output.line(format_args!("  {field}excused{field:#} nothing")),
        excused => excused.iter().for_each(|name| output.line(format_args!("  {field}excused{field:#} {name}"))),
    }
}

fn text(certificate: &CertificateSummary) -> String {
    let date = |unix: Option<i64>| {
        unix.and_then(|unix| u64::try_from(unix).ok()).map_or_else(|| "any time".to_owned(), clock::display_unix)
    };
    let name = certificate.cert_uri.as_deref().unwrap_or("without a name");
    let revoked = if certificate.revoked { ", revoked" } else { "" };
    format!("{name}, from {} to {}{revoked}", date(certificate.valid_from), date(certificate.valid_to))
}
