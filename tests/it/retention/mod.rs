//! What is over leaves the tables that decide; what is live, referred to or waited for stays.

mod archive;
mod decisions;
mod plans;
mod poison;
mod races;
mod run;

use crate::support::*;
use slotkeeper::{
    BookingId, Claim,
    booking::BookPlaces,
    confirmation::Decision,
    migrate::Migrator,
    retention::{Age, Retained, RetentionBatch},
};

fn days(days: u32) -> Age {
    Age::days(days).unwrap()
}

/// Everything older than a day.
fn batch(h: &House) -> RetentionBatch {
    RetentionBatch::new(h.tenant, days(1))
}

async fn archive(h: &House, batch: RetentionBatch) -> Retained {
    h.keeper.retention().archive_allocations(&h.pool, &batch).await.unwrap()
}

async fn book(h: &House, claim: Claim) -> Decision {
    let request = BookPlaces::new(h.tenant, claim, fresh_key());
    h.keeper.bookings().book(&h.pool, &request).await.unwrap()
}

async fn booked(h: &House, claim: Claim) -> BookingId {
    book(h, claim).await.into_result().unwrap()
}

/// Puts everything there is twenty years into the past, and its window with it.
async fn age(h: &House) {
    let back = "interval '20 years'";
    let shift = |columns: &[&str]| {
        columns.iter().map(|column| format!("{column} = {column} - {back}")).collect::<Vec<_>>().join(", ")
    };
    let during = format!("during = tstzrange(lower(during) - {back}, upper(during) - {back})");
    let end = |name: &str| format!("'{name}', (e->'window'->>'{name}')::timestamptz - {back}");
    let history = format!(
        "history = (SELECT jsonb_agg(e || jsonb_build_object('window', jsonb_build_object({}, {})) ORDER BY at)
                      FROM jsonb_array_elements(history) WITH ORDINALITY h (e, at))",
        end("start"),
        end("end")
    );
    h.sql(&format!(
        "UPDATE slotkeeper.allocations SET {during}, {};
         UPDATE slotkeeper.holds SET {during}, {};
         UPDATE slotkeeper.bookings SET {during}, {history}, {};
         UPDATE slotkeeper.confirmations SET {};
         UPDATE slotkeeper.offered_slots SET {}",
        shift(&["created_at", "released_at", "expires_at"]),
        shift(&["placed_at", "expires_at", "latest_expires_at"]),
        shift(&["created_at", "updated_at"]),
        shift(&["decided_at"]),
        shift(&["starts_at"]),
    ))
    .await;
}

/// What the audit of the schema finds damaged, by name.
async fn damage(h: &House) -> Vec<String> {
    let audit = Migrator::new().audit(&mut h.db.client().await.unwrap()).await.unwrap();
    audit.damaged().map(|check| check.name.clone()).collect()
}

async fn rows(h: &House, table: &str) -> i64 {
    h.count(&format!("SELECT count(*) FROM slotkeeper.{table}")).await
}

/// The rows of allocations or of the archive, without when they came there.
async fn allocations(h: &House, table: &str) -> Vec<String> {
    let query = format!("SELECT (to_jsonb(t) - 'archived_at')::text FROM slotkeeper.{table} t ORDER BY 1");
    let found = h.db.client().await.unwrap().query(&query, &[]).await.unwrap();
    found.iter().map(|row| row.get(0)).collect()
}

/// The same for both together.
async fn everywhere(h: &House) -> Vec<String> {
    let mut all = allocations(h, "allocations").await;
    all.extend(allocations(h, "allocations_archive").await);
    all.sort();
    all
}
