//! A messy table, told completely.

use std::collections::BTreeSet;

use super::{counts, key};
use crate::support::visits::{self, TENANT_A, TENANT_B};
use slotkeeper::rollout::{FindingKind, Guard, PreflightOptions, WindowColumns};
use tokio_postgres::Client;

/// Three chains of overlapping rows, one of each other kind of damage, and rows that are sound.
async fn fill(client: &Client) {
    visits::create(client).await;
    let insert = format!(
        "INSERT INTO app.tables VALUES ('{TENANT_A}', 1), ('{TENANT_A}', 2), ('{TENANT_B}', 1);
         INSERT INTO app.visits (id, restaurant_id, table_id, starts_at, ends_at, number, status, paid_at, party)
         SELECT id, CASE tenant WHEN 'a' THEN '{TENANT_A}' ELSE '{TENANT_B}' END::uuid, tbl,
             '2030-01-01'::timestamptz + s * interval '1 hour', '2030-01-01'::timestamptz + e * interval '1 hour',
             number, status, paid::timestamptz, party
         FROM (VALUES
             -- 1 – 2 – 3, of which the middle one alone is paid
             (1, 'a', 1, 10, 12, 101, 'booked', NULL, 2), (2, 'a', 1, 11, 14, 102, 'booked', '2029-12-01', 2),
             (3, 'a', 1, 13, 15, 103, 'booked', NULL, 2),
             -- back to back with 3, and cancelled across all
             (4, 'a', 1, 15, 16, 104, 'booked', NULL, 2), (5, 'a', 1, 0, 24, 105, 'cancelled', NULL, 2),
             -- everybody with everybody
             (6, 'a', 2, 10, 20, 106, 'booked', NULL, 2), (7, 'a', 2, 11, 19, 107, 'booked', NULL, 2),
             (8, 'a', 2, 12, 18, 108, 'booked', NULL, 2),
             -- another tenant's pair, on a table of the same number
             (9, 'b', 1, 10, 12, 101, 'booked', NULL, 2), (10, 'b', 1, 11, 13, 102, 'booked', NULL, 2),
             -- the number of 9, no such table, the wrong way round, nobody
             (11, 'b', 1, 20, 21, 101, 'booked', NULL, 2), (12, 'b', 7, 10, 12, 103, 'booked', NULL, 2),
             (13, 'b', 1, 12, 10, 104, 'cancelled', NULL, 2), (14, 'b', 1, 22, 23, 105, 'booked', NULL, 0)
         ) AS v (id, tenant, tbl, s, e, number, status, paid, party)"
    );
    client.batch_execute(&insert).await.unwrap();
}

#[tokio::test]
async fn every_pair_of_three_chains_is_listed_and_every_other_damage() {
    let database = kit::empty_database().await.unwrap();
    let mut client = database.client().await.unwrap();
    fill(&client).await;
    let preflight = visits::guard().build().unwrap().preflight(&mut client).await.unwrap();
    let expected = [
        (FindingKind::Overlap, 6, 5),
        (FindingKind::InvalidWindow, 1, 1),
        (FindingKind::Duplicate, 1, 1),
        (FindingKind::Orphan, 1, 1),
        (FindingKind::InvalidRow, 1, 1),
    ];
    assert_eq!(counts(&preflight), expected);
    assert!(!preflight.is_clean() && !preflight.blocks(), "{preflight}");
    assert_eq!(preflight.tables[0].rows, Some(14));

    let overlaps = preflight.findings().next().unwrap();
    let pairs: BTreeSet<_> =
        overlaps.samples.iter().map(|s| (s.row.clone(), s.against.clone().unwrap())).collect();
    // Of each pair the one with less right to stay first.
    let named = [("1", "2"), ("3", "2"), ("7", "6"), ("8", "6"), ("8", "7"), ("10", "9")];
    assert_eq!(pairs, named.iter().map(|(row, against)| (key(&[row]), key(&[against]))).collect());
    let tenants: Vec<_> =
        overlaps.tenants.iter().map(|t| (t.tenant.as_deref().unwrap(), t.count, t.leaving)).collect();
    assert_eq!(tenants, [(TENANT_A, 5, 4), (TENANT_B, 1, 1)]);
    let rows: Vec<_> = preflight.findings().skip(1).map(|finding| finding.samples[0].row.clone()).collect();
    assert_eq!(rows, [key(&["13"]), key(&["11"]), key(&["12"]), key(&["14"])]);
}

#[tokio::test]
async fn the_page_and_the_data_say_the_same_and_quote_nobodys_values() {
    let database = kit::empty_database().await.unwrap();
    let mut client = database.client().await.unwrap();
    fill(&client).await;
    client.batch_execute("UPDATE app.visits SET note = 'canary'").await.unwrap();
    let guard = visits::guard().check("note_check", "note <> 'canary'").build().unwrap();
    let preflight = guard.preflight(&mut client).await.unwrap();
    let page = preflight.to_string();
    for line in [
        "table app.visits: 14 rows, 1 MiB",
        "  6 overlaps of visits_table_window_excl, 5 rows would leave",
        "    row (1) against (2)",
        "  1 invalid window of visits_table_window_excl_window",
        "  14 invalid rows of note_check",
        &format!("    tenant {TENANT_A}: 5"),
    ] {
        assert!(page.lines().any(|found| found == line), "{line}\n{page}");
    }
    let data = serde_json::to_string(&preflight).unwrap();
    assert!(!page.contains("canary") && !data.contains("canary"), "{page}\n{data}");
    let data: serde_json::Value = serde_json::from_str(&data).unwrap();
    assert_eq!(data["tables"][0]["findings"][0]["kind"], "overlap");
    assert_eq!(data["tables"][0]["findings"][0]["samples"][0]["row"][0], "1");
}

#[tokio::test]
async fn a_sound_table_is_clean_and_one_row_more_is_not() {
    let database = kit::empty_database().await.unwrap();
    let mut client = database.client().await.unwrap();
    fill(&client).await;
    client.batch_execute("DELETE FROM app.visits WHERE id NOT IN (2, 4, 6, 9)").await.unwrap();
    let guard = visits::guard().build().unwrap();
    let preflight = guard.preflight(&mut client).await.unwrap();
    assert!(preflight.is_clean(), "{preflight}");
    client
        .batch_execute(
            "INSERT INTO app.visits (id, restaurant_id, table_id, starts_at, ends_at)
             SELECT 20, restaurant_id, table_id, ends_at - interval '1 microsecond', ends_at
             FROM app.visits WHERE id = 4",
        )
        .await
        .unwrap();
    let preflight = guard.preflight(&mut client).await.unwrap();
    assert_eq!(counts(&preflight), [(FindingKind::Overlap, 1, 1)]);
}

#[tokio::test]
async fn the_index_that_may_be_broken_is_not_asked() {
    let database = kit::empty_database().await.unwrap();
    let mut client = database.client().await.unwrap();
    visits::create(&client).await;
    // Indexes that miss every row: what a damaged file amounts to. The session would rather use them than anything else.
    client
        .batch_execute(&format!(
            "INSERT INTO app.tables VALUES ('{TENANT_A}', 1);
             CREATE INDEX lies ON app.visits USING gist (table_id, restaurant_id, tstzrange(starts_at, ends_at));
             CREATE INDEX lies_too ON app.visits (restaurant_id, number, id);
             UPDATE pg_index SET indisready = false WHERE indrelid = 'app.visits'::regclass AND NOT indisprimary;
             INSERT INTO app.visits (id, restaurant_id, table_id, starts_at, ends_at, number)
             SELECT n, '{TENANT_A}', 1, '2030-01-01', '2030-01-02', 7 FROM generate_series(1, 2) AS n;
             UPDATE pg_index SET indisready = true WHERE indrelid = 'app.visits'::regclass;
             SET enable_seqscan = off; SET enable_sort = off; SET enable_hashagg = off"
        ))
        .await
        .unwrap();
    let asked = format!("SELECT count(*) FROM app.visits WHERE restaurant_id = '{TENANT_A}' AND number = 7");
    assert_eq!(client.query_one(&asked, &[]).await.unwrap().get::<_, i64>(0), 0, "the index lies");
    let guard = visits::guard().build().unwrap();
    let preflight = guard.preflight(&mut client).await.unwrap();
    assert_eq!(counts(&preflight), [(FindingKind::Overlap, 1, 1), (FindingKind::Duplicate, 1, 1)]);
}

#[tokio::test]
async fn as_many_examples_as_asked_for_and_exact_counts_all_the_same() {
    let database = kit::empty_database().await.unwrap();
    let mut client = database.client().await.unwrap();
    visits::create(&client).await;
    // A stand-in table on which a thousand visits wait for a real one.
    client
        .batch_execute(&format!(
            "INSERT INTO app.visits (id, restaurant_id, table_id, starts_at, ends_at)
             SELECT n, '{TENANT_A}', 0, '2030-01-01', '2030-01-02' FROM generate_series(1, 1000) AS n"
        ))
        .await
        .unwrap();
    let window = WindowColumns::bounds("starts_at", "ends_at").unwrap();
    let guard = Guard::on("app", "visits").no_overlap("x", &["table_id"], window).build().unwrap();
    let options = PreflightOptions::new().samples(3);
    let preflight = guard.preflight_with(&mut client, options).await.unwrap();
    assert_eq!(counts(&preflight), [(FindingKind::Overlap, 499_500, 999)]);
    let finding = preflight.findings().next().unwrap();
    assert_eq!((finding.samples.len(), finding.tenants.len()), (3, 0));
}
