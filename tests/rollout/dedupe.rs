//! Dedupe: rows leave whole, and only if nobody needs them.

use slotkeeper::migrate::OpsError;
use slotkeeper::rollout::{Cleanup, FindingKind, Guard, Pace};
use tokio_postgres::Client;

use crate::support::files::Folder;
use crate::support::messy;
use crate::support::visits;

const UNIQUE: &str = "ALTER TABLE app.visits ADD CONSTRAINT visits_number_key UNIQUE (restaurant_id, number)";
const FOREIGN: &str = "ALTER TABLE app.visits ADD CONSTRAINT visits_table_fkey
    FOREIGN KEY (restaurant_id, table_id) REFERENCES app.tables";

async fn items(client: &Client) -> Vec<i64> {
    let rows = client.query("SELECT id FROM app.items ORDER BY id", &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn duplicates_and_orphans_leave_the_constraints_build_and_restore_brings_all_back() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    visits::create(&client).await;
    messy::fill(&client, 3000).await;
    let guard = visits::guard().build().unwrap();
    let before = messy::hash(&client, "app.visits").await;

    let dry = guard.dedupe(&mut client, &Cleanup::dry_run()).await.unwrap();
    assert_eq!(messy::hash(&client, "app.visits").await, before);
    let (path, pace) = (folder.file("rows"), Pace::new().batch(40));
    let done = guard.dedupe(&mut client, &Cleanup::dry_run().apply(&path).pace(pace)).await.unwrap();
    assert_eq!((done.found, done.done), (dry.found, dry.found), "{done}");
    let kinds: Vec<FindingKind> = done.rules.iter().map(|rule| rule.reason).collect();
    assert_eq!(kinds, [FindingKind::Duplicate, FindingKind::Orphan]);
    let left = messy::hash(&client, "app.visits").await;
    assert_eq!(left.0 + i64::try_from(done.done).unwrap(), before.0);
    let mut run = 0;
    while guard.dedupe(&mut client, &Cleanup::dry_run()).await.unwrap().found > 0 {
        run += 1;
        let more = Cleanup::dry_run().apply(folder.file(&run.to_string()));
        guard.dedupe(&mut client, &more).await.unwrap();
    }
    client.batch_execute(UNIQUE).await.unwrap();
    client.batch_execute(FOREIGN).await.unwrap();

    // In force, the constraints refuse the way back, and nothing of the batch is there.
    let there = messy::hash(&client, "app.visits").await;
    let error = guard.restore(&mut client, &path, &Pace::new()).await.unwrap_err();
    assert!(
        matches!(error, OpsError::RowRefused { ref rule, .. } if rule.starts_with("visits_")),
        "{error:?}"
    );
    assert_eq!(messy::hash(&client, "app.visits").await, there);
    let drop = "ALTER TABLE app.visits DROP CONSTRAINT visits_number_key, DROP CONSTRAINT visits_table_fkey";
    client.batch_execute(drop).await.unwrap();
    for name in folder.names() {
        guard.restore(&mut client, folder.file(&name), &pace).await.unwrap();
    }
    assert_eq!(messy::hash(&client, "app.visits").await, before);
}

#[tokio::test]
async fn a_row_that_others_refer_to_is_not_removed_and_no_child_goes_silently() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    client
        .batch_execute(
            "CREATE SCHEMA app;
             CREATE TABLE app.items (id bigint PRIMARY KEY, code text);
             CREATE TABLE app.\"Teile & Mehr\" (id bigint PRIMARY KEY, item bigint CONSTRAINT of_item
                 REFERENCES app.items ON DELETE CASCADE);
             INSERT INTO app.items VALUES (1, 'a'), (2, 'a'), (3, 'b'), (4, 'b');
             INSERT INTO app.\"Teile & Mehr\" VALUES (10, 2), (11, 1)",
        )
        .await
        .unwrap();
    let guard = Guard::on("app", "items").unique("items_code_key", &["code"]).build().unwrap();
    let referenced = OpsError::Referenced {
        table: "app.items".into(),
        child: "app.Teile & Mehr".into(),
        constraint: "of_item".into(),
    };
    assert_eq!(guard.dedupe(&mut client, &Cleanup::dry_run()).await.unwrap_err(), referenced);
    let apply = Cleanup::dry_run().apply(folder.file("rows"));
    assert_eq!(guard.dedupe(&mut client, &apply).await.unwrap_err(), referenced);
    assert_eq!(items(&client).await, [1, 2, 3, 4]);
    assert!(folder.names().is_empty());
    // A child that comes after the artifact was written is seen by the transaction that would remove its parent.
    client.batch_execute("DELETE FROM app.\"Teile & Mehr\" WHERE id = 10").await.unwrap();
    guard.dedupe(&mut client, &apply).await.unwrap();
    guard.restore(&mut client, folder.file("rows"), &Pace::new()).await.unwrap();
    client.batch_execute("INSERT INTO app.\"Teile & Mehr\" VALUES (12, 4)").await.unwrap();
    assert_eq!(guard.dedupe(&mut client, &apply).await.unwrap_err(), referenced);
    assert_eq!(messy::count(&client, "SELECT count(*) FROM app.\"Teile & Mehr\"").await, 2);
    assert_eq!(items(&client).await, [1, 2, 3, 4], "its whole batch stays");
}

#[tokio::test]
async fn the_last_holder_of_a_key_never_leaves_even_where_rules_are_entangled() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    client
        .batch_execute(
            "CREATE SCHEMA app;
             CREATE TABLE app.owners (id int PRIMARY KEY);
             CREATE TABLE app.items (id bigint PRIMARY KEY, owner int, code text, label text);
             INSERT INTO app.owners VALUES (1);
             -- 2 must not yield to 1, an orphan. 3 leaves for its code, so 4 need not yield to it for its label.
             INSERT INTO app.items VALUES (1, 9, 'a', 'p'), (2, 1, 'a', 'q'), (3, 1, 'a', 'r'), (4, 1, 'b', 'r')",
        )
        .await
        .unwrap();
    let guard = Guard::on("app", "items")
        .unique("items_code_key", &["code"])
        .unique("items_label_key", &["label"])
        .reference("items_owner_fkey", &["owner"], ("app", "owners"), &["id"])
        .build()
        .unwrap();
    let mut runs = Vec::new();
    for run in 1..=4 {
        let apply = Cleanup::dry_run().apply(folder.file(&run.to_string()));
        let done = guard.dedupe(&mut client, &apply).await.unwrap();
        runs.push((done.done, done.deferred, items(&client).await));
    }
    let expected = [(1, 3, vec![2, 3, 4]), (1, 1, vec![2, 4]), (0, 0, vec![2, 4]), (0, 0, vec![2, 4])];
    assert_eq!(runs, expected);
}

/// The artifact may be old when it is carried out: what it was written for counts as it is now.
#[tokio::test]
async fn a_row_whose_rival_is_gone_and_a_row_whose_parent_came_stay() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    visits::create(&client).await;
    let row = |id: i32, table: i32, number: i32, day: i32| {
        let (a, day) = (visits::TENANT_A, format!("2030-01-{day:02}"));
        format!(
            "INSERT INTO app.visits (id, restaurant_id, table_id, starts_at, ends_at, number)
             VALUES ({id}, '{a}', {table}, '{day} 10:00', '{day} 11:00', {number});"
        )
    };
    let tables = format!("INSERT INTO app.tables VALUES ('{}', 1);", visits::TENANT_A);
    let rows =
        [row(5, 1, 7, 1), row(9, 1, 7, 2), row(10, 1, 7, 3), row(3, 2, 8, 4), row(4, 3, 9, 5)].concat();
    client.batch_execute(&(tables + &rows)).await.unwrap();
    let guard = visits::guard().build().unwrap();
    let path = folder.file("rows");
    let apply = Cleanup::dry_run().apply(&path);
    assert_eq!(guard.dedupe(&mut client, &apply).await.unwrap().done, 4);
    guard.restore(&mut client, &path, &Pace::new()).await.unwrap();

    let meanwhile = format!(
        "DELETE FROM app.visits WHERE id = 5; INSERT INTO app.tables VALUES ('{}', 2)",
        visits::TENANT_A
    );
    client.batch_execute(&meanwhile).await.unwrap();
    // One row a batch, so that of the two rivals that are left the last finds itself alone.
    let done = guard.dedupe(&mut client, &apply.pace(Pace::new().batch(1))).await.unwrap();
    assert_eq!((done.resumed, done.done, done.changed_since), (true, 2, 2), "{done}");
    let left = client.query("SELECT id FROM app.visits ORDER BY id", &[]).await.unwrap();
    let left: Vec<i64> = left.iter().map(|row| row.get(0)).collect();
    assert_eq!(left, [3, 10], "one of the number, and the one whose table came");
}

#[tokio::test]
async fn a_child_of_a_partition_is_seen_whichever_table_it_refers_to() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    let sql = "CREATE SCHEMA app;
        CREATE TABLE app.items (kind text, id bigint, code text, PRIMARY KEY (kind, id)) PARTITION BY LIST (kind);
        CREATE TABLE app.items_a PARTITION OF app.items FOR VALUES IN ('a');
        CREATE TABLE app.of_all (kind text, id bigint,
            FOREIGN KEY (kind, id) REFERENCES app.items ON DELETE CASCADE);
        CREATE TABLE app.of_a (kind text, id bigint,
            FOREIGN KEY (kind, id) REFERENCES app.items_a ON DELETE CASCADE);
        INSERT INTO app.items VALUES ('a', 1, 'x'), ('a', 2, 'x')";
    client.batch_execute(sql).await.unwrap();
    for (guarded, child) in
        [("items_a", "of_all"), ("items", "of_a"), ("items", "of_all"), ("items_a", "of_a")]
    {
        client.batch_execute(&format!("INSERT INTO app.{child} VALUES ('a', 2)")).await.unwrap();
        let guard = Guard::on("app", guarded).unique("items_code_key", &["kind", "code"]).build().unwrap();
        let apply = Cleanup::dry_run().apply(folder.file(&format!("{guarded}-{child}")));
        let error = guard.dedupe(&mut client, &apply).await.unwrap_err();
        let expected = format!("app.{child}");
        assert!(
            matches!(&error, OpsError::Referenced { child, .. } if *child == expected),
            "{guarded} {child}: {error:?}"
        );
        client.batch_execute(&format!("DELETE FROM app.{child}")).await.unwrap();
    }
}
