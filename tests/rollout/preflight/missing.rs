//! What is not there is told, and the rest is checked.

use super::counts;
use crate::support::visits::{self, TENANT_A};
use slotkeeper::rollout::{Extension, FindingKind, Guard, Obstacle, WindowColumns};

#[tokio::test]
async fn an_empty_database_lacks_the_table_and_nothing_fails() {
    let database = kit::empty_database().await.unwrap();
    let mut client = database.client().await.unwrap();
    let preflight = visits::guard().build().unwrap().preflight(&mut client).await.unwrap();
    assert_eq!(preflight.obstacles, [Obstacle::MissingTable { table: "app.visits".into() }]);
    assert_eq!(preflight.server.extension, Extension::Creatable);
    assert!(!preflight.server.schema_exists && !preflight.tables[0].exists && preflight.blocks());
}

#[tokio::test]
async fn what_is_missing_is_named_and_the_other_rules_are_checked() {
    let database = kit::empty_database().await.unwrap();
    let mut client = database.client().await.unwrap();
    visits::create(&client).await;
    client
        .batch_execute(&format!(
            "ALTER TABLE app.visits DROP CONSTRAINT visits_pkey;
             ALTER TABLE app.tables DROP CONSTRAINT tables_pkey;
             INSERT INTO app.visits (id, restaurant_id, table_id, starts_at, ends_at, party)
             SELECT 1, '{TENANT_A}', 1, '2030-01-01', '2030-01-02', -1 FROM generate_series(1, 2)"
        ))
        .await
        .unwrap();
    let window = WindowColumns::bounds("starts_at", "until").unwrap();
    let guard = visits::guard()
        .no_overlap("typo_excl", &["tabel_id"], window)
        .reference("nobody_fkey", &["number"], ("app", "nobody"), &["id"])
        .check("typo_check", "pary > 0")
        .check("zero_check", "1 / (party + 1) > 0")
        .build()
        .unwrap();
    let preflight = guard.preflight(&mut client).await.unwrap();
    let table = || "app.visits".to_owned();
    let column = |column: &str| Obstacle::MissingColumn { table: table(), column: column.to_owned() };
    let unevaluable = |rule: &str, sqlstate: &str| {
        let (rule, sqlstate) = (rule.to_owned(), sqlstate.to_owned());
        Obstacle::Unevaluable { table: table(), rule, sqlstate }
    };
    let expected = [
        Obstacle::NoPrimaryKey { table: table() },
        column("tabel_id"),
        column("until"),
        Obstacle::NoParentKey { rule: "visits_table_fkey".into(), table: "app.tables".into() },
        Obstacle::MissingTable { table: "app.nobody".into() },
        unevaluable("typo_excl_window", "42703"),
        unevaluable("typo_check", "42703"),
        unevaluable("zero_check", "22012"),
    ];
    assert_eq!(preflight.obstacles, expected, "{preflight}");
    let unchecked = ["typo_excl", "typo_excl_window", "nobody_fkey", "typo_check", "zero_check"];
    assert_eq!(preflight.tables[0].unchecked, unchecked);
    let expected =
        [(FindingKind::Overlap, 1, 1), (FindingKind::Orphan, 2, 2), (FindingKind::InvalidRow, 2, 2)];
    assert_eq!(counts(&preflight), expected);
}

#[tokio::test]
async fn a_rule_that_could_not_be_checked_is_never_clean() {
    let database = kit::empty_database().await.unwrap();
    let mut client = database.client().await.unwrap();
    visits::create(&client).await;
    client
        .batch_execute(
            "INSERT INTO app.visits (id, restaurant_id, table_id) VALUES (1, gen_random_uuid(), 1)",
        )
        .await
        .unwrap();
    let check = |sql| Guard::on("app", "visits").check("c", sql).build().unwrap();
    let preflight = check("party > 0").preflight(&mut client).await.unwrap();
    assert!(preflight.is_clean(), "{preflight}");
    let preflight = check("party > 1 / (party - 2)").preflight(&mut client).await.unwrap();
    assert!(!preflight.is_clean() && preflight.blocks(), "{preflight}");
}
