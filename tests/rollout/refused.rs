//! Bad input and bad circumstances: a clear error first, and nothing changed.

use std::time::Duration;

use crate::support::{catalog, visits};
use slotkeeper::migrate::OpsError;
use slotkeeper::rollout::{Down, Pace, Rule, Up};

fn hasty() -> Pace {
    Pace::new().lock_timeout(Duration::from_millis(50)).attempts(3).pause(Duration::from_millis(20))
}

#[tokio::test]
async fn wrong_roles_missing_things_and_standbys_are_told_apart() {
    let (database, mut client) = visits::clean().await;
    let guard = visits::guard().build().unwrap();
    let before = catalog::read(&client).await;
    let up = Up::new();

    let stranger = database.stranger().await.unwrap();
    client
        .batch_execute(&format!(
            "GRANT USAGE ON SCHEMA app TO {0}; GRANT SELECT ON ALL TABLES IN SCHEMA app TO {0}",
            stranger.get_user().unwrap()
        ))
        .await
        .unwrap();
    let (mut other, connection) = stranger.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    assert_eq!(guard.up(&mut other, &up).await, Err(OpsError::PermissionDenied));
    assert!(guard.verify(&mut other).await.unwrap().flaws.len() > 4, "verify needs to read only");

    let missing = slotkeeper::rollout::Guard::on("app", "nothing").check("c", "true").build().unwrap();
    let error = OpsError::MissingTable { table: "app.nothing".into() };
    assert_eq!(missing.up(&mut client, &up).await, Err(error.clone()));
    assert_eq!(missing.verify(&mut client).await, Err(error));
    let column = slotkeeper::rollout::Guard::on("app", "visits").check("c", "colour = 1").build().unwrap();
    let (table, rule, sqlstate) = ("app.visits".into(), "c".into(), "42703".into());
    assert_eq!(column.up(&mut client, &up).await, Err(OpsError::Unevaluable { table, rule, sqlstate }));
    let parent = visits::guard().reference("f", &["id"], ("app", "nobody"), &["id"]).build().unwrap();
    let through = Up::new().through(slotkeeper::rollout::Stage::Integrity);
    let error = parent.up(&mut client, &through).await.unwrap_err();
    assert_eq!(error, OpsError::MissingTable { table: "app.nobody".into() });
    parent.down(&mut client, &Down::new().all().dropping_column(true)).await.unwrap();

    client.batch_execute("DROP EXTENSION btree_gist").await.unwrap();
    let error = guard.up(&mut client, &Up::new().create_extension(false)).await.unwrap_err();
    assert_eq!(error, OpsError::MissingExtension);
    assert_eq!(guard.up(&mut other, &up).await, Err(OpsError::MissingExtension), "it may not create it");
    client.batch_execute("CREATE EXTENSION btree_gist").await.unwrap();
    client.batch_execute("SET default_transaction_read_only = on").await.unwrap();
    assert!(!guard.verify(&mut client).await.unwrap().is_ok(), "it reads only");
    assert_eq!(catalog::read(&client).await, before);
}

#[tokio::test]
async fn a_table_in_the_hands_of_others_is_left_after_the_attempts_of_the_pace() {
    let (database, mut client) = visits::clean().await;
    let guard = visits::guard().build().unwrap();
    let other = database.client().await.unwrap();
    other.batch_execute("BEGIN; UPDATE app.visits SET note = 'x' WHERE id = 1").await.unwrap();
    let error = guard.up(&mut client, &Up::new().pace(hasty())).await.unwrap_err();
    assert_eq!(error, OpsError::Contended { attempts: 3 });
    other.batch_execute("COMMIT").await.unwrap();
    guard.up(&mut client, &Up::new().pace(hasty())).await.unwrap();
}

#[tokio::test]
async fn an_index_build_that_cannot_wait_longer_leaves_nothing_behind() {
    let (database, mut client) = visits::clean().await;
    let other = database.client().await.unwrap();
    // It reads and holds a snapshot: short locks pass it, a concurrent build has to wait for it.
    other
        .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM app.visits")
        .await
        .unwrap();
    let guard = slotkeeper::rollout::Guard::on("app", "visits").unique("k", &["number"]).shadow("note2");
    client.batch_execute("ALTER TABLE app.tables ADD x int").await.unwrap();
    let guard = guard.build().unwrap();
    let error = guard.up(&mut client, &Up::new().pace(hasty())).await.unwrap_err();
    assert!(matches!(error, OpsError::Contended { .. }), "{error}");
    other.batch_execute("COMMIT").await.unwrap();
    assert!(!catalog::read(&client).await.contains(" k "));
}

#[tokio::test]
async fn two_rollouts_of_a_table_meet_in_a_lock_and_a_dropped_one_frees_it_with_its_connection() {
    let (database, mut client) = visits::clean().await;
    let guard = visits::guard().build().unwrap();
    let blocker = database.client().await.unwrap();
    blocker.batch_execute("BEGIN; LOCK TABLE app.visits").await.unwrap();
    let (patient, up) = (Up::new().pace(hasty().attempts(10_000)), Up::new().pace(hasty()));
    let mut first = database.client().await.unwrap();
    let dropped = tokio::time::timeout(Duration::from_millis(300), guard.up(&mut first, &patient)).await;
    assert!(dropped.is_err(), "it waits for the table");
    let error = guard.up(&mut client, &up).await.unwrap_err();
    assert!(matches!(error, OpsError::RolloutRunning { .. }), "{error}");
    // The same connection may go on, and gives the lock back at last.
    blocker.batch_execute("COMMIT").await.unwrap();
    guard.up(&mut first, &up).await.unwrap();
    assert!(!guard.up(&mut client, &up).await.unwrap().changed());
}

#[tokio::test]
async fn a_partitioned_table_takes_checks_and_refuses_the_rest_by_name() {
    let database = kit::empty_database().await.unwrap();
    let mut client = database.client().await.unwrap();
    visits::create(&client).await;
    client
        .batch_execute(
            "CREATE TABLE app.parts (restaurant_id uuid NOT NULL, id integer NOT NULL, table_id integer, party integer)
             PARTITION BY HASH (restaurant_id);
             CREATE TABLE app.parts_0 PARTITION OF app.parts FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
        )
        .await
        .unwrap();
    let on = || slotkeeper::rollout::Guard::on("app", "parts").check("party", "party > 0");
    on().build().unwrap().up(&mut client, &Up::new()).await.unwrap();
    let columns = ["restaurant_id", "table_id"];
    for guard in [
        on().unique("x", &["restaurant_id", "id"]),
        on().index("x", &["id"], false),
        on().reference("x", &columns, ("app", "tables"), &["restaurant_id", "id"]),
    ] {
        let guard = guard.build().unwrap();
        let done = guard.up(&mut client, &Up::new()).await;
        // From version 18 on, a partitioned table takes a foreign key that is not valid yet.
        let takes_it = matches!(guard.rules().last(), Some(Rule::Reference(_)));
        if takes_it && database.server().version_num() >= 180_000 {
            assert!(done.unwrap().changed());
            continue;
        }
        let error = done.unwrap_err();
        let (table, rule) = ("app.parts".into(), "x".into());
        assert_eq!(error, OpsError::PartitionedTable { table, rule });
    }
}

#[tokio::test]
async fn what_only_keeps_other_changes_of_the_table_away_is_waited_for_in_nobodys_way() {
    let (database, mut client) = visits::clean().await;
    let other = database.client().await.unwrap();
    // As an autovacuum or an index build does.
    other.batch_execute("BEGIN; LOCK TABLE app.visits IN SHARE UPDATE EXCLUSIVE MODE").await.unwrap();
    let rollout = tokio::spawn(async move {
        let slow = Pace::new().lock_timeout(Duration::from_secs(20)).attempts(1);
        visits::guard().build().unwrap().up(&mut client, &Up::new().pace(slow)).await
    });
    tokio::time::sleep(Duration::from_millis(700)).await;
    let writer = database.client().await.unwrap();
    let write = writer.batch_execute("UPDATE app.visits SET note = 'x' WHERE id = 1");
    tokio::time::timeout(Duration::from_secs(10), write).await.expect("it waits behind the rollout").unwrap();
    assert!(!rollout.is_finished());
    other.batch_execute("COMMIT").await.unwrap();
    rollout.await.unwrap().unwrap();
}
