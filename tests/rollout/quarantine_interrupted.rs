//! Quarantine among others: rows they change, rows they hold, runs at once, runs cut short.

use std::time::{Duration, Instant};

use slotkeeper::migrate::OpsError;
use slotkeeper::rollout::{Cleanup, Pace, RowKey};

use crate::support::files::Folder;
use crate::support::messy;
use crate::support::visits;

fn quick() -> Pace {
    Pace::new().batch(50).attempts(3).pause(Duration::from_millis(20))
}

#[tokio::test]
async fn a_row_changed_since_it_was_found_is_left_alone_and_counted() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    visits::create(&client).await;
    messy::fill(&client, 500).await;
    let guard = visits::guard().build().unwrap();
    let path = folder.file("rows");
    let apply = Cleanup::dry_run().apply(&path);
    let done = guard.quarantine(&mut client, &apply).await.unwrap();
    let ids = messy::marked(&client).await;
    guard.restore(&mut client, &path, &quick()).await.unwrap();
    let (changed, deleted) = (ids[0], ids[1]);
    let sql = format!(
        "UPDATE app.visits SET party = party + 1 WHERE id = {changed}; DELETE FROM app.visits WHERE id = {deleted}"
    );
    client.batch_execute(&sql).await.unwrap();
    let again = guard.quarantine(&mut client, &apply).await.unwrap();
    assert_eq!((again.done, again.changed_since, again.gone), (done.done - 2, 1, 1));
    assert_eq!(again.changed, [RowKey(vec![changed.to_string()])]);
    assert_eq!(messy::marked(&client).await, ids[2..]);
}

#[tokio::test]
async fn a_row_that_another_session_holds_is_come_back_to_and_holds_nobody_up() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    visits::create(&client).await;
    messy::fill(&client, 500).await;
    let guard = visits::guard().build().unwrap();
    let loser: i64 = {
        let dry = guard.quarantine(&mut client, &Cleanup::dry_run()).await.unwrap();
        dry.rules[0].samples[0].0[0].parse().unwrap()
    };
    // The column is there, so that the holder is not in the way of adding it.
    client
        .batch_execute("ALTER TABLE app.visits ADD slotkeeper_shadow boolean NOT NULL DEFAULT false")
        .await
        .unwrap();
    let holder = database.client().await.unwrap();
    let hold = format!("BEGIN; SELECT FROM app.visits WHERE id = {loser} FOR UPDATE");
    holder.batch_execute(&hold).await.unwrap();
    let apply = Cleanup::dry_run().apply(folder.file("rows")).pace(quick());
    let error = guard.quarantine(&mut client, &apply).await.unwrap_err();
    assert_eq!(error, OpsError::Contended { attempts: 3 });
    let marked = messy::marked(&client).await;
    assert!(!marked.is_empty() && !marked.contains(&loser), "the others of its batch are done");
    // Released while a run waits.
    let patient = Cleanup::dry_run().apply(folder.file("rows")).pace(quick().attempts(200));
    let release = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        holder.batch_execute("COMMIT").await.unwrap();
    };
    let (done, ()) = tokio::join!(guard.quarantine(&mut client, &patient), release);
    let done = done.unwrap();
    assert!(done.resumed && done.done > 0);
    assert!(messy::marked(&client).await.contains(&loser));
}

#[tokio::test]
async fn of_two_runs_at_once_the_second_is_refused() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let (mut client, mut second) = (database.client().await.unwrap(), database.client().await.unwrap());
    visits::create(&client).await;
    messy::fill(&client, 300).await;
    let guard = visits::guard().build().unwrap();
    let holder = database.client().await.unwrap();
    holder.batch_execute("BEGIN; LOCK TABLE app.visits IN SHARE MODE").await.unwrap();
    let slow = Cleanup::dry_run().apply(folder.file("one")).pace(quick().attempts(1000));
    let hasty = Cleanup::dry_run()
        .apply(folder.file("two"))
        .pace(quick().attempts(1).lock_timeout(Duration::from_millis(50)));
    let both = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let refused = guard.quarantine(&mut second, &hasty).await;
        holder.batch_execute("COMMIT").await.unwrap();
        refused
    };
    let (first, refused) = tokio::join!(guard.quarantine(&mut client, &slow), both);
    assert!(matches!(refused, Err(OpsError::RolloutRunning { .. })), "{refused:?}");
    assert!(first.unwrap().done > 0);
    assert_eq!(folder.names(), ["one"]);
    // The first gave its lock back.
    guard.quarantine(&mut second, &hasty).await.unwrap();
}

#[tokio::test]
async fn what_a_killed_run_left_half_written_is_started_over() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    visits::create(&client).await;
    messy::fill(&client, 300).await;
    std::fs::write(folder.file("rows.part"), "{\"format\":").unwrap();
    let guard = visits::guard().build().unwrap();
    let apply = Cleanup::dry_run().apply(folder.file("rows"));
    let done = guard.quarantine(&mut client, &apply).await.unwrap();
    assert!(!done.resumed && done.done > 0);
    assert_eq!(folder.names(), ["rows"]);
}

#[tokio::test]
async fn a_call_that_is_dropped_leaves_whole_batches_and_its_connection_fit_for_the_next() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    visits::create(&client).await;
    messy::fill(&client, 400).await;
    let guard = visits::guard().build().unwrap();
    let path = folder.file("rows");
    let apply = Cleanup::dry_run().apply(&path).pace(quick().batch(5));
    let started = Instant::now();
    let found = guard.quarantine(&mut client, &apply).await.unwrap().found;
    let mut length = started.elapsed();
    guard.restore(&mut client, &path, &quick()).await.unwrap();
    std::fs::remove_file(&path).unwrap();
    let (mut dropped, mut midway) = (0, 0);
    // Fractions of what an undisturbed call takes, from 1/8 to 9/8; it takes longer where others are at work.
    for round in 0..9 {
        let patience = length.mul_f64((1.0 + f64::from(round)) / 8.0);
        let started = Instant::now();
        let call = tokio::time::timeout(patience, guard.quarantine(&mut client, &apply)).await;
        dropped += u32::from(call.is_err());
        if call.is_ok() {
            length = started.elapsed();
        }
        let marked = messy::marked(&client).await.len() as u64;
        midway += u32::from(marked > 0 && marked < found);
        assert!(marked == found || marked % 5 == 0, "a batch was torn: {marked}");
        assert!(marked == 0 || path.exists());
        let done = guard.quarantine(&mut client, &apply).await.unwrap();
        assert_eq!(done.already + done.done, found);
        assert!(done.already >= marked);
        let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()";
        assert_eq!(messy::count(&client, locks).await, 0);
        guard.restore(&mut client, &path, &quick()).await.unwrap();
        std::fs::remove_file(&path).unwrap();
    }
    assert!(dropped > 3 && midway > 0, "{dropped} dropped, {midway} of them midway");
}
