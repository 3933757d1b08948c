//! A client of the KMS: the program, with a store of its own.

use super::kms::PASSPHRASE;
use crate::cli_support::Program;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub struct Client {
    folder: TempDir,
    user: String,
}

impl Client {
    pub fn new(user: &str) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), user: user.to_owned() }
    }

    /// `client provision`: its report, or else why it failed.
    pub fn provision(&self, url: &str, ca: &Path, token: &str, more: &[&str]) -> Result<Value, String> {
        let token_file = self.folder.path().join("token.jwt");
        fs::write(&token_file, token).unwrap();
        let store = self.store();
        let arguments = ["client", "provision", "--json", "--store", store.to_str().unwrap(), "--kms", url];
        let named = ["--user", &self.user, "--token", token_file.to_str().unwrap(), "--ca", ca.to_str().unwrap()];
        let run = Program::new(&arguments).args(&named).args(more).passphrase(PASSPHRASE).run();
        assert!(!run.stderr.contains(token), "{}", run.stderr);
        let object: Value =
            serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}\n{}", run.stdout, run.stderr));
        match run.code {
            0 => Ok(object),
            _ => Err(object["error"].as_str().unwrap().to_owned()),
        }
    }

    /// The same with the TrK and InK in a folder.
    pub fn provision_with(
        &self,
        url: &str,
        ca: &Path,
        token: &str,
        keys: &Path,
        more: &[&str],
    ) -> Result<Value, String> {
        let (trk, ink) = (keys.join("trk.key"), keys.join("ink.key"));
        let keys = ["--trk", trk.to_str().unwrap(), "--ink", ink.to_str().unwrap()];
        self.provision(url, ca, token, &[&keys, more].concat())
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Every octet of its store.
    pub fn snapshot(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let Ok(files) = fs::read_dir(self.store()) else { return Vec::new() };
        let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }
}
