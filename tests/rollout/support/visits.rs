//! A host's table as they are found: no constraint but a primary key, and rows that should not be.

use slotkeeper::rollout::{Guard, GuardBuilder, WindowColumns};
use tokio_postgres::Client;

pub const TENANT_A: &str = "00000000-0000-0000-0000-00000000000a";
pub const TENANT_B: &str = "00000000-0000-0000-0000-00000000000b";

/// `app.visits` and `app.tables`, empty.
pub async fn create(client: &Client) {
    client
        .batch_execute(
            "CREATE EXTENSION IF NOT EXISTS btree_gist;
             CREATE SCHEMA app;
             CREATE TABLE app.tables (
                 restaurant_id uuid NOT NULL, id integer NOT NULL, PRIMARY KEY (restaurant_id, id));
             CREATE TABLE app.visits (
                 id            bigint PRIMARY KEY,
                 restaurant_id uuid NOT NULL,
                 table_id      integer NOT NULL,
                 starts_at     timestamptz,
                 ends_at       timestamptz,
                 number        integer,
                 status        text NOT NULL DEFAULT 'booked',
                 paid_at       timestamptz,
                 created_at    timestamptz NOT NULL DEFAULT statement_timestamp(),
                 party         integer NOT NULL DEFAULT 2,
                 note          text)",
        )
        .await
        .unwrap();
}

/// The usual description of it.
pub fn guard() -> GuardBuilder {
    Guard::on("app", "visits")
        .tenant("restaurant_id")
        .confirmed_at("paid_at")
        .created_at("created_at")
        .live("status <> 'cancelled'")
        .no_overlap(
            "visits_table_window_excl",
            &["table_id"],
            WindowColumns::bounds("starts_at", "ends_at").unwrap(),
        )
        .unique("visits_number_key", &["restaurant_id", "number"])
        .reference(
            "visits_table_fkey",
            &["restaurant_id", "table_id"],
            ("app", "tables"),
            &["restaurant_id", "id"],
        )
        .check("visits_party_check", "party > 0")
}

/// A database with the table, ten tables to sit at for each tenant, and 40 visits that break no rule.
pub async fn clean() -> (kit::Database, Client) {
    let database = kit::empty_database().await.unwrap();
    let client = database.client().await.unwrap();
    create(&client).await;
    client
        .batch_execute(&format!(
            "INSERT INTO app.tables SELECT t::uuid, n FROM unnest(ARRAY['{TENANT_A}', '{TENANT_B}']) AS t,
                 generate_series(1, 10) AS n;
             INSERT INTO app.visits (id, restaurant_id, table_id, starts_at, ends_at, number)
             SELECT at, t::uuid, n, day, day + interval '2 hours', at
             FROM (SELECT row_number() OVER (ORDER BY t, n, day) AS at, t, n, day
                   FROM unnest(ARRAY['{TENANT_A}', '{TENANT_B}']) AS t, generate_series(1, 10) AS n,
                       generate_series(timestamptz '2030-01-01Z', '2030-01-02Z', '1 day') AS day) AS v",
        ))
        .await
        .unwrap();
    (database, client)
}

/// A visit of tenant A's at table 1 that begins at noon of a day of January 2030 and lasts two hours.
pub fn insert(id: i32, day: u32) -> String {
    format!(
        "INSERT INTO app.visits (id, restaurant_id, table_id, starts_at, ends_at, number)
         VALUES ({id}, '{TENANT_A}', 1, '2030-01-{day:02} 12:00Z', '2030-01-{day:02} 14:00Z', {id})"
    )
}

/// With an index for speed and a unique key of live rows besides the usual.
pub fn full_guard() -> GuardBuilder {
    guard().unique_live("visits_live_number_idx", &["restaurant_id", "table_id", "number"]).index(
        "visits_start_idx",
        &["restaurant_id", "starts_at"],
        true,
    )
}
