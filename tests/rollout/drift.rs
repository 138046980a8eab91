//! What somebody did behind our back: verify names it, up mends it.

use crate::support::{catalog, visits};
use slotkeeper::migrate::OpsError;
use slotkeeper::rollout::{State, Up, Work};

/// SQL that plants it, and what verify says of it.
const PLANTED: [(&str, &str); 16] = [
    ("ALTER TABLE app.visits DROP CONSTRAINT visits_table_window_excl", "exclusion visits_table_window_excl is missing"),
    (
        "ALTER TABLE app.visits DROP CONSTRAINT visits_table_window_excl;
         ALTER TABLE app.visits ADD CONSTRAINT visits_table_window_excl EXCLUDE USING gist (table_id WITH =,
             tstzrange(starts_at, ends_at) WITH &&, restaurant_id WITH =) WHERE (status <> 'cancelled')",
        "exclusion visits_table_window_excl is `EXCLUDE",
    ),
    (
        "ALTER TABLE app.visits DROP CONSTRAINT visits_table_window_excl;
         ALTER TABLE app.visits ADD CONSTRAINT visits_table_window_excl EXCLUDE USING gist (table_id WITH =,
             tstzrange(starts_at, ends_at) WITH &&, restaurant_id WITH =)
             WHERE (status <> 'cancelled' AND NOT slotkeeper_shadow) DEFERRABLE",
        "exclusion visits_table_window_excl is deferrable",
    ),
    (
        "ALTER TABLE app.visits DROP CONSTRAINT visits_number_key;
         CREATE UNIQUE INDEX visits_number_key ON app.visits (restaurant_id, number)",
        "unique key visits_number_key is an index only, not a constraint",
    ),
    (
        "ALTER TABLE app.visits DROP CONSTRAINT visits_number_key;
         ALTER TABLE app.visits ADD CONSTRAINT visits_number_key UNIQUE (restaurant_id, number) INITIALLY DEFERRED",
        "unique key visits_number_key is deferrable",
    ),
    (
        "ALTER TABLE app.visits DROP CONSTRAINT visits_number_key;
         ALTER TABLE app.visits ADD CONSTRAINT visits_number_key UNIQUE (number, restaurant_id)",
        "unique key visits_number_key is `UNIQUE (number, restaurant_id)`, not `UNIQUE (restaurant_id, number)`",
    ),
    (
        "ALTER TABLE app.visits DROP CONSTRAINT visits_party_check;
         ALTER TABLE app.visits ADD CONSTRAINT visits_party_check CHECK (party > 0) NOT VALID",
        "check visits_party_check is not validated",
    ),
    (
        "ALTER TABLE app.visits DROP CONSTRAINT visits_party_check;
         ALTER TABLE app.visits ADD CONSTRAINT visits_party_check CHECK (party >= 0)",
        "check visits_party_check is `CHECK ((party >= 0))`, not `CHECK ((party > 0))`",
    ),
    ("ALTER TABLE app.visits DISABLE TRIGGER ALL", "foreign key visits_table_fkey is disabled"),
    (
        "ALTER TABLE app.visits ALTER CONSTRAINT visits_table_fkey DEFERRABLE INITIALLY DEFERRED",
        "foreign key visits_table_fkey is deferrable",
    ),
    (
        "ALTER TABLE app.visits DROP CONSTRAINT visits_table_fkey;
         ALTER TABLE app.visits ADD CONSTRAINT visits_table_fkey FOREIGN KEY (restaurant_id, table_id)
             REFERENCES app.tables (restaurant_id, id) ON DELETE CASCADE",
        "foreign key visits_table_fkey is `FOREIGN KEY (restaurant_id, table_id)",
    ),
    (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'app.visits_live_number_idx'::regclass",
        "unique index visits_live_number_idx has an invalid index",
    ),
    (
        "DROP INDEX app.visits_live_number_idx;
         CREATE UNIQUE INDEX visits_live_number_idx ON app.visits (restaurant_id, table_id, number)
             WHERE status <> 'gone'",
        "unique index visits_live_number_idx is `UNIQUE USING btree",
    ),
    (
        "DROP INDEX app.visits_start_idx; CREATE INDEX visits_start_idx ON app.visits (starts_at)",
        "index visits_start_idx is `USING btree (starts_at)`",
    ),
    (
        "ALTER TABLE app.visits ALTER slotkeeper_shadow DROP NOT NULL",
        "column slotkeeper_shadow is `boolean default false`, not `boolean not null default false`",
    ),
    (
        "ALTER TABLE app.visits ALTER slotkeeper_shadow DROP DEFAULT",
        "column slotkeeper_shadow is `boolean not null`, not `boolean not null default false`",
    ),
];

#[tokio::test]
async fn every_planted_drift_is_named_and_mended() {
    let (_database, mut client) = visits::clean().await;
    let guard = visits::full_guard().build().unwrap();
    guard.up(&mut client, &Up::new()).await.unwrap();
    let (sound, rows) = (catalog::read(&client).await, catalog::rows(&client).await);
    for (sql, said) in PLANTED {
        client.batch_execute(sql).await.unwrap();
        let found = guard.verify(&mut client).await.unwrap();
        let texts: Vec<_> = found.flaws.iter().map(ToString::to_string).collect();
        assert_eq!(texts.len(), 1, "{sql}: {texts:?}");
        assert!(texts[0].starts_with(said), "{texts:?}");
        let done = guard.up(&mut client, &Up::new()).await.unwrap();
        assert_eq!(done.objects.iter().filter(|built| built.work != Work::AlreadyThere).count(), 1, "{done}");
        assert_eq!(catalog::read(&client).await, sound, "{sql}");
        assert!(guard.verify(&mut client).await.unwrap().is_ok());
    }
    assert_eq!(catalog::rows(&client).await, rows);
}

#[tokio::test]
async fn a_database_or_role_that_takes_itself_for_a_replica_is_named() {
    let (database, mut client) = visits::clean().await;
    let guard = visits::full_guard().build().unwrap();
    guard.up(&mut client, &Up::new()).await.unwrap();
    client.batch_execute("SET session_replication_role = replica").await.unwrap();
    let found = guard.verify(&mut client).await.unwrap();
    assert_eq!(found.flaws[0].name, "session_replication_role of this session", "{found}");
    let sql = format!("ALTER DATABASE \"{0}\" SET session_replication_role = replica", database.name());
    client.batch_execute(&sql).await.unwrap();
    assert_eq!(guard.verify(&mut client).await.unwrap().flaws.len(), 2);
}

#[tokio::test]
async fn a_rule_that_no_longer_fits_the_table_is_named() {
    let (_database, mut client) = visits::clean().await;
    let guard = visits::full_guard().build().unwrap();
    guard.up(&mut client, &Up::new()).await.unwrap();
    client
        .batch_execute(
            "ALTER TABLE app.visits DROP CONSTRAINT visits_table_window_excl;
             ALTER TABLE app.visits DROP COLUMN party, DROP COLUMN ends_at",
        )
        .await
        .unwrap();
    let found = guard.verify(&mut client).await.unwrap();
    let flaws: Vec<_> = found.flaws.iter().map(|flaw| (flaw.name.as_str(), &flaw.state)).collect();
    let unevaluable = State::Unevaluable { sqlstate: "42703".into() };
    assert_eq!(
        flaws,
        [
            ("ends_at", &State::Missing),
            ("visits_table_window_excl_window", &unevaluable),
            ("visits_party_check", &unevaluable)
        ]
    );
}

#[tokio::test]
async fn what_has_the_name_of_a_rule_and_is_something_else_is_left_alone() {
    for (sql, name, by) in [
        (
            "CREATE INDEX visits_number_key ON app.visits (restaurant_id, number)",
            "visits_number_key",
            "index",
        ),
        ("CREATE UNIQUE INDEX visits_start_idx ON app.visits (id)", "visits_start_idx", "unique index"),
        ("CREATE TABLE app.visits_number_key ()", "visits_number_key", "another relation"),
        (
            "CREATE INDEX visits_live_number_idx ON app.tables (id)",
            "visits_live_number_idx",
            "another relation",
        ),
        (
            "ALTER TABLE app.visits ADD CONSTRAINT visits_table_window_excl CHECK (id > 0)",
            "visits_table_window_excl",
            "check",
        ),
    ] {
        let (_database, mut client) = visits::clean().await;
        client.batch_execute(sql).await.unwrap();
        let guard = visits::full_guard().build().unwrap();
        let error = guard.up(&mut client, &Up::new()).await.unwrap_err();
        let (table, rule) = ("app.visits".into(), name.into());
        assert_eq!(error, OpsError::NameTaken { table, rule, by: by.into() });
        let found = guard.verify(&mut client).await.unwrap();
        let flaw = found.flaws.iter().find(|flaw| flaw.name == name).unwrap();
        assert_eq!(flaw.state, State::NameTaken { by: by.into() }, "{sql}");
    }
}

#[tokio::test]
async fn an_index_left_invalid_by_a_failed_build_is_dropped_and_built_anew() {
    let (_database, mut client) = visits::clean().await;
    client.batch_execute("UPDATE app.visits SET number = 1 WHERE id = 2").await.unwrap();
    for name in ["visits_number_key", "\"visits_number_key~\""] {
        let sql = format!("CREATE UNIQUE INDEX CONCURRENTLY {name} ON app.visits (restaurant_id, number)");
        client.batch_execute(&sql).await.unwrap_err();
    }
    client.batch_execute("UPDATE app.visits SET number = 2 WHERE id = 2").await.unwrap();
    let guard = visits::guard().build().unwrap();
    let found = guard.verify(&mut client).await.unwrap();
    let states: Vec<_> = found.flaws.iter().filter(|f| f.name.contains("number")).map(|f| &f.state).collect();
    assert_eq!(states, [&State::InvalidIndex, &State::Leftover]);
    let done = guard.up(&mut client, &Up::new()).await.unwrap();
    assert!(done.objects.iter().any(|b| b.name == "visits_number_key" && b.work == Work::Rebuilt), "{done}");
    assert!(guard.verify(&mut client).await.unwrap().is_ok());
}

#[tokio::test]
async fn a_key_that_others_refer_to_is_not_replaced() {
    let (_database, mut client) = visits::clean().await;
    client
        .batch_execute(
            "ALTER TABLE app.visits ADD CONSTRAINT visits_number_key UNIQUE (number);
             CREATE TABLE app.bills (number integer REFERENCES app.visits (number))",
        )
        .await
        .unwrap();
    let guard = visits::guard().build().unwrap();
    let error = guard.up(&mut client, &Up::new()).await.unwrap_err();
    let (table, object) = ("app.visits".into(), "visits_number_key".into());
    assert_eq!(error, OpsError::InUse { table, object });
    assert!(!catalog::read(&client).await.contains("visits_number_key~"));
}
