use super::Folder;
use crate::cli::failure::{Context, Failure};
use crate::cli::output::Output;
use crate::cli::{clock, runtime};
use mikey_sakke::kms::store::ClientReport;
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
    for ClientReport { sender, code, message } in &reports {
        let received = clock::display_unix(sender.received);
        // What a client wrote may hold characters that move the cursor.
        output.line(format_args!("{received}  {}  {code}  {message:?}", sender.uri));
    }
    if reports.is_empty() {
        output.message("No client has reported an error.");
    }
    let reports: Value = reports
        .iter()
        .map(|ClientReport { sender, code, message }| {
            json!({
                "received": sender.received,
                "user": sender.user_id,
                "uri": sender.uri,
                "request_id": sender.request_id,
                "code": code,
                "message": message,
            })
        })
        .collect();
    output.object(&json!({ "reports": reports }))
}
