//! Strict constraints for a booking system as such systems are found, rehearsed on rows as they are found: four stages
//! forward, back, and forward again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::catalog;
use slotkeeper::constraint_map::ConstraintMap;
use slotkeeper::migrate::OpsError;
use slotkeeper::rollout::{Down, Guard, Stage, Up, WindowColumns, Work};
use tokio_postgres::Client;

const SCHEMA: &str = "
    CREATE SCHEMA app;
    CREATE TABLE app.tables (restaurant_id integer, id integer, PRIMARY KEY (restaurant_id, id));
    CREATE TABLE app.slots (
        id integer PRIMARY KEY, restaurant_id integer NOT NULL, table_id integer NOT NULL,
        starts_at timestamptz, ends_at timestamptz, available boolean NOT NULL DEFAULT true);
    CREATE TABLE app.bookings (
        id integer PRIMARY KEY, restaurant_id integer NOT NULL, table_id integer, slot_id integer,
        starts_at timestamptz, ends_at timestamptz, status text NOT NULL DEFAULT 'confirmed',
        confirmed_at timestamptz, party integer,
        CONSTRAINT bookings_slot_key UNIQUE (slot_id, status));
    CREATE TABLE app.blocked_windows (
        id integer PRIMARY KEY, restaurant_id integer NOT NULL, table_id integer NOT NULL,
        starts_at timestamptz, ends_at timestamptz);
    INSERT INTO app.tables SELECT r, t FROM generate_series(1, 3) AS r, generate_series(1, 10) AS t;
    INSERT INTO app.slots
    SELECT at, r, t, h, h + interval '2 hours' FROM (
        SELECT row_number() OVER (ORDER BY r, t, h) AS at, r, t, h FROM generate_series(1, 3) AS r, generate_series(1, 10) AS t,
            generate_series(timestamptz '2030-01-01 12:00Z', '2030-01-01 20:00Z', '2 hours') AS h) AS s;
    INSERT INTO app.bookings (id, restaurant_id, table_id, slot_id, starts_at, ends_at, party)
    SELECT id, restaurant_id, table_id, id, starts_at, ends_at, 2 FROM app.slots WHERE id % 2 = 0;
    INSERT INTO app.blocked_windows SELECT id, restaurant_id, table_id, starts_at, ends_at FROM app.slots WHERE id % 5 = 0;";

/// Existing bad rows: two windows that end before they begin, an overlap in each table, a booking of no slot, a party
/// of nobody.
const BAD: &str = "
    UPDATE app.slots SET ends_at = starts_at - interval '1 hour' WHERE id = 7;
    UPDATE app.blocked_windows SET ends_at = NULL WHERE id = 10;
    INSERT INTO app.slots VALUES (901, 1, 1, '2030-01-01 12:30Z', '2030-01-01 13:30Z');
    INSERT INTO app.bookings VALUES (902, 1, 1, 2, '2030-01-01 14:30Z', '2030-01-01 15:30Z', 'seated', NULL, 2);
    INSERT INTO app.blocked_windows VALUES (903, 1, 1, '2030-01-01 20:30Z', '2030-01-01 21:30Z');
    UPDATE app.bookings SET slot_id = 999 WHERE id = 4;
    UPDATE app.bookings SET party = 0 WHERE id = 6";

/// What an operator decides about each, once the column to mark them is there.
const MENDED: &str = "
    UPDATE app.slots SET slotkeeper_shadow = true WHERE id IN (7, 901);
    UPDATE app.bookings SET slotkeeper_shadow = true WHERE id = 902;
    UPDATE app.blocked_windows SET slotkeeper_shadow = true WHERE id IN (10, 903);
    UPDATE app.bookings SET slot_id = NULL WHERE id = 4;
    UPDATE app.bookings SET party = NULL WHERE id = 6";

fn guards() -> [Guard; 3] {
    let window = || WindowColumns::bounds("starts_at", "ends_at").unwrap();
    let on = |table, name: &str| {
        Guard::on("app", table)
            .tenant("restaurant_id")
            .no_overlap(&format!("{name}_window_excl"), &["table_id"], window())
            .reference(
                &format!("{name}_table_fkey"),
                &["restaurant_id", "table_id"],
                ("app", "tables"),
                &["restaurant_id", "id"],
            )
    };
    [
        on("slots", "slots").live("available OR NOT available").index(
            "slots_availability_idx",
            &["restaurant_id", "starts_at"],
            true,
        ),
        on("bookings", "bookings")
            .live("status <> 'cancelled'")
            .confirmed_at("confirmed_at")
            .unique("bookings_slot_key", &["slot_id", "table_id", "status"])
            .reference("bookings_slot_fkey", &["slot_id"], ("app", "slots"), &["id"])
            .check("bookings_party_check", "party > 0"),
        on("blocked_windows", "blocked"),
    ]
    .map(|guard| guard.build().unwrap())
}

async fn up(client: &mut Client, stage: Stage) -> Vec<Result<bool, OpsError>> {
    let mut done = Vec::new();
    for guard in guards() {
        done.push(guard.up(client, &Up::new().through(stage)).await.map(|done| done.changed()));
    }
    done
}

async fn rows(client: &Client) -> Vec<String> {
    let mut rows = Vec::new();
    for table in ["slots", "bookings", "blocked_windows"] {
        let sql = format!(
            "SELECT md5(string_agg((to_jsonb(t) - 'slotkeeper_shadow')::text, '' ORDER BY id)) FROM app.{table} AS t"
        );
        rows.push(client.query_one(&sql, &[]).await.unwrap().get(0));
    }
    rows
}

#[tokio::test]
async fn four_stages_forward_back_and_forward_on_rows_as_they_are_found() {
    let database = kit::empty_database().await.unwrap();
    let mut client = database.client().await.unwrap();
    client.batch_execute(SCHEMA).await.unwrap();
    client.batch_execute(BAD).await.unwrap();
    let found = rows(&client).await;
    let bare = catalog::read(&client).await;

    assert_eq!(up(&mut client, Stage::Backfill).await, [Ok(true), Ok(true), Ok(true)]);
    // Every table has rows that are in the way, each is named, and none is changed.
    let refused = up(&mut client, Stage::Blockers).await;
    let rule = |table: &str, rule: &str| {
        Err(OpsError::StillViolated { table: format!("app.{table}"), rule: rule.into() })
    };
    assert_eq!(
        refused,
        [
            rule("slots", "slots_window_excl_window"),
            rule("bookings", "bookings_slot_fkey"),
            rule("blocked_windows", "blocked_window_excl_window")
        ]
    );
    assert_eq!(rows(&client).await, found);
    client.batch_execute(MENDED).await.unwrap();
    let mended = rows(&client).await;
    for (stage, changed) in
        [(Stage::Integrity, [true; 3]), (Stage::Indexes, [true, true, false]), (Stage::Blockers, [true; 3])]
    {
        assert_eq!(up(&mut client, stage).await, changed.map(Ok), "{stage}");
    }
    for guard in guards() {
        let verified = guard.verify_rows(&mut client).await.unwrap();
        assert!(verified.is_ok(), "{verified}");
    }
    let strict = catalog::read(&client).await;
    assert_eq!(
        up(&mut client, Stage::Blockers).await,
        [Ok(false), Ok(false), Ok(false)],
        "safe to run again"
    );

    // Back, stage by stage, in reverse order; the old key is gone with the new one, which has its name.
    for guard in guards().iter().rev() {
        for _ in Stage::ALL {
            guard.down(&mut client, &Down::new()).await.unwrap();
        }
        let drop = Down::new().dropping_column(true).forgetting_marks(true);
        guard.down(&mut client, &drop).await.unwrap();
    }
    assert_eq!(rows(&client).await, mended);
    let without_old_key = |text: &str| {
        text.lines().filter(|line| !line.contains("bookings_slot_key")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(catalog::read(&client).await, without_old_key(&bare));
    up(&mut client, Stage::Backfill).await;
    client.batch_execute(MENDED).await.unwrap();
    assert_eq!(up(&mut client, Stage::Blockers).await, [Ok(true), Ok(true), Ok(true)]);
    assert_eq!(catalog::read(&client).await, strict);
    assert_eq!(rows(&client).await, mended);

    // Lightweight questions are answered by the indexes that were built.
    client.batch_execute("SET enable_seqscan = off").await.unwrap();
    let sql = "EXPLAIN SELECT id FROM app.slots WHERE restaurant_id = 1 AND starts_at >= '2030-01-01' AND (available OR NOT available)";
    let plan: Vec<String> = client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert!(plan.iter().any(|line| line.contains("slots_availability_idx")), "{plan:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_create_the_same_table_and_time_exactly_one_wins() {
    let database = kit::empty_database().await.unwrap();
    let mut client = database.client().await.unwrap();
    client.batch_execute(SCHEMA).await.unwrap();
    up(&mut client, Stage::Blockers).await;
    for round in 0..5 {
        let mut callers = Vec::new();
        for caller in 0..8 {
            let client = database.client().await.unwrap();
            callers.push(tokio::spawn(async move {
                let insert = format!(
                    "INSERT INTO app.bookings (id, restaurant_id, table_id, starts_at, ends_at, party)
                     VALUES ({}, 1, 1, '2031-01-0{day} 12:{caller}0Z'::timestamptz - interval '{caller}0 minutes', '2031-01-0{day} 14:00Z', 2)",
                    1000 + round * 10 + caller,
                    day = round + 1,
                    caller = caller % 6,
                );
                client.batch_execute(&insert).await
            }));
        }
        let map = ConstraintMap::builder()
            .guard(&guards()[1], "bookings_window_excl", |_| "taken")
            .build()
            .unwrap();
        let (mut won, mut taken) = (0, 0);
        for caller in callers {
            match caller.await.unwrap() {
                Ok(()) => won += 1,
                // A plain INSERT may be chosen as the victim of a deadlock between waiting inserts; it is no winner.
                Err(error) if error.code().is_some_and(|code| code.code() == "40P01") => taken += 1,
                Err(error) => {
                    assert_eq!(map.map(error).unwrap(), "taken");
                    taken += 1;
                }
            }
        }
        assert_eq!((won, taken), (1, 7), "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_constraint_is_never_gone_before_the_new_one_holds() {
    let database = kit::empty_database().await.unwrap();
    let mut client = database.client().await.unwrap();
    client.batch_execute(SCHEMA).await.unwrap();
    client
        .batch_execute(
            "ALTER TABLE app.bookings ADD CONSTRAINT bookings_party_check CHECK (party >= 0);
             ALTER TABLE app.bookings ADD CONSTRAINT bookings_slot_fkey FOREIGN KEY (slot_id) REFERENCES app.slots (id)
                 DEFERRABLE;
             CREATE EXTENSION btree_gist;
             ALTER TABLE app.bookings ADD CONSTRAINT bookings_window_excl EXCLUDE USING gist (table_id WITH =,
                 restaurant_id WITH =, tstzrange(starts_at, ends_at) WITH &&) WHERE (status <> 'cancelled')",
        )
        .await
        .unwrap();
    let (watcher, stop) = (database.client().await.unwrap(), Arc::new(AtomicBool::new(false)));
    let stopped = stop.clone();
    let watching = tokio::spawn(async move {
        let sql = "SELECT count(*) FROM pg_constraint WHERE convalidated AND conname IN
            ('bookings_party_check', 'bookings_slot_fkey', 'bookings_window_excl', 'bookings_slot_key')";
        let (mut looks, mut least) = (0, i64::MAX);
        while !stopped.load(Ordering::Relaxed) {
            least = least.min(watcher.query_one(sql, &[]).await.unwrap().get(0));
            looks += 1;
        }
        (looks, least)
    });
    let done = guards()[1].up(&mut client, &Up::new()).await.unwrap();
    stop.store(true, Ordering::Relaxed);
    let (looks, least) = watching.await.unwrap();
    println!("{looks} looks\n{done}");
    let replaced = done.objects.iter().filter(|built| built.work == Work::Replaced).count();
    assert_eq!((replaced, least), (4, 4));
    assert!(looks > 10);
}
