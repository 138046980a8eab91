//! Our own tables with a bit of everything in them: every verb, every status, every kind of row.

use slotkeeper::{
    Claim, CustomerRef, IdempotencyKey, ResourceId, ResourceKind, ResourceName, Slotkeeper, TenantId, Window,
    allocation::Block,
    booking::{BookPlaces, CancelBooking, ConfirmHold, EraseCustomer, MoveBooking, RequestBooking},
    chrono::{DateTime, TimeDelta, Utc},
    hold::{PlaceHold, ReleaseHold, ReplaceHold},
    resource::NewResource,
};
use tokio_postgres::Client;

pub fn key() -> IdempotencyKey {
    IdempotencyKey::new(uuid::Uuid::now_v7().to_string()).unwrap()
}

/// 2030-01-01T00:00Z plus minutes.
pub fn window(from: i64, to: i64) -> Window {
    window_in(2030, from, to)
}

fn window_in(year: i32, from: i64, to: i64) -> Window {
    let day: DateTime<Utc> = format!("{year}-01-01T00:00:00Z").parse().unwrap();
    Window::new(day + TimeDelta::minutes(from), day + TimeDelta::minutes(to)).unwrap()
}

pub async fn tables(client: &Client, tenant: TenantId, count: usize) -> Vec<ResourceId> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let (kind, name) = (ResourceKind::new("table").unwrap(), ResourceName::new("table").unwrap());
        let new = NewResource::new(tenant, kind, name);
        ids.push(Slotkeeper::new().resources().create(client, &new).await.unwrap().id);
    }
    ids
}

/// A bit of everything for one tenant.
pub async fn fill(client: &Client, tenant: TenantId) {
    fill_in(client, tenant, 2030).await;
}

/// The same, on the first day of a year.
pub async fn fill_in(client: &Client, tenant: TenantId, year: i32) {
    let window = |from, to| window_in(year, from, to);
    let keeper = Slotkeeper::new();
    let (holds, bookings) = (keeper.holds(), keeper.bookings());
    let tables = tables(client, tenant, 2).await;
    let both = |from| Claim::all(tables.iter().copied(), window(from, from + 30)).unwrap();
    let book = |from| BookPlaces::new(tenant, both(from), key());
    let place = |from| PlaceHold::new(tenant, both(from));

    // Holds: active, consumed, released, replaced, expired.
    holds.place(client, &place(0)).await.unwrap();
    let consumed = holds.place(client, &place(30)).await.unwrap().id;
    let confirm = ConfirmHold::new(tenant, consumed, key());
    assert!(bookings.confirm(client, &confirm).await.unwrap().outcome.is_success());
    let released = holds.place(client, &place(60)).await.unwrap().id;
    holds.release(client, &ReleaseHold::new(tenant, released)).await.unwrap();
    let replaced = holds.place(client, &place(60)).await.unwrap().id;
    holds.replace(client, &ReplaceHold::new(replaced, place(210))).await.unwrap();
    let expired = holds.place(client, &place(240)).await.unwrap().id;
    let sql = "WITH h AS (UPDATE slotkeeper.holds SET expires_at = now() - interval '1 s' WHERE id = $1)
        UPDATE slotkeeper.allocations SET expires_at = now() - interval '1 s' WHERE claim_id = $1";
    client.execute(sql, &[&expired]).await.unwrap();

    // Bookings: confirmed, cancelled, moved, pending, pending and cancelled; and refusals.
    let cancelled = bookings.book(client, &book(90)).await.unwrap().into_result().unwrap();
    assert!(!bookings.book(client, &book(90)).await.unwrap().outcome.is_success());
    let cancel = CancelBooking::new(tenant, cancelled, key());
    bookings.cancel(client, &cancel).await.unwrap().into_result().unwrap();
    let moved = bookings.book(client, &book(120)).await.unwrap().into_result().unwrap();
    let to = MoveBooking::new(tenant, moved, 1, Claim::one(tables[0], window(150, 180)), key());
    bookings.move_to(client, &to).await.unwrap().into_result().unwrap();
    bookings.request(client, &RequestBooking::new(tenant, window(0, 30))).await.unwrap();
    let pending = bookings.request(client, &RequestBooking::new(tenant, window(0, 30))).await.unwrap();
    let cancel = CancelBooking::new(tenant, pending, key());
    bookings.cancel(client, &cancel).await.unwrap().into_result().unwrap();
    let erase = EraseCustomer::new(tenant, CustomerRef::new("nobody").unwrap(), key());
    assert!(bookings.erase(client, &erase).await.unwrap().outcome.is_success());

    let allocations = keeper.allocations();
    allocations.block(client, &Block::new(tenant, both(180))).await.unwrap();
    let opened = allocations.block(client, &Block::new(tenant, both(270))).await.unwrap();
    allocations.unblock(client, tenant, opened).await.unwrap();
}

const TABLES: [&str; 9] = [
    "resources",
    "holds",
    "allocations",
    "bookings",
    "confirmations",
    "outbox",
    "availability_cache",
    "offered_slots",
    "allocations_archive",
];

/// One digest over every row of every table: equal before and after means that nothing changed.
pub async fn digest(client: &Client, schema: &str) -> String {
    let part = |table| {
        format!(
            "coalesce((SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {schema}.{table} t), '-')"
        )
    };
    let sql = format!("SELECT {}", TABLES.map(part).join(" || "));
    client.query_one(&sql, &[]).await.unwrap().get(0)
}

/// Copies every row aside, for [`back`].
pub async fn keep(client: &Client) {
    let tables = TABLES.iter().chain(&["migrations"]);
    let copies: String = tables.map(|t| format!("CREATE TABLE kept.{t} AS TABLE slotkeeper.{t};")).collect();
    client.batch_execute(&format!("CREATE SCHEMA kept; {copies}")).await.unwrap();
}

/// Every row as it was when [`keep`] copied it.
pub async fn back(client: &Client) {
    let tables = TABLES.iter().chain(&["migrations"]);
    let sql: String = tables
        .map(|t| format!("TRUNCATE slotkeeper.{t} CASCADE; INSERT INTO slotkeeper.{t} TABLE kept.{t};"))
        .collect();
    client.batch_execute(&sql).await.unwrap();
}
