use super::Folder;
use crate::cli::failure::{Context, Failure};
use crate::cli::output::Output;
use crate::cli::{clock, runtime};
use mikey_sakke::kms::admin;
use serde_json::json;
use std::time::SystemTime;

/// Show how the KMS stands: its key period, its users, what it issued. No passphrase is needed.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    folder: Folder,
}

pub fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let status = runtime::start()?.block_on(async {
        let (config, store) = arguments.folder.open_store().await?;
        admin::status(&config, &*store, SystemTime::now()).await.context("cannot read the database")
    })?;
    let counts = status.counts;
    output.line(format_args!("KMS         {}", status.kms_uri));
    output.line(format_args!("domains     {}", status.domains.join(", ")));
    output.line(format_args!("key period  {} s, offset {} s", status.key_period, status.key_offset));
    output.line(format_args!(
        "now         period {}, until {}",
        status.period_no,
        clock::display_date(status.next_period)
    ));
    output.line(format_args!("users       {} active, {} revoked", counts.active_users, counts.revoked_users));
    output.line(format_args!("URIs        {}", counts.uris));
    output.line(format_args!("issued      {} key sets", counts.issues));
    output.object(&json!({
        "kms_uri": status.kms_uri,
        "domains": status.domains,
        "key_period": status.key_period,
        "key_offset": status.key_offset,
        "period_no": status.period_no,
        "next_period": clock::display_date(status.next_period),
        "active_users": counts.active_users,
        "revoked_users": counts.revoked_users,
        "uris": counts.uris,
        "issued": counts.issues,
    }))
}
