//! Others who use the table.

use std::time::Duration;

use crate::support::visits;
use slotkeeper::rollout::{Activity, Obstacle, PreflightOptions};

#[tokio::test]
async fn a_long_transaction_is_told_with_its_locks_and_a_short_one_is_not() {
    let database = kit::empty_database().await.unwrap();
    let mut client = database.client().await.unwrap();
    visits::create(&client).await;
    let guard = visits::guard().build().unwrap();
    let (reader, idle) = (database.client().await.unwrap(), database.client().await.unwrap());
    reader.batch_execute("BEGIN; SELECT * FROM app.visits").await.unwrap();
    idle.batch_execute("BEGIN; SELECT 1").await.unwrap();
    let preflight = guard.preflight(&mut client).await.unwrap();
    assert_eq!(preflight.sessions, [], "a minute has not passed");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let options = PreflightOptions::new().long_transaction(Duration::from_secs(1));
    let preflight = guard.preflight_with(&mut client, options).await.unwrap();
    let [first, second] = preflight.sessions.as_slice() else { panic!("{preflight}") };
    assert_eq!(
        (first.work, first.seconds, second.work),
        (Activity::Transaction, Some(1), Activity::Transaction)
    );
    let locks: Vec<_> =
        first.locks.iter().map(|lock| (lock.table.as_str(), lock.mode.as_str(), lock.granted)).collect();
    assert_eq!(locks, [("app.visits", "AccessShareLock", true)]);
    assert_eq!(second.locks, []);
    // They are worth knowing, and in nobody's way for good.
    assert!(preflight.is_clean(), "{preflight}");
    let pid: i32 = reader.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    assert_eq!(first.pid, Some(pid));
    let page = preflight.to_string();
    let line = format!("session: pid {pid}: transaction, open for 1 s, holds AccessShareLock on app.visits");
    assert!(page.lines().any(|found| found == line), "{page}");
}

#[tokio::test]
async fn a_change_of_the_table_is_told_however_short_it_is() {
    let database = kit::empty_database().await.unwrap();
    let mut client = database.client().await.unwrap();
    visits::create(&client).await;
    let guard = visits::guard().build().unwrap();
    let other = database.client().await.unwrap();
    other.batch_execute("BEGIN; CREATE INDEX i ON app.visits (number)").await.unwrap();
    let preflight = guard.preflight(&mut client).await.unwrap();
    let [session] = preflight.sessions.as_slice() else { panic!("{preflight}") };
    assert_eq!(session.work, Activity::Change);
    assert!(session.locks.iter().any(|lock| lock.mode == "ShareLock" && lock.granted), "{preflight}");
    other.batch_execute("ROLLBACK").await.unwrap();
    let preflight = guard.preflight(&mut client).await.unwrap();
    assert_eq!(preflight.sessions, []);
}

#[tokio::test]
async fn an_index_that_is_being_built_is_told_as_that() {
    let database = kit::empty_database().await.unwrap();
    let mut client = database.client().await.unwrap();
    visits::create(&client).await;
    let (writer, builder) = (database.client().await.unwrap(), database.client().await.unwrap());
    // Building concurrently waits for whoever has written.
    writer.batch_execute("BEGIN; UPDATE app.visits SET party = 3").await.unwrap();
    let built = tokio::spawn(async move {
        builder.batch_execute("CREATE INDEX CONCURRENTLY i ON app.visits (number)").await
    });
    let guard = visits::guard().build().unwrap();
    let mut works = Vec::new();
    for _ in 0..200 {
        let preflight = guard.preflight(&mut client).await.unwrap();
        works = preflight.sessions.iter().map(|session| session.work).collect();
        if works == [Activity::IndexBuild] {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(works, [Activity::IndexBuild]);
    writer.batch_execute("COMMIT").await.unwrap();
    built.await.unwrap().unwrap();
}

#[tokio::test]
async fn whoever_keeps_a_table_locked_is_told_and_the_rules_are_not_called_kept() {
    let database = kit::empty_database().await.unwrap();
    let mut client = database.client().await.unwrap();
    visits::create(&client).await;
    let other = database.client().await.unwrap();
    let pid: i32 = other.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    let guard = visits::guard().build().unwrap();
    for (locked, unchecked) in [("app.visits", 5), ("app.tables", 1)] {
        other.batch_execute(&format!("BEGIN; LOCK TABLE {locked} IN ACCESS EXCLUSIVE MODE")).await.unwrap();
        let preflight = guard.preflight(&mut client).await.unwrap();
        assert_eq!(preflight.obstacles, [Obstacle::Locked { table: locked.into() }]);
        assert_eq!(preflight.tables[0].unchecked.len(), unchecked, "{preflight}");
        assert!(!preflight.is_clean());
        let sessions: Vec<_> = preflight.sessions.iter().map(|session| (session.pid, session.work)).collect();
        assert_eq!(sessions, [(Some(pid), Activity::Change)]);
        assert_eq!(preflight.sessions[0].locks[0].table, locked);
        other.batch_execute("ROLLBACK").await.unwrap();
    }
    let row = client.query_one("SELECT current_setting('lock_timeout')", &[]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "0");
    let outside = client.batch_execute("SAVEPOINT x").await.unwrap_err();
    assert_eq!(outside.code().unwrap().code(), "25P01", "no transaction is open");
}
