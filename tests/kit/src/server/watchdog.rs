//! What outlives us to clean up after us.
//!
//! A static is never dropped, a killed process runs nothing at all. So a shell holds the read end of a pipe whose only
//! other end is ours: however this process ends, the kernel closes it, and the shell stops the server and removes the
//! folder. The orderly end is the same road, taken by closing the pipe by hand: there is no second one to keep right.

use std::{
    io::Write,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
};

use crate::Error;

/// The last number read is the process to stop. Whether it is gone is told by its file, not by `kill -0`, which a zombie
/// answers where nobody reaps. The folder is removed until it stays so: a starting server still writes to it.
const SCRIPT: &str = r#"
trap '' HUP INT TERM QUIT
pid=
while read -r line; do pid=$line; done
if [ -n "$pid" ]; then
    kill -QUIT "$pid"
    i=0
    while [ -e "$1/data/postmaster.pid" ] && [ $i -lt 200 ]; do i=$((i+1)); sleep 0.05; done
    if [ -e "$1/data/postmaster.pid" ]; then kill -KILL "$pid"; fi
fi
i=0
while [ $i -lt 100 ]; do
    rm -rf "$1" && [ ! -e "$1" ] && exit
    i=$((i+1)); sleep 0.1
done
"#;

/// Watches over one folder and at most one process at a time.
#[derive(Debug)]
pub(super) struct Watchdog {
    shell: Child,
    pipe: Option<ChildStdin>,
}

impl Watchdog {
    /// Over an existing folder, before anything runs in it.
    pub(super) fn over(folder: &Path) -> Result<Self, Error> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT, "kit-watchdog"]).arg(folder).current_dir("/");
        // A group of its own: a Ctrl-C for the tests must not reach it.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let mut shell = command.spawn().map_err(Error::on("start the watchdog"))?;
        let pipe = shell.stdin.take();
        Ok(Self { shell, pipe })
    }

    /// From now on this process is the one to stop; none while `pid` is.
    pub(super) fn watch(&mut self, pid: Option<u32>) -> Result<(), Error> {
        let pid = pid.map_or_else(String::new, |pid| pid.to_string());
        let Some(pipe) = &mut self.pipe else { return Ok(()) };
        writeln!(pipe, "{pid}").map_err(Error::on("tell the watchdog"))
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.pipe.take());
        let _ = self.shell.wait();
    }
}
