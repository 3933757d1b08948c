//! Foreign programs that run beside a test.

use std::env;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a program may take until it listens.
const START: Duration = Duration::from_secs(30);

/// Whether these programs are there. They may be missing, with a note; in continuous integration that is a failure.
pub fn have(programs: &[&str]) -> bool {
    programs.iter().all(|program| or_leave_out(find(program).is_some(), program))
}

/// The same for anything else that a test needs.
pub fn or_leave_out(is_there: bool, what: &str) -> bool {
    assert!(is_there || env::var_os("CI").is_none(), "this test cannot run: {what} is missing (tests/run installs it)");
    if !is_there {
        eprintln!("left out: {what} is missing (tests/run installs it)");
    }
    is_there
}

fn find(program: &str) -> Option<PathBuf> {
    // Debian has servers where an ordinary user does not look.
    let folders = env::split_paths(&env::var_os("PATH")?).chain(["/usr/sbin".into()]).collect::<Vec<_>>();
    folders.into_iter().map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// The command that runs a program, which ends when the thread that started it does, whatever becomes of the test.
pub fn command(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).arg(find(program).unwrap_or_else(|| program.into()));
    command
}

/// A program that runs until this is dropped.
pub struct Process {
    pub child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a command; what it prints goes to a file, unless its output is piped.
    pub fn start(command: &mut Command, log: &Path, piped: bool) -> Self {
        let file = File::create(log).unwrap();
        let stdout = if piped { Stdio::piped() } else { file.try_clone().unwrap().into() };
        let stdin = if piped { Stdio::piped() } else { Stdio::null() };
        let child = command.stdin(stdin).stdout(stdout).stderr(file).spawn().unwrap();
        Self { child, log: log.to_owned() }
    }

    /// Waits until it listens.
    pub fn listening(mut self, port: u16) -> Self {
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && began.elapsed() < START, "it does not listen ({ended:?}): {}", self.log());
            sleep(Duration::from_millis(20));
        }
        self
    }

    /// What it has printed so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap()).into_owned()
    }

    /// Sends it a signal, such as `STOP`.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {}", self.child.id())]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody listens at. It is none of those that the system gives to connections.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let of_this_process = u16::try_from(std::process::id() % 100).unwrap() * 100;
    (0..10_000)
        .map(|_| 20_000 + (of_this_process + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .unwrap()
}

/// Where a port of the loopback interface is.
pub fn at(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}
