//! The rows a write leaves, written bare in one prepared statement that asks nothing and decides nothing: the floor of each
//! operation. What is between it and the library's call is what deciding, recording and answering cost.

use super::{library::hold_of, write::Write};
use crate::support::{House, fresh_key};
use serde_json::{Value, json};
use slotkeeper::{
    AllocationId, BookingId, ClaimId, ConfirmationId, HoldId, IdempotencyKey, ResourceId, TenantId, Window,
};
use tokio_postgres::{Statement, types::ToSql};

/// The rows of a hold of one place.
pub struct Place1;

const PLACE: &str = "
WITH claimed AS (
    INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id, expires_at)
    VALUES ($1, $2, $3, $4::tstzrange, 'held', $5, statement_timestamp() + interval '180 s')
)
INSERT INTO slotkeeper.holds (tenant_id, id, status, during, buffer_before_seconds, buffer_after_seconds,
       rows, expires_at, latest_expires_at)
VALUES ($1, $5, 'active', $4::tstzrange, 0, 0, 1, statement_timestamp() + interval '180 s',
        statement_timestamp() + interval '30 days')";

impl Write for Place1 {
    type Request = (Statement, TenantId, ResourceId, Window);

    async fn prepare(house: &mut House) -> Self::Request {
        let (tenant, table, window) = house.place();
        (prepared(house, PLACE).await, tenant, table, window)
    }

    async fn call(house: &House, (statement, tenant, table, window): Self::Request) {
        let (id, hold) = (AllocationId::generate(), HoldId::generate());
        written(house, &statement, &[&tenant, &id, &table, &window, &hold]).await;
    }
}

/// The rows of a confirm of two places: a hold and two allocations changed, three rows written.
pub struct Confirm2;

const CONFIRM: &str = "
WITH hold_written AS (
    UPDATE slotkeeper.holds SET status = 'consumed' WHERE tenant_id = $1 AND id = $2
), allocations_written AS (
    UPDATE slotkeeper.allocations SET kind = 'booked', expires_at = NULL WHERE tenant_id = $1 AND claim_id = $2
), booking_written AS (
    INSERT INTO slotkeeper.bookings (tenant_id, id, status, revision, during, buffer_before_seconds,
           buffer_after_seconds, claim_id, confirmation_id, metadata, history)
    VALUES ($1, $3, 'confirmed', 1, $4::tstzrange, 0, 0, $2, $5, '{}', $8)
), event AS (
    INSERT INTO slotkeeper.outbox (tenant_id, id, event, subject_id, body)
    VALUES ($1, $5, 'booking.confirmed', $3, $9)
)
INSERT INTO slotkeeper.confirmations (tenant_id, id, operation, key, checksum, outcome, booking_id, rows,
       snapshot)
VALUES ($1, $5, 'confirm', $6, $10, 'confirmed', $3, 2, $7)";

impl Write for Confirm2 {
    type Request = (Statement, TenantId, HoldId, Window, Record);

    async fn prepare(house: &mut House) -> Self::Request {
        let (tenant, hold) = hold_of(house, 2).await;
        let (_, table, window) = house.place();
        (prepared(house, CONFIRM).await, tenant, hold, window, Record::of("confirm", &[table, table], window))
    }

    async fn call(house: &House, (statement, tenant, hold, window, record): Self::Request) {
        let Record { id, booking, key, checksum, snapshot, history, body } = &record;
        let params: &[&(dyn ToSql + Sync)] =
            &[&tenant, &hold, booking, &window, id, key, snapshot, history, body, checksum];
        written(house, &statement, params).await;
    }
}

/// The rows of a booking of one place.
pub struct Book1;

const BOOK: &str = "
WITH claimed AS (
    INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id)
    VALUES ($1, $11, $12, $4::tstzrange, 'booked', $2)
), booking_written AS (
    INSERT INTO slotkeeper.bookings (tenant_id, id, status, revision, during, buffer_before_seconds,
           buffer_after_seconds, claim_id, confirmation_id, metadata, history)
    VALUES ($1, $3, 'confirmed', 1, $4::tstzrange, 0, 0, $2, $5, '{}', $8)
), event AS (
    INSERT INTO slotkeeper.outbox (tenant_id, id, event, subject_id, body)
    VALUES ($1, $5, 'booking.confirmed', $3, $9)
)
INSERT INTO slotkeeper.confirmations (tenant_id, id, operation, key, checksum, outcome, booking_id, rows,
       snapshot)
VALUES ($1, $5, 'book', $6, $10, 'confirmed', $3, 1, $7)";

impl Write for Book1 {
    type Request = (Statement, TenantId, ResourceId, Window, Record);

    async fn prepare(house: &mut House) -> Self::Request {
        let (tenant, table, window) = house.place();
        (prepared(house, BOOK).await, tenant, table, window, Record::of("book", &[table], window))
    }

    async fn call(house: &House, (statement, tenant, table, window, record): Self::Request) {
        let Record { id, booking, key, checksum, snapshot, history, body } = &record;
        let (claim, allocation) = (ClaimId::generate(), AllocationId::generate());
        let params: &[&(dyn ToSql + Sync)] = &[
            &tenant,
            &claim,
            booking,
            &window,
            id,
            key,
            snapshot,
            history,
            body,
            checksum,
            &allocation,
            &table,
        ];
        written(house, &statement, params).await;
    }
}

/// What a decision stores, as long as the library's.
pub struct Record {
    id: ConfirmationId,
    booking: BookingId,
    key: IdempotencyKey,
    checksum: Vec<u8>,
    snapshot: Value,
    history: Value,
    body: Value,
}

impl Record {
    fn of(operation: &str, tables: &[ResourceId], window: Window) -> Self {
        let (id, booking) = (ConfirmationId::generate(), BookingId::generate());
        let buffers = json!({ "before_seconds": 0, "after_seconds": 0 });
        let pairs: Vec<Value> =
            tables.iter().map(|table| json!({ "resource": table, "window": window })).collect();
        let resource = |table| json!({ "id": table, "kind": "table", "capacity": 4, "min_party": 1 });
        let place = |table| json!({ "id": AllocationId::generate(), "resource": table, "window": window });
        let snapshot = json!({
            "v": 1, "schema": 3, "operation": operation, "at": window.start(),
            "request": { "window": window, "pairs": pairs, "buffers": buffers },
            "resources": tables.iter().map(resource).collect::<Vec<_>>(),
            "allocations": tables.iter().map(place).collect::<Vec<_>>(),
        });
        let history = json!([{ "revision": 1, "status": "confirmed", "window": window, "confirmation": id,
                               "changed_at": window.start() }]);
        let body = json!({ "booking": booking, "revision": 1, "confirmation": id });
        let checksum = ClaimId::generate().as_uuid().as_bytes().repeat(2);
        Self { id, booking, key: fresh_key(), checksum, snapshot, history, body }
    }
}

async fn prepared(house: &House, sql: &str) -> Statement {
    house.client.prepare_cached(sql).await.expect("a statement")
}

/// The last statement of each writes one row.
async fn written(house: &House, statement: &Statement, params: &[&(dyn ToSql + Sync)]) {
    assert_eq!(house.client.execute(statement, params).await.expect("written"), 1);
}
