//! The library's own statements without the library: prepared once, on the driver's client, the same parameters.
//!
//! Checksum and record are made before the clock starts: hashing the request is part of what the library adds. The
//! types are those of `src/sql.rs`; a text that does not fit them fails to prepare.

use super::library::hold_of_two;
use crate::support::{House, fresh_key};
use serde_json::{Value, json};
use slotkeeper::{
    AllocationId, BookingId, ClaimId, ConfirmationId, HoldId, IdempotencyKey, ResourceId, Ttl, Window,
};
use std::time::{Duration, Instant};
use tokio_postgres::{
    Client, Row, Statement,
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
struct Request {
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

pub async fn raw_place_1(house: &mut House, n: u64) -> Duration {
    let places: Vec<_> = (0..n).map(|_| house.place()).collect();
    let (client, statement) = prepared(house, PLACE_SINGLE, PLACE_SINGLE_TYPES).await;
    let (ttl, life) = (Ttl::default().length().num_microseconds().expect("µs"), 30_i64 * 86_400 * 1_000_000);
    let start = Instant::now();
    for (tenant, table, window) in places {
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
        let row = one(client, &statement, params).await;
        assert_eq!(row.get::<_, &str>("outcome"), "placed");
    }
    start.elapsed()
}

pub async fn raw_confirm_2(house: &mut House, n: u64) -> Duration {
    let mut placed = Vec::new();
    for _ in 0..n {
        let (tenant, hold) = hold_of_two(house).await;
        placed.push((tenant, hold, Request::to_confirm(hold)));
    }
    let (client, statement) = prepared(house, CONFIRM_ACTIVE, CONFIRM_ACTIVE_TYPES).await;
    let (no_window, no_price, nothing) = (None::<Window>, None::<i64>, json!({}));
    let start = Instant::now();
    for (tenant, hold, Request { key, checksum, record }) in placed {
        let (booking, confirmation) = (BookingId::generate(), ConfirmationId::generate());
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
        let row = one(client, &statement, params).await;
        assert_eq!(row.get::<_, Option<&str>>("recorded"), Some("confirmed"));
    }
    start.elapsed()
}

pub async fn raw_book_1(house: &mut House, n: u64) -> Duration {
    let places: Vec<_> = (0..n)
        .map(|_| house.place())
        .map(|(tenant, table, window)| (tenant, table, window, Request::to_book(table, window)))
        .collect();
    let (client, statement) = prepared(house, BOOK_SINGLE, BOOK_SINGLE_TYPES).await;
    let (no_price, nothing) = (None::<i64>, json!({}));
    let start = Instant::now();
    for (tenant, table, window, Request { key, checksum, record }) in places {
        let (claim, allocation) = (ClaimId::generate(), AllocationId::generate());
        let (booking, confirmation) = (BookingId::generate(), ConfirmationId::generate());
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
        let row = one(client, &statement, params).await;
        assert_eq!(row.get::<_, Option<&str>>("recorded"), Some("confirmed"));
    }
    start.elapsed()
}

/// The driver's own client beneath the pool's wrapper, and the statement on it.
async fn prepared<'a>(house: &'a House, sql: &str, types: &[Type]) -> (&'a Client, Statement) {
    let statement = house.client.prepare_typed_cached(sql, types).await.expect("a statement");
    (&house.client, statement)
}

async fn one(client: &Client, statement: &Statement, params: &[&(dyn ToSql + Sync)]) -> Row {
    client.query_one(statement, params).await.expect("one row")
}
