//! `kms serve` in a process of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

/// A running server, which ends by SIGKILL when this is dropped.
pub struct Process {
    pub child: Child,
    pub address: String,
    log: BufReader<ChildStderr>,
}

impl Process {
    /// Starts it, and waits until it serves. It logs what is of this level or graver.
    pub fn start(folder: &Path, level: &str) -> Self {
        Self::start_where(folder, level, &[])
    }

    /// The same with these variables in its environment.
    pub fn start_where(folder: &Path, level: &str, variables: &[(&str, &str)]) -> Self {
        // A signal that a shell ignores is ignored by what it turns into: a file that may not grow is then an error of the system.
        let mut child = Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_mikey-sakke")])
            .args(["kms", "serve", "--json", "--listen", "127.0.0.1:0", "--dir"])
            .arg(folder)
            .env("MIKEY_SAKKE_PASSPHRASE", "a passphrase")
            .env("MIKEY_SAKKE_LOG", level)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let started: serde_json::Value = serde_json::from_str(&line).expect("the server started");
        let log = BufReader::new(child.stderr.take().unwrap());
        Self { address: started["address"].as_str().unwrap().to_owned(), child, log }
    }

    pub fn url(&self, resource: &str) -> String {
        format!("https://{}{}/{resource}", self.address, super::ROOT)
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for a line of the log that has this text.
    pub fn wait_for_log(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.log.read_line(&mut line).unwrap() > 0, "it never said {text:?}");
            if line.contains(text) {
                return line;
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
