//! Duplicates, orphans and rows that fail a check, on rows laid out by hand.

use std::time::Duration;

use tokio_postgres::Client;

use crate::ops::{FindingKind, OpsError, RowKey, TableInfo, session};
use crate::rollout::rows::find::{finding, offenders};
use crate::rollout::{Guard, GuardBuilder, WindowColumns};

async fn open() -> (kit::Database, Client) {
    let database = kit::empty_database().await.unwrap();
    let client = database.client().await.unwrap();
    client
        .batch_execute(
            "CREATE TABLE parents (house int, id int, up int, PRIMARY KEY (house, id));
             INSERT INTO parents VALUES (1, 1, NULL), (1, 2, 1), (2, 1, 7);
             CREATE TABLE t (id int PRIMARY KEY, house int, parent int, number numeric, status text,
                 confirmed timestamptz, created timestamptz, party int, a date, b date)",
        )
        .await
        .unwrap();
    (database, client)
}

fn guard() -> GuardBuilder {
    let guard = Guard::on("public", "t").tenant("house").live("status <> 'gone'");
    guard.confirmed_at("confirmed").created_at("created")
}

/// Keys of the rows that leave for the first rule.
async fn leaving(
    client: &mut Client,
    guard: GuardBuilder,
    tenant: Option<&str>,
) -> Result<Vec<String>, OpsError> {
    let guard = guard.build().unwrap();
    let table = TableInfo::existing(client, guard.table()).await.unwrap();
    let rule = guard.rules().last().unwrap();
    let mut tx = session::begin(client, Duration::from_secs(1)).await.unwrap();
    let found = finding(&mut tx, &guard, &table, rule, usize::MAX).await?;
    let offenders = offenders(&mut tx, &guard, &table, rule, tenant).await?;
    if tenant.is_none() {
        assert_eq!(found.as_ref().map_or(0, |found| found.leaving), offenders.len() as u64);
        assert_eq!(found.as_ref().map_or(0, |found| found.samples.len()), offenders.len());
    }
    let mut keys: Vec<String> = offenders.into_iter().map(|offender| offender.key.0.join("/")).collect();
    keys.sort();
    Ok(keys)
}

#[tokio::test]
async fn of_equal_keys_the_earliest_confirmed_stays_then_the_earliest_made_then_the_smallest() {
    let (_database, mut client) = open().await;
    let insert = "INSERT INTO t (id, house, number, status, confirmed, created) VALUES
        -- 1.0 equals 1; the confirmed row stays though it is the last in all else
        (1, 1, 1.0, '', NULL, '2020-01-01'), (9, 1, 1, '', '2021-01-01', '2022-01-01'), (3, 1, 1, '', '2021-01-02', NULL),
        (10, 1, 2, '', NULL, '2020-01-01'), (11, 1, 2, '', NULL, '2019-01-01'),
        -- as text 20 would be before 9
        (20, 2, 3, '', NULL, '2020-01-01'), (19, 2, 3, '', NULL, '2020-01-01'), (100, 2, 3, 'gone', NULL, '2019-01-01'),
        -- nothing equals NULL, and another house is another key
        (30, 1, NULL, '', NULL, NULL), (31, 1, NULL, '', NULL, NULL), (32, 2, 1, '', NULL, NULL)";
    client.batch_execute(insert).await.unwrap();
    let all = || guard().unique("k", &["house", "number"]);
    assert_eq!(leaving(&mut client, all(), None).await.unwrap(), ["1", "10", "19", "20", "3"]);
    assert_eq!(leaving(&mut client, all(), Some("2")).await.unwrap(), ["19", "20"]);
    assert_eq!(leaving(&mut client, all(), Some("3")).await.unwrap(), [""; 0]);
    let live = guard().unique_live("k", &["house", "number"]);
    assert_eq!(leaving(&mut client, live, None).await.unwrap(), ["1", "10", "20", "3"]);
    let wide = guard().unique("k", &["number"]);
    assert_eq!(leaving(&mut client, wide, None).await.unwrap(), ["1", "10", "19", "20", "3", "32"]);
    // With the constraint in place no row is found, which is what it means.
    client
        .batch_execute(
            "DELETE FROM t WHERE id IN (1, 10, 19, 20, 3); ALTER TABLE t ADD UNIQUE (house, number)",
        )
        .await
        .unwrap();
    assert_eq!(leaving(&mut client, all(), None).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn an_orphan_refers_to_something_that_is_not_there() {
    let (_database, mut client) = open().await;
    let insert = "INSERT INTO t (id, house, parent, status) VALUES
        (1, 1, 1, ''), (2, 1, 3, ''), (3, 2, 2, 'gone'), (4, NULL, 9, ''), (5, 1, NULL, ''), (6, 2, 1, '')";
    client.batch_execute(insert).await.unwrap();
    let parent = |key: &[&str]| guard().reference("f", &["house", "parent"], ("public", "parents"), key);
    assert_eq!(leaving(&mut client, parent(&["house", "id"]), None).await.unwrap(), ["2", "3"]);
    assert_eq!(leaving(&mut client, parent(&["house", "id"]), Some("2")).await.unwrap(), ["3"]);
    let error = leaving(&mut client, parent(&["house", "nobody"]), None).await.unwrap_err();
    let (table, column) = ("public.parents".to_owned(), "nobody".to_owned());
    assert_eq!(error, OpsError::MissingColumn { table, column });
    let itself = Guard::on("public", "parents").reference(
        "f",
        &["house", "up"],
        ("public", "parents"),
        &["house", "id"],
    );
    assert_eq!(leaving(&mut client, itself, None).await.unwrap(), ["2/1"]);
    let absent = guard().reference("f", &["parent"], ("public", "absent"), &["id"]);
    let error = leaving(&mut client, absent, None).await.unwrap_err();
    assert_eq!(error, OpsError::MissingTable { table: "public.absent".to_owned() });
}

#[tokio::test]
async fn unknown_satisfies_a_check_and_a_window_needs_both_bounds_in_order() {
    let (_database, mut client) = open().await;
    let insert = "INSERT INTO t (id, house, party, status, a, b) VALUES
        (1, 1, 0, '', '2030-01-01', '2030-01-02'), (2, 1, NULL, '', '2030-01-02', '2030-01-01'),
        (3, 2, -1, 'gone', '2030-01-01', '2030-01-01'), (4, 1, 1, '', NULL, '2030-01-01'),
        (5, 1, 1, '', '2030-01-01', 'infinity'), (6, 1, 1, '', '2030-01-01', NULL)";
    client.batch_execute(insert).await.unwrap();
    let check = || guard().check("c", "t.party > 0");
    assert_eq!(leaving(&mut client, check(), None).await.unwrap(), ["1", "3"]);
    assert_eq!(leaving(&mut client, check(), Some("2")).await.unwrap(), ["3"]);
    let window = || guard().no_overlap("w", &["parent"], WindowColumns::bounds("a", "b").unwrap());
    assert_eq!(leaving(&mut client, window(), None).await.unwrap(), ["2", "3", "4", "5", "6"]);
    // Rows in quarantine are excused.
    client.batch_execute("ALTER TABLE t ADD slotkeeper_shadow bool NOT NULL DEFAULT false; UPDATE t SET slotkeeper_shadow = id IN (2, 4)").await.unwrap();
    assert_eq!(leaving(&mut client, window(), None).await.unwrap(), ["3", "5", "6"]);
    let window = window().build().unwrap();
    assert_eq!(
        crate::rollout::rows::find::kind(&window, &window.rules()[1]),
        Some(FindingKind::InvalidWindow)
    );
    let error = leaving(&mut client, guard().check("c", "pary > 0"), None).await.unwrap_err();
    assert!(matches!(error, OpsError::Unevaluable { ref rule, .. } if rule == "c"), "{error}");
}

#[tokio::test]
async fn rows_that_cannot_be_told_apart_are_counted_and_never_named_as_losers() {
    let (_database, mut client) = open().await;
    client
        .batch_execute("ALTER TABLE t DROP CONSTRAINT t_pkey; INSERT INTO t (id) VALUES (1), (1), (2)")
        .await
        .unwrap();
    let guard = Guard::on("public", "t").unique("k", &["id"]).build().unwrap();
    let table = TableInfo::existing(&client, guard.table()).await.unwrap();
    let mut tx = session::begin(&mut client, Duration::from_secs(1)).await.unwrap();
    let found = finding(&mut tx, &guard, &table, &guard.rules()[0], 5).await.unwrap().unwrap();
    assert_eq!(
        (found.count, found.leaving, &found.samples[0].row),
        (1, 1, &RowKey(vec!["(0,2)".to_owned()]))
    );
    let error = offenders(&mut tx, &guard, &table, &guard.rules()[0], None).await.unwrap_err();
    assert_eq!(error, OpsError::NoPrimaryKey { table: "public.t".to_owned() });
}

#[tokio::test]
async fn nothing_is_left_behind_in_the_transaction() {
    let (_database, mut client) = open().await;
    client.batch_execute("INSERT INTO t (id, party) VALUES (1, 0)").await.unwrap();
    let broken = Guard::on("public", "t").check("never", "1 / party > 0").build().unwrap();
    let table = TableInfo::existing(&client, broken.table()).await.unwrap();
    let mut tx = session::begin(&mut client, Duration::from_secs(1)).await.unwrap();
    let error = offenders(&mut tx, &broken, &table, &broken.rules()[0], None).await.unwrap_err();
    let expected =
        OpsError::Unevaluable { table: "public.t".into(), rule: "never".into(), sqlstate: "22012".into() };
    assert_eq!(error, expected);
    // The transaction goes on, with its own settings.
    let sql = "SELECT current_setting('enable_indexscan'), current_setting('work_mem')";
    let row = tx.query_one(sql, &[]).await.unwrap();
    assert_eq!((row.get::<_, &str>(0), row.get::<_, &str>(1)), ("on", "4MB"));
}
