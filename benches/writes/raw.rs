//! The library's own statements without the library: prepared once, on the driver's client, the same parameters.
//!
//! Checksum and record are made beforehand: hashing the request is part of what the library adds. The
//! types are those of `src/sql.rs`; a text that does not fit them fails to prepare.

use super::{library::hold_of, write::Write};
use crate::support::{House, fresh_key};
use serde_json::{Value, json};
use slotkeeper::{
    AllocationId, BookingId, ClaimId, ConfirmationId, HoldId, IdempotencyKey, ResourceId, TenantId, Ttl,
    Window,
};
use tokio_postgres::{
    Row, Statement,
    types::{ToSql, Type},
};

macro_rules! types {
    ($($ty:ident),*) => { &[$(Type::$ty),*] };
}

const PLACE_SINGLE: &str = include_str!("../../src/sql/hold/place_single.sql");
const PLACE_SINGLE_TYPES: &[Type] =
    types![UUID, UUID, UUID, TSTZ_RANGE, UUID, TSTZ_RANGE, INT4, INT4, INT8, INT8, TEXT, TEXT];
const CONFIRM_ACTIVE: &str = include_str!("../../src/sql/booking/confirm_active.sql");
const CONFIRM_ACTIVE_TYPES: &[Type] =
    types![UUID, UUID, UUID, UUID, TEXT, BYTEA, JSONB, TSTZ_RANGE, TEXT, TEXT, INT8, TEXT, TEXT, JSONB];
const BOOK_SINGLE: &str = include_str!("../../src/sql/booking/book_single.sql");
const BOOK_SINGLE_TYPES: &[Type] = types![
    UUID, UUID, UUID, TSTZ_RANGE, UUID, TSTZ_RANGE, INT4, INT4, UUID, UUID, TEXT, BYTEA, JSONB, TEXT, TEXT,
    INT8, TEXT, TEXT, JSONB
];

/// A column nobody gave a value for.
const NO_TEXT: Option<&str> = None;

/// What a caller's request becomes on its way: as long as the real ones.
pub struct Request {
    key: IdempotencyKey,
    checksum: Vec<u8>,
    record: Value,
}

impl Request {
    fn new(operation: &str, request: &Value) -> Self {
        let record = json!({ "operation": operation, "request": request, "v": 1, "schema": 1 });
        Self { key: fresh_key(), checksum: ClaimId::generate().as_uuid().as_bytes().repeat(2), record }
    }

    fn to_confirm(hold: HoldId) -> Self {
        Self::new("confirm", &json!({ "hold": hold }))
    }

    fn to_book(resource: ResourceId, window: Window) -> Self {
        let buffers = json!({ "before_seconds": 0, "after_seconds": 0 });
        let pairs = json!([{ "resource": resource, "window": window }]);
        Self::new("book", &json!({ "window": window, "pairs": pairs, "buffers": buffers }))
    }
}

/// The statement of [`Place1`](super::library::Place1).
pub struct RawPlace1;

impl Write for RawPlace1 {
    type Request = (Statement, TenantId, ResourceId, Window);

    async fn prepare(house: &mut House) -> Self::Request {
        let (tenant, table, window) = house.place();
        (prepared(house, PLACE_SINGLE, PLACE_SINGLE_TYPES).await, tenant, table, window)
    }

    async fn call(house: &House, (statement, tenant, table, window): Self::Request) {
        let (ttl, life) =
            (Ttl::default().length().num_microseconds().expect("µs"), 30_i64 * 86_400 * 1_000_000);
        let (hold, allocation) = (HoldId::generate(), AllocationId::generate());
        let params: &[&(dyn ToSql + Sync)] = &[
            &tenant,
            &hold,
            &table,
            &window,
            &allocation,
            &window,
            &0_i32,
            &0_i32,
            &ttl,
            &life,
            &NO_TEXT,
            &NO_TEXT,
        ];
        let row = one(house, &statement, params).await;
        assert_eq!(row.get::<_, &str>("outcome"), "placed");
    }
}

/// The statement of [`Confirm2`](super::library::Confirm2).
pub struct RawConfirm2;

impl Write for RawConfirm2 {
    type Request = (Statement, TenantId, HoldId, Request);

    async fn prepare(house: &mut House) -> Self::Request {
        let (tenant, hold) = hold_of(house, 2).await;
        let statement = prepared(house, CONFIRM_ACTIVE, CONFIRM_ACTIVE_TYPES).await;
        (statement, tenant, hold, Request::to_confirm(hold))
    }

    async fn call(house: &House, (statement, tenant, hold, request): Self::Request) {
        let (booking, confirmation) = (BookingId::generate(), ConfirmationId::generate());
        let (no_window, no_price, nothing) = (None::<Window>, None::<i64>, json!({}));
        let Request { key, checksum, record } = request;
        let params: &[&(dyn ToSql + Sync)] = &[
            &tenant,
            &hold,
            &booking,
            &confirmation,
            &key,
            &checksum,
            &record,
            &no_window,
            &NO_TEXT,
            &NO_TEXT,
            &no_price,
            &NO_TEXT,
            &NO_TEXT,
            &nothing,
        ];
        let row = one(house, &statement, params).await;
        assert_eq!(row.get::<_, Option<&str>>("recorded"), Some("confirmed"));
    }
}

/// The statement of [`Book1`](super::library::Book1).
pub struct RawBook1;

impl Write for RawBook1 {
    type Request = (Statement, TenantId, ResourceId, Window, Request);

    async fn prepare(house: &mut House) -> Self::Request {
        let (tenant, table, window) = house.place();
        let statement = prepared(house, BOOK_SINGLE, BOOK_SINGLE_TYPES).await;
        (statement, tenant, table, window, Request::to_book(table, window))
    }

    async fn call(house: &House, (statement, tenant, table, window, request): Self::Request) {
        let (claim, allocation) = (ClaimId::generate(), AllocationId::generate());
        let (booking, confirmation) = (BookingId::generate(), ConfirmationId::generate());
        let (no_price, nothing) = (None::<i64>, json!({}));
        let Request { key, checksum, record } = request;
        let params: &[&(dyn ToSql + Sync)] = &[
            &tenant,
            &claim,
            &table,
            &window,
            &allocation,
            &window,
            &0_i32,
            &0_i32,
            &booking,
            &confirmation,
            &key,
            &checksum,
            &record,
            &NO_TEXT,
            &NO_TEXT,
            &no_price,
            &NO_TEXT,
            &NO_TEXT,
            &nothing,
        ];
        let row = one(house, &statement, params).await;
        assert_eq!(row.get::<_, Option<&str>>("recorded"), Some("confirmed"));
    }
}

/// Typed as the library does, so that the driver asks the server nothing.
async fn prepared(house: &House, sql: &str, types: &[Type]) -> Statement {
    house.client.prepare_typed_cached(sql, types).await.expect("a statement")
}

/// On the driver's own client beneath the pool's wrapper.
async fn one(house: &House, statement: &Statement, params: &[&(dyn ToSql + Sync)]) -> Row {
    house.client.query_one(statement, params).await.expect("one row")
}
