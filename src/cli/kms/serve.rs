use super::{Folder, operator};
use crate::cli::failure::{Context, Failure};
use crate::cli::output::Output;
use crate::cli::{passphrase, runtime};
use mikey_sakke::kms::{Server, State};
use serde_json::json;
use std::env::VarError;
use std::io::IsTerminal;
use std::net::SocketAddr;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// The variable that chooses what is logged.
const LOG: &str = "MIKEY_SAKKE_LOG";

/// Run the server until it is told to stop (Ctrl-C, SIGTERM).
///
/// SIGHUP makes it take up kms.toml, the TLS certificate and the identity provider's keys anew, without losing a request; if
/// anything is wrong with them it says so and goes on as before.
///
/// Its log goes to standard error; MIKEY_SAKKE_LOG chooses what is in it (error, warn, info, debug). With --json the
/// log is one JSON object a line, and standard output gets one object when the server is ready.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  mikey-sakke kms serve --dir kms --listen 0.0.0.0:8443 --passphrase-file kms.passphrase")]
pub struct Arguments {
    #[command(flatten)]
    folder: Folder,
    /// Address and port, in place of the configured ones; port 0 lets the system choose a port.
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    #[command(flatten)]
    passphrase: passphrase::Source,
}

pub fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    start_log(output.is_json())?;
    let passphrase = arguments.passphrase.read(&arguments.folder.secrets())?;
    runtime::start()?.block_on(async {
        let hang_ups = HangUps::new().context("cannot wait for signals")?;
        let state = State::open(&arguments.folder.dir, &passphrase).await.context(arguments.folder.cannot_open())?;
        drop(passphrase);
        let server =
            Server::bind(&state, arguments.listen, operator::act()).await.context("cannot start the server")?;
        let address = server.address();
        output.line(format_args!("KMS {} serves at https://{address}", state.config.kms_uri));
        output.object(&json!({ "kms_uri": state.config.kms_uri, "address": address.to_string() }))?;
        until_told_to_stop(&server, hang_ups).await.context("cannot wait for a signal to stop")?;
        server.shutdown().await;
        state.store.close().await.context("cannot close the database")
    })
}

fn start_log(json: bool) -> Result<(), Failure> {
    let filter = match std::env::var(LOG) {
        Ok(text) if !text.is_empty() => log_filter(&text)?,
        Ok(_) | Err(VarError::NotPresent) => EnvFilter::new("info"),
        Err(VarError::NotUnicode(_)) => return Err(bad_log("it is not UTF-8")),
    };
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    if json {
        log.json().init();
    } else {
        log.init();
    }
    Ok(())
}

/// A level, or levels of parts of the program, `info,mikey_sakke::kms=debug`. A name alone is refused: the library would log what is of
/// that name, and nothing else.
fn log_filter(text: &str) -> Result<EnvFilter, Failure> {
    let is_complete = |part: &str| part.contains('=') || (!part.is_empty() && part.parse::<LevelFilter>().is_ok());
    match text.split(',').map(str::trim).find(|part| !is_complete(part)) {
        Some(part) => Err(bad_log(&format!("{part:?} is no level"))),
        None => EnvFilter::try_new(text).map_err(|error| bad_log(&error.to_string())),
    }
}

fn bad_log(problem: &str) -> Failure {
    Failure::new(format!("{LOG} cannot be followed: {problem}")).advise(
        "Write off, error, warn, info, debug or trace, or levels of parts, such as info,mikey_sakke::kms=debug.",
    )
}

/// Takes the configuration up anew at each hang-up.
async fn until_told_to_stop(server: &Server, mut hang_ups: HangUps) -> std::io::Result<()> {
    let stop = runtime::told_to_stop();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            told = &mut stop => return told,
            () = hang_ups.next() => {
                if let Err(error) = server.reload(operator::act()).await {
                    tracing::error!(%error, "nothing was taken up anew: the server goes on as before");
                }
            }
        }
    }
}

/// SIGHUP, which from now on does not end the program.
struct HangUps(#[cfg(unix)] tokio::signal::unix::Signal);

impl HangUps {
    #[cfg(unix)]
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self(signal(SignalKind::hangup())?))
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending().await
        }
    }

    #[cfg(not(unix))]
    fn new() -> std::io::Result<Self> {
        Ok(Self())
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        std::future::pending().await
    }
}
