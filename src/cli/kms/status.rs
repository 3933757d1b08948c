use super::Folder;
use crate::cli::failure::{Context, Failure};
use crate::cli::output::Output;
use crate::cli::{clock, runtime};
use mikey_sakke::kms::admin::{self, Serving};
use serde_json::{Value, json};
use std::time::SystemTime;

/// Show how the KMS stands: its key period, its master secrets, its users, what it issued. No passphrase is needed.
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
    for serving in &status.generations {
        output.line(format_args!("secrets     {}", text(serving)));
    }
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
        "generations": status.generations.iter().map(object).collect::<Vec<_>>(),
        "active_users": counts.active_users,
        "revoked_users": counts.revoked_users,
        "uris": counts.uris,
        "issued": counts.issues,
    }))
}

fn text(serving: &Serving) -> String {
    let Serving { generation, first_period, is_present, .. } = serving;
    let from = serving.from.map(clock::display_date).map(|from| format!(" ({from})")).unwrap_or_default();
    let to = serving.to.map(clock::display_date).map(|to| format!(" to {to}")).unwrap_or_default();
    let present = if *is_present { ", at present" } else { "" };
    format!("generation {generation}, from period {first_period}{from}{to}{present}")
}

fn object(serving: &Serving) -> Value {
    json!({
        "generation": serving.generation,
        "first_period": serving.first_period,
        "from": serving.from.map(clock::display_date),
        "to": serving.to.map(clock::display_date),
        "present": serving.is_present,
    })
}
