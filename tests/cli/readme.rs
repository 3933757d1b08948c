//! The tour of README.md, command by command as it is written there.

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_mikey-sakke");
/// Where the server of the tour listens; the test takes a free port in its place.
const ADDRESS: &str = "127.0.0.1:8443";

#[test]
fn every_command_of_the_tour_works_as_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = None;
    let mut ran = Vec::new();
    for command in tour() {
        if command.contains(" kms serve ") {
            server = Some(Server::start(folder.path(), &command));
            continue;
        }
        let mut line = command.clone();
        if let Some(server) = &server {
            line = line.replace(ADDRESS, &server.address);
        }
        if line.ends_with(" speed") {
            line.push_str(" --seconds 0.01");
        }
        let output = shell(folder.path(), &line).output().unwrap();
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{command}\n{stdout}\n{stderr}");
        ran.push((command, stdout.into_owned()));
    }
    assert!(server.is_some(), "the tour runs a KMS");
    for (part, result) in [
        (" uid ", "3a81fb14c3b1d0fe43c9c577104d55a6d81788bfd2f09743c4557746a5a0353b"),
        (" accept ", "master key"),
        (" inspect call.mikey", "SAKKE"),
        ("--as sip:bob@example.org", "signature valid"),
    ] {
        let outputs: Vec<_> = ran.iter().filter(|(command, _)| command.contains(part)).map(|(_, out)| out).collect();
        assert!(outputs.iter().any(|output| output.contains(result)), "{part}: {outputs:?}");
    }
}

/// The commands in the code blocks of the tour.
fn tour() -> Vec<String> {
    let readme = include_str!("../../README.md");
    let (_, tour) = readme.split_once("## A tour").unwrap();
    let (tour, _) = tour.split_once("\n## ").unwrap();
    let blocks = tour.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    let commands: Vec<String> = blocks.flat_map(str::lines).map(str::to_owned).collect();
    assert!(commands.iter().all(|command| command.starts_with("mikey-sakke ")), "{commands:?}");
    commands
}

fn shell(folder: &Path, line: &str) -> Command {
    let programs = Path::new(PROGRAM).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let mut command = Command::new("sh");
    command
        .args(["-c", line])
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", programs.display()))
        .env("MIKEY_SAKKE_PASSPHRASE", "a passphrase for the tour")
        .stdin(Stdio::null());
    command
}

/// The server of the tour, until it is dropped.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(folder: &Path, command: &str) -> Self {
        let line = format!("exec {command} --json --listen 127.0.0.1:0");
        let mut child = shell(folder, &line).env("MIKEY_SAKKE_LOG", "warn").stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let ready: Value = serde_json::from_str(&ready).unwrap();
        Self { child, address: ready["address"].as_str().unwrap().to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
