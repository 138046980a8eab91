//! A child process that uses the kit, and how to see whether what it started is still there.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

/// None of the variables that decide where the server comes from.
pub(crate) fn command(what: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kit_child"));
    command.arg(what).env("RUST_BACKTRACE", "0");
    for name in ["DATABASE_URL", "PG_BIN", "KIT_SKIP_LOCAL", "NO_DOWNLOAD"] {
        command.env_remove(name);
    }
    command
}

/// Runs to its end without waiting for anybody.
pub(crate) fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

/// A child whose server is up; it goes on when told.
pub(crate) struct Running {
    pub(crate) process: Child,
    pub(crate) folder: PathBuf,
    pub(crate) server: u32,
    pub(crate) database: String,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut line = || lines.next().expect("the child got no server").unwrap();
        let (folder, server) = (line().into(), line().parse().unwrap());
        let _version = line();
        Self { process, folder, server, database: line() }
    }

    pub(crate) fn is_served(&self) -> bool {
        self.folder.join("data").is_dir() && is_alive(self.server)
    }

    pub(crate) fn finish(&mut self) -> ExitStatus {
        self.process.stdin.take().unwrap().write_all(b"\n").unwrap();
        self.process.wait().unwrap()
    }

    /// Within ten seconds: an immediate stop takes far less, but the machine may be busy.
    pub(crate) fn is_all_gone(&self) -> bool {
        within(Duration::from_secs(10), || !self.folder.exists() && !is_alive(self.server))
    }
}

pub(crate) fn within(limit: Duration, is_so: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    while !is_so() {
        if begun.elapsed() > limit {
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
    true
}

/// A zombie is dead: nobody may be there to reap what lost its parent.
pub(crate) fn is_alive(pid: u32) -> bool {
    if Path::new("/proc/self/stat").exists() {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        return stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"));
    }
    Command::new("kill").args(["-0", &pid.to_string()]).stderr(Stdio::null()).status().unwrap().success()
}
