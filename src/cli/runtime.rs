use super::failure::{Context, Failure};
use tokio::runtime::Runtime;

/// What runs sockets and databases for a command.
pub fn start() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the threads of the program")
}

/// Returns at Ctrl-C or SIGTERM.
#[cfg(unix)]
pub async fn told_to_stop() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

/// Returns at Ctrl-C.
#[cfg(not(unix))]
pub async fn told_to_stop() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
