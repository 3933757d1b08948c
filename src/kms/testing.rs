use tempfile::TempDir;

/// An empty folder. Whatever the umask of who runs the tests, what they make is not to be written by others: a KMS refuses that.
pub(super) fn folder() -> TempDir {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    tempfile::tempdir().unwrap()
}
