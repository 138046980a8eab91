//! Memory and time where many rows leave.

use std::time::Instant;

use slotkeeper::rollout::{Cleanup, Guard, Pace};

use crate::support::files::Folder;
use crate::support::messy;

/// The most memory this process ever had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// `SLOTKEEPER_ROWS` rows, a million unless set, of which all but a tenth leave and come back.
#[tokio::test]
#[ignore = "a campaign of minutes"]
async fn a_million_rows_leave_and_come_back() {
    let rows: i64 =
        std::env::var("SLOTKEEPER_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(1_000_000);
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    let fill = format!(
        "CREATE SCHEMA app; CREATE TABLE app.items (id bigint PRIMARY KEY, code bigint, note text, at timestamptz);
         INSERT INTO app.items SELECT i, i % {}, repeat('x', 100) || i, now() FROM generate_series(1, {rows}) AS i;
         ANALYZE app.items",
        rows / 10
    );
    client.batch_execute(&fill).await.unwrap();
    let guard = Guard::on("app", "items").unique("items_code_key", &["code"]).build().unwrap();
    let before = messy::hash(&client, "app.items").await;
    let path = folder.file("rows");
    let base = peak();
    let started = Instant::now();
    let done = guard.dedupe(&mut client, &Cleanup::dry_run().apply(&path)).await.unwrap();
    let (removing, removed) = (started.elapsed(), peak());
    let started = Instant::now();
    let back = guard.restore(&mut client, &path, &Pace::new()).await.unwrap();
    let restoring = started.elapsed();
    let size = std::fs::metadata(&path).unwrap().len() / 1_048_576;
    println!(
        "{} rows removed in {removing:?}, {} restored in {restoring:?}, artifact {size} MiB",
        done.done, back.restored
    );
    println!("peak memory: {base} KiB before, {removed} KiB after removing, {} KiB at the end", peak());
    assert_eq!((back.restored, back.differing), (done.done, 0));
    assert_eq!(messy::hash(&client, "app.items").await, before);
}
