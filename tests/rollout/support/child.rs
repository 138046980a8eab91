//! A process of its own that clears or restores: this very binary, told to run [`job`] only.

use std::path::Path;
use std::process::{Command, Stdio};

use slotkeeper::rollout::{Cleanup, Guard, Pace};
use tokio_postgres::config::Host;
use tokio_postgres::{Config, NoTls};

use super::visits;

const WHERE: &str = "SLOTKEEPER_CHILD_DATABASE";
const WHAT: &str = "SLOTKEEPER_CHILD_WORK";
const FILE: &str = "SLOTKEEPER_CHILD_FILE";

/// The process, not started; `wrapper` is put in front of it.
pub fn command(mut wrapper: Command, config: &Config, work: &str, file: &Path) -> Command {
    let host = match &config.get_hosts()[0] {
        Host::Tcp(name) => name.clone(),
        Host::Unix(path) => path.display().to_string(),
    };
    let mut connect = format!("host='{host}' dbname='{}'", config.get_dbname().unwrap());
    if let Some(port) = config.get_ports().first() {
        connect += &format!(" port={port}");
    }
    if let Some(user) = config.get_user() {
        connect += &format!(" user='{user}'");
    }
    if let Some(password) = config.get_password() {
        connect += &format!(" password='{}'", String::from_utf8_lossy(password));
    }
    wrapper
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", "support::child::job"])
        .envs([(WHERE, connect.as_str()), (WHAT, work)])
        .env(FILE, file)
        .stdin(Stdio::null());
    wrapper
}

/// Runs it to its end; what it printed.
pub fn run(wrapper: Command, config: &Config, work: &str, file: &Path) -> String {
    let output = command(wrapper, config, work, file).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Small batches, so that there are many moments between two.
fn pace() -> Pace {
    Pace::new().batch(20)
}

#[tokio::test]
#[ignore = "a process of other tests, not a test"]
async fn job() {
    let (Ok(connect), Ok(work), Some(file)) =
        (std::env::var(WHERE), std::env::var(WHAT), std::env::var_os(FILE))
    else {
        return;
    };
    let (mut client, connection) = connect.parse::<Config>().unwrap().connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    let guard: Guard = visits::guard().build().unwrap();
    let file = Path::new(&file);
    let said = match work.as_str() {
        "quarantine" => {
            let apply = Cleanup::dry_run().apply(file).pace(pace());
            guard.quarantine(&mut client, &apply).await.map(|done| done.to_string())
        }
        "dedupe" => {
            let apply = Cleanup::dry_run().apply(file).pace(pace());
            guard.dedupe(&mut client, &apply).await.map(|done| done.to_string())
        }
        _ => guard.restore(&mut client, file, &pace()).await.map(|done| done.to_string()),
    };
    match said {
        Ok(said) => println!("done: {said}"),
        Err(error) => println!("failed: {error}"),
    }
}
