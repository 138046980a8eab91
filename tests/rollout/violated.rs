//! Rows that break a rule: it is named, no row is touched, and the table is never less protected than before.

use crate::support::{catalog, visits};
use slotkeeper::migrate::OpsError;
use slotkeeper::rollout::{State, Up};

/// What breaks a rule, and the rule.
const CASES: [(&str, &str); 6] = [
    ("UPDATE app.visits SET party = 0 WHERE id = 3", "visits_party_check"),
    ("UPDATE app.visits SET table_id = 99 WHERE id = 3", "visits_table_fkey"),
    ("UPDATE app.visits SET ends_at = starts_at WHERE id = 3", "visits_table_window_excl_window"),
    ("UPDATE app.visits SET number = 1 WHERE id = 3", "visits_number_key"),
    (
        "UPDATE app.visits SET number = 1 WHERE id <= 2; UPDATE app.visits SET table_id = 1 WHERE id = 2;
         UPDATE app.visits SET starts_at = '2031-01-01', ends_at = '2031-01-02' WHERE id = 2;
         ALTER TABLE app.visits DROP CONSTRAINT IF EXISTS visits_number_key",
        "visits_live_number_idx",
    ),
    (
        "UPDATE app.visits SET starts_at = starts_at + interval '1 hour', table_id = 1 WHERE id = 3;
         UPDATE app.visits SET table_id = 1 WHERE id = 1",
        "visits_table_window_excl",
    ),
];

#[tokio::test]
async fn each_rule_that_rows_break_is_named_and_rows_stay_as_they_are() {
    for (sql, broken) in CASES {
        let (_database, mut client) = visits::clean().await;
        let guard = visits::full_guard();
        // The two keys would be broken together.
        let guard = if broken == "visits_live_number_idx" { live_key_only() } else { guard }.build().unwrap();
        client.batch_execute(sql).await.unwrap();
        let rows = catalog::rows(&client).await;
        let error = guard.up(&mut client, &Up::new()).await.unwrap_err();
        let rule = broken.to_owned();
        assert_eq!(error, OpsError::StillViolated { table: "app.visits".into(), rule });
        assert_eq!(catalog::rows(&client).await, rows);
        let found = guard.verify_rows(&mut client).await.unwrap();
        assert_eq!(found.findings.len(), 1, "{found}");
        let flaw = found.flaws.iter().find(|flaw| flaw.name == broken).unwrap();
        let is_validated_later =
            broken.ends_with("check") || broken.ends_with("fkey") || broken.ends_with("window");
        let expected = if is_validated_later { State::NotValid } else { State::Missing };
        assert_eq!(flaw.state, expected, "{broken}");
        assert!(!catalog::read(&client).await.contains("valid=f\n") || is_validated_later);

        // RepairedObject, the next run completes.
        client.batch_execute("DELETE FROM app.visits WHERE id IN (2, 3)").await.unwrap();
        guard.up(&mut client, &Up::new()).await.unwrap();
        let found = guard.verify_rows(&mut client).await.unwrap();
        assert!(found.is_ok(), "{found}");
    }
}

fn live_key_only() -> slotkeeper::rollout::GuardBuilder {
    slotkeeper::rollout::Guard::on("app", "visits")
        .live("status <> 'cancelled'")
        .unique_live("visits_live_number_idx", &["restaurant_id", "table_id", "number"])
}

#[tokio::test]
async fn a_new_rule_that_old_rows_break_holds_for_new_rows_already() {
    let (_database, mut client) = visits::clean().await;
    client.batch_execute("UPDATE app.visits SET party = 0 WHERE id = 3").await.unwrap();
    let guard = visits::guard().build().unwrap();
    guard.up(&mut client, &Up::new()).await.unwrap_err();
    let error = client.batch_execute("UPDATE app.visits SET party = 0 WHERE id = 4").await.unwrap_err();
    assert_eq!(error.as_db_error().unwrap().constraint(), Some("visits_party_check"));
}

#[tokio::test]
async fn what_is_there_keeps_its_place_if_the_new_definition_does_not_hold() {
    let old = [
        ("visits_party_check", "CHECK (party > -1)", "UPDATE app.visits SET party = 0 WHERE id = 3"),
        (
            "visits_table_fkey",
            "FOREIGN KEY (restaurant_id, table_id) REFERENCES app.tables (restaurant_id, id)
             ON DELETE CASCADE NOT VALID",
            "ALTER TABLE app.visits DISABLE TRIGGER ALL; UPDATE app.visits SET table_id = 99 WHERE id = 3;
             ALTER TABLE app.visits ENABLE TRIGGER ALL",
        ),
        (
            "visits_number_key",
            "UNIQUE (restaurant_id, number, table_id)",
            "UPDATE app.visits SET number = 1 WHERE id = 3",
        ),
        (
            "visits_table_window_excl",
            "EXCLUDE USING gist (restaurant_id WITH =, table_id WITH =, number WITH =,
                tstzrange(starts_at, ends_at) WITH &&)",
            "UPDATE app.visits SET table_id = 1, starts_at = '2030-01-01 01:00Z' WHERE id = 3",
        ),
    ];
    for (name, definition, breaks) in old {
        let (_database, mut client) = visits::clean().await;
        let guard = visits::guard().build().unwrap();
        guard.up(&mut client, &Up::new()).await.unwrap();
        let sql = format!(
            "ALTER TABLE app.visits DROP CONSTRAINT {name}; ALTER TABLE app.visits ADD CONSTRAINT {name} {definition}"
        );
        client.batch_execute(&sql).await.unwrap();
        client.batch_execute(breaks).await.unwrap();
        let before = catalog::read(&client).await;
        let error = guard.up(&mut client, &Up::new()).await.unwrap_err();
        assert_eq!(error, OpsError::StillViolated { table: "app.visits".into(), rule: name.into() });
        assert_eq!(catalog::read(&client).await, before, "{name}");
    }
}
