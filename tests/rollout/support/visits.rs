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
