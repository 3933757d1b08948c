mod audit;
mod backup;
mod cert;
mod init;
mod issue;
mod operator;
mod redirect;
mod report;
mod rollover;
mod serve;
mod status;
mod test_token;
mod trk;
mod user;

use super::failure::{Context, Failure};
use super::output::Output;
use mikey_sakke::kms::{self, Config, Store};
use std::path::PathBuf;
use std::sync::Arc;

/// Set up, run and administer a key management server.
#[derive(clap::Subcommand)]
pub enum Command {
    Init(init::Arguments),
    Serve(serve::Arguments),
    #[command(subcommand)]
    User(user::Command),
    #[command(subcommand)]
    Trk(trk::Command),
    #[command(subcommand)]
    Cert(cert::Command),
    #[command(subcommand)]
    Redirect(redirect::Command),
    #[command(subcommand)]
    Report(report::Command),
    #[command(subcommand)]
    Audit(audit::Command),
    Issue(issue::Arguments),
    Backup(backup::Save),
    Restore(backup::Restore),
    Status(status::Arguments),
    Rollover(rollover::Arguments),
    TestToken(test_token::Arguments),
}

/// The folder of a KMS.
#[derive(clap::Args)]
pub struct Folder {
    /// Folder of the KMS: configuration, sealed master secrets, database.
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
}

impl Folder {
    /// The configuration and the database, which need no passphrase.
    async fn open_store(&self) -> Result<(Config, Arc<dyn Store>), Failure> {
        kms::open_store(&self.dir).await.context(self.cannot_open())
    }

    fn cannot_open(&self) -> String {
        format!("cannot open the KMS in {}", self.dir.display())
    }

    /// What its passphrase opens, for people.
    fn secrets(&self) -> String {
        format!("the master secrets in {}", self.dir.display())
    }
}

pub fn run(command: &Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Init(arguments) => init::run(arguments, output),
        Command::Serve(arguments) => serve::run(arguments, output),
        Command::User(command) => user::run(command, output),
        Command::Trk(command) => trk::run(command, output),
        Command::Cert(command) => cert::run(command, output),
        Command::Redirect(command) => redirect::run(command, output),
        Command::Report(command) => report::run(command, output),
        Command::Audit(command) => audit::run(command, output),
        Command::Issue(arguments) => issue::run(arguments, output),
        Command::Backup(arguments) => backup::save(arguments, output),
        Command::Restore(arguments) => backup::restore(arguments, output),
        Command::Status(arguments) => status::run(arguments, output),
        Command::Rollover(arguments) => rollover::run(arguments, output),
        Command::TestToken(arguments) => test_token::run(arguments, output),
    }
}
