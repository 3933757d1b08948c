use super::failure::{Context, Failure};
use tokio::runtime::Runtime;

/// What runs sockets and databases for a command.
pub fn start() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the threads of the program")
}
