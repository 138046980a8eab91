//! What cannot succeed fails first and clearly: no key, no rights, no writing, no room on the disk.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use slotkeeper::migrate::OpsError;
use slotkeeper::rollout::{ArtifactError, Cleanup, Guard};
use tokio_postgres::NoTls;

use crate::support::files::Folder;
use crate::support::{child, messy, visits};

#[tokio::test]
async fn a_table_without_primary_key_is_left_alone() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    visits::create(&client).await;
    client.batch_execute("ALTER TABLE app.visits DROP CONSTRAINT visits_pkey").await.unwrap();
    let guard = visits::guard().build().unwrap();
    let apply = Cleanup::dry_run().apply(folder.file("rows"));
    let no_key = OpsError::NoPrimaryKey { table: "app.visits".into() };
    assert_eq!(guard.quarantine(&mut client, &apply).await.unwrap_err(), no_key);
    assert_eq!(guard.dedupe(&mut client, &apply).await.unwrap_err(), no_key);
    assert_eq!(guard.dedupe(&mut client, &Cleanup::dry_run()).await.unwrap_err(), no_key);
    let missing = Guard::on("app", "nothing").unique("k", &["id"]).build().unwrap();
    let error = missing.dedupe(&mut client, &apply).await.unwrap_err();
    assert_eq!(error, OpsError::MissingTable { table: "app.nothing".into() });
    assert!(folder.names().is_empty());
}

#[tokio::test]
async fn a_role_without_rights_and_a_session_that_may_not_write_are_told_before_a_file_is_written() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    visits::create(&client).await;
    messy::fill(&client, 300).await;
    let guard = visits::guard().build().unwrap();
    let before = messy::hash(&client, "app.visits").await;
    let apply = Cleanup::dry_run().apply(folder.file("rows"));

    let config = database.stranger().await.unwrap();
    let (mut stranger, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    let role = config.get_user().unwrap();
    for grant in [
        "SELECT 1".to_owned(),
        format!("GRANT USAGE ON SCHEMA app TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA app TO {role}"),
        // It may mark rows, but the column is not there and not its to add.
        format!("GRANT UPDATE ON app.visits TO {role}"),
    ] {
        client.batch_execute(&grant).await.unwrap();
        let error = guard.quarantine(&mut stranger, &apply).await.unwrap_err();
        assert_eq!(error, OpsError::PermissionDenied, "{grant}");
        let error = guard.dedupe(&mut stranger, &apply).await.unwrap_err();
        assert_eq!(error, OpsError::PermissionDenied, "{grant}");
    }
    assert!(
        guard.quarantine(&mut stranger, &Cleanup::dry_run()).await.unwrap().found > 0,
        "SELECT is enough to look"
    );
    // Rows that a policy hides must not look like none.
    client.batch_execute("ALTER TABLE app.visits ENABLE ROW LEVEL SECURITY").await.unwrap();
    let error = guard.quarantine(&mut stranger, &Cleanup::dry_run()).await.unwrap_err();
    assert_eq!(error, OpsError::PermissionDenied);

    client.batch_execute("SET default_transaction_read_only = on").await.unwrap();
    assert!(guard.dedupe(&mut client, &Cleanup::dry_run()).await.unwrap().found > 0);
    assert_eq!(guard.dedupe(&mut client, &apply).await.unwrap_err(), OpsError::ReadOnlyServer);
    assert_eq!(guard.quarantine(&mut client, &apply).await.unwrap_err(), OpsError::ReadOnlyServer);
    assert_eq!(messy::hash(&client, "app.visits").await, before);
    assert!(folder.names().is_empty());
}

#[tokio::test]
async fn the_artifact_is_its_owners_only() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    visits::create(&client).await;
    messy::fill(&client, 100).await;
    let guard = visits::guard().build().unwrap();
    guard.quarantine(&mut client, &Cleanup::dry_run().apply(folder.file("rows"))).await.unwrap();
    let mode = std::fs::metadata(folder.file("rows")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// The server's disk has room, ours has not: a process that may write no file larger than 16 KiB.
#[tokio::test]
async fn no_room_for_the_artifact_is_an_error_before_any_change() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let client = database.client().await.unwrap();
    visits::create(&client).await;
    messy::fill(&client, 2000).await;
    let before = messy::hash(&client, "app.visits").await;
    // The signal is ignored, so that writing fails instead of the process.
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 32; exec \"$@\"", "sh"]);
    let said = child::run(shell, &database.config(), "quarantine", &folder.file("rows"));
    assert!(said.contains("failed: the artifact"), "{said}");
    assert!(said.contains("file too large"), "{said}");
    assert!(folder.names().is_empty(), "not even a part is left: {:?}", folder.names());
    assert_eq!(messy::hash(&client, "app.visits").await, before);
    assert_eq!(messy::marked(&client).await, [0_i64; 0]);
    // With room, the same process does it.
    let said = child::run(Command::new("env"), &database.config(), "quarantine", &folder.file("rows"));
    assert!(said.contains("done: "), "{said}");
    assert!(!messy::marked(&client).await.is_empty());
}

/// A real full disk, where the machine lets us have one.
#[tokio::test]
async fn a_full_disk_is_told_as_such() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let mount =
        Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(folder.path()).output();
    if !mount.is_ok_and(|done| done.status.success()) {
        println!("no tmpfs to be had: only the limit on a file's size was tried");
        return;
    }
    let mut client = database.client().await.unwrap();
    visits::create(&client).await;
    messy::fill(&client, 3000).await;
    let before = messy::hash(&client, "app.visits").await;
    let guard = visits::guard().build().unwrap();
    let apply = Cleanup::dry_run().apply(folder.file("rows"));
    let error = guard.quarantine(&mut client, &apply).await.unwrap_err();
    let names = folder.names();
    assert!(Command::new("umount").arg(folder.path()).status().unwrap().success());
    let full = ArtifactError::Io { path: folder.file("rows"), kind: std::io::ErrorKind::StorageFull };
    assert_eq!(error, OpsError::Artifact(full));
    assert!(names.is_empty(), "{names:?}");
    assert_eq!(messy::hash(&client, "app.visits").await, before);
}
