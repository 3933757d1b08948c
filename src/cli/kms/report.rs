use super::Folder;
use crate::cli::failure::{Context, Failure};
use crate::cli::output::Output;
use crate::cli::{clock, runtime};
use serde_json::{Value, json};

/// See what clients report of their troubles (ClientError).
#[derive(clap::Subcommand)]
pub enum Command {
    List(List),
}

/// List the errors that clients reported, oldest first: the newest 32 of each user.
#[derive(clap::Args)]
pub struct List {
    #[command(flatten)]
    folder: Folder,
}

pub fn run(command: &Command, output: &Output) -> Result<(), Failure> {
    let Command::List(List { folder }) = command;
    let reports = runtime::start()?.block_on(async {
        let (_, store) = folder.open_store().await?;
        store.reports().await.context("cannot list the reports")
    })?;
    for report in &reports {
        let received = clock::display_unix(report.received);
        // What a client wrote may hold characters that move the cursor.
        output.line(format_args!("{received}  {}  {}  {:?}", report.uri, report.code, report.message));
    }
    if reports.is_empty() {
        output.message("No client has reported an error.");
    }
    let reports: Value = reports
        .iter()
        .map(|report| {
            json!({
                "received": report.received,
                "user": report.user_id,
                "uri": report.uri,
                "request_id": report.request_id,
                "code": report.code,
                "message": report.message,
            })
        })
        .collect();
    output.object(&json!({ "reports": reports }))
}
