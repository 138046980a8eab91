//! No process and no folder is left behind, however a process ends. Each test first sees that there was something.

use std::{fs, process::Stdio, time::Duration};

use kit::{Server, Settings};

use crate::child::{Running, command, is_alive, within};

fn child(what: &str) -> Running {
    let child = Running::start(&mut command(what));
    assert!(child.is_served(), "negative control: the server lives while its process does");
    child
}

#[test]
fn a_process_that_ends_leaves_nothing() {
    let mut child = child("return");
    assert!(child.finish().success());
    assert!(child.is_all_gone());
}

#[test]
fn a_process_that_leaks_its_handles_and_exits_leaves_nothing() {
    let mut child = child("leak");
    assert!(child.finish().success());
    assert!(child.is_all_gone());
}

#[test]
fn a_process_that_panics_leaves_nothing() {
    let mut child = child("panic");
    assert!(!child.finish().success());
    assert!(child.is_all_gone());
}

#[test]
fn a_process_that_aborts_leaves_nothing() {
    let mut child = child("abort");
    assert!(!child.finish().success());
    assert!(child.is_all_gone());
}

#[test]
fn a_process_that_is_killed_leaves_nothing() {
    let mut child = child("wait");
    child.process.kill().unwrap(); // SIGKILL: nothing of its own runs after this
    child.process.wait().unwrap();
    assert!(child.is_all_gone());
}

#[test]
fn a_process_that_is_killed_while_its_server_starts_leaves_nothing() {
    let mut child = command("wait").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let prefix = format!("slotkeeper-pg-{}-", child.id());
    let folder = || {
        let entries = fs::read_dir(std::env::temp_dir()).unwrap().flatten();
        entries.map(|entry| entry.path()).find(|path| path.to_string_lossy().contains(&prefix))
    };
    let initialising = || folder().is_some_and(|folder| folder.join("data/PG_VERSION").exists());
    assert!(within(Duration::from_secs(10), initialising), "negative control: it is being made");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(within(Duration::from_secs(15), || folder().is_none()));
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(folder(), None, "nor does what was starting make it again");
}

#[tokio::test]
async fn a_server_ends_with_its_last_handle_and_a_database_is_a_handle() {
    let server = Server::start(Settings::Test).await.unwrap();
    let (Some(folder), Some(pid)) = (server.socket_dir().map(ToOwned::to_owned), server.pid()) else {
        return;
    };
    let database = server.database().await.unwrap();
    drop(server);
    assert!(folder.exists() && is_alive(pid));
    database.client().await.unwrap().simple_query("SELECT 1").await.unwrap();
    drop(database);
    assert!(within(Duration::from_secs(10), || !folder.exists() && !is_alive(pid)));
}
