//! A server of our own: initialised, started, and gone when we are.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tokio_postgres::Config;

use super::{
    Settings,
    account::{self, Account},
    find::set,
    folder,
    watchdog::Watchdog,
};
use crate::Error;

/// Half a second if the machine is idle; much longer under a tool that watches every instruction.
const START_WITHIN: Duration = Duration::from_secs(120);

#[derive(Debug)]
pub(super) struct Postmaster {
    folder: PathBuf,
    process: Child,
    watchdog: Option<Watchdog>,
}

impl Postmaster {
    /// Blocks until it takes connections: half a second if the machine is idle.
    pub(super) fn start(bin: &Path, settings: Settings) -> Result<Self, Error> {
        let account = account::service();
        let folder = folder::make(account.as_ref())?;
        let watchdog = Watchdog::over(&folder).inspect_err(|_| drop(fs::remove_dir(&folder)))?;
        // From here on the watchdog removes the folder, on every way out.
        let mut starting = Starting { bin, folder, account, watchdog };
        starting.initialise()?;
        let mut process = starting.spawn(settings)?;
        match starting.watchdog.watch(Some(process.id())).and_then(|()| starting.wait(&mut process)) {
            Ok(()) => Ok(Self { folder: starting.folder, process, watchdog: Some(starting.watchdog) }),
            Err(error) => {
                drop(starting);
                let _ = process.wait();
                Err(error)
            }
        }
    }

    pub(super) fn config(&self) -> Config {
        let mut config = Config::new();
        config.host_path(&self.folder).user("postgres").dbname("postgres");
        config
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        drop(self.watchdog.take());
        let _ = self.process.wait();
    }
}

struct Starting<'a> {
    bin: &'a Path,
    folder: PathBuf,
    account: Option<Account>,
    watchdog: Watchdog,
}

impl Starting<'_> {
    fn initialise(&mut self) -> Result<(), Error> {
        let mut initdb = self.command("initdb");
        initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "-D", "data"]);
        let initdb = initdb.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let initdb = initdb.map_err(Error::on(format!("run initdb in {}", self.bin.display())))?;
        self.watchdog.watch(Some(initdb.id()))?;
        let out = initdb.wait_with_output().map_err(Error::on("wait for initdb"))?;
        self.watchdog.watch(None)?;
        if out.status.success() {
            return Ok(());
        }
        let as_whom = self.account.as_ref().map_or(String::new(), |account| format!(" as {}", account.name));
        let said = String::from_utf8_lossy(&out.stderr);
        Err(Error::new(format!("initdb in {} failed{as_whom}: {}", self.bin.display(), said.trim())))
    }

    fn spawn(&self, settings: Settings) -> Result<Child, Error> {
        // A file, never a pipe: tests provoke errors, and a pipe nobody reads fills up and stops the server.
        let log = File::create(self.log()).map_err(Error::on("make the server's log"))?;
        let errors = log.try_clone().map_err(Error::on("make the server's log"))?;
        let mut postgres = self.server();
        postgres.args(["-D", "data"]);
        for flag in Settings::COMMON.iter().chain(settings.flags()) {
            postgres.args(["-c", flag]);
        }
        let mut socket = OsString::from("unix_socket_directories=\"");
        socket.push(&self.folder);
        socket.push("\"");
        postgres.arg("-c").arg(socket).stdout(log).stderr(errors);
        postgres.spawn().map_err(Error::on("start postgres"))
    }

    /// Ready is what the server writes on line 8 of its own file: no connecting in a loop, no further program.
    fn wait(&self, process: &mut Child) -> Result<(), Error> {
        let begun = Instant::now();
        let ready = || {
            let file = fs::read_to_string(self.folder.join("data/postmaster.pid"));
            file.is_ok_and(|text| text.lines().nth(7).is_some_and(|status| status.trim() == "ready"))
        };
        while !ready() {
            let ended = process.try_wait().map_err(Error::on("wait for postgres"))?;
            if ended.is_some() || begun.elapsed() > START_WITHIN {
                let log = fs::read_to_string(self.log()).unwrap_or_default();
                return Err(Error::new(format!("postgres did not start: {}", log.trim())));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// `postgres`, under the command that `KIT_UNDER` names, if any.
    fn server(&self) -> Command {
        let under = set("KIT_UNDER").unwrap_or_default();
        let mut words = under.split_whitespace();
        let Some(program) = words.next() else { return self.command("postgres") };
        let mut command = self.command(program);
        command.args(words).arg(self.bin.join("postgres"));
        command
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// As the service account, in our folder, and deaf to the caller's own PostgreSQL variables. A program that is not
    /// PostgreSQL's is looked for on the path.
    fn command(&self, program: &str) -> Command {
        use std::os::unix::process::CommandExt;
        let ours = self.bin.join(program);
        let mut command = Command::new(if ours.is_file() { ours } else { program.into() });
        command.current_dir(&self.folder).stdin(Stdio::null()).process_group(0);
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C").env("TZ", "UTC");
        account::assume(&mut command, self.account.as_ref());
        command
    }
}
