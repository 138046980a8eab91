//! Versions of rows that only an old snapshot sees.

use std::time::Duration;

use slotkeeper::migrate::OpsError;
use slotkeeper::rollout::{Cleanup, Pace, Up};

use crate::support::{files, messy, visits};

/// Before its quarantine the row had its bounds the wrong way round, and that version is still read when the exclusion
/// is built, for as long as somebody may see it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reversed_window_out_of_the_way_does_not_stop_the_exclusion_for_longer_than_a_snapshot_sees_it() {
    let database = kit::empty_database().await.unwrap();
    let mut client = database.client().await.unwrap();
    visits::create(&client).await;
    let row = format!(
        "INSERT INTO app.tables VALUES ('{0}', 1);
         INSERT INTO app.visits (id, restaurant_id, table_id, starts_at, ends_at)
         VALUES (1, '{0}', 1, '2030-01-02', '2030-01-01')",
        visits::TENANT_A
    );
    client.batch_execute(&row).await.unwrap();
    let guard = visits::guard().build().unwrap();
    let old = database.client().await.unwrap();
    old.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1").await.unwrap();
    let folder = files::Folder::new();
    guard.quarantine(&mut client, &Cleanup::dry_run().apply(folder.file("marks.jsonl"))).await.unwrap();

    let short =
        Pace::new().lock_timeout(Duration::from_millis(50)).pause(Duration::from_millis(50)).attempts(3);
    let refused = guard.up(&mut client, &Up::new().pace(short)).await.unwrap_err();
    assert!(matches!(refused, OpsError::Contended { .. }), "no row is wrong any more: {refused:?}");

    let waiting = tokio::spawn(async move {
        let done = guard.up(&mut client, &Up::new()).await;
        (client, done)
    });
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(!waiting.is_finished(), "the old snapshot is still there");
    old.batch_execute("COMMIT").await.unwrap();
    let (client, done) = waiting.await.unwrap();
    assert!(done.unwrap().changed());
    assert_eq!(messy::marked(&client).await, [1]);
}
