//! The floor: the row `holds().place` writes into `allocations`, by one prepared INSERT.

use super::write::Write;
use crate::support::{House, recipes::BARE_HEAP};
use slotkeeper::{AllocationId, ClaimId, ResourceId, TenantId, Window};
use tokio_postgres::Statement;

/// With all constraints and indexes of `allocations`: the unit of every ratio.
pub struct BareInsert;

/// With none at all, not even a default: the way to the disk and back.
pub struct BareInsertHeap;

type Row = (Statement, TenantId, ResourceId, Window);

impl Write for BareInsert {
    type Request = Row;

    async fn prepare(house: &mut House) -> Row {
        let sql = "INSERT INTO slotkeeper.allocations
                          (tenant_id, id, resource_id, during, kind, claim_id, expires_at)
                   VALUES ($1, $2, $3, $4::tstzrange, 'held', $5, statement_timestamp() + interval '180 s')";
        row(house, sql).await
    }

    async fn call(house: &House, request: Row) {
        insert(house, request).await;
    }
}

impl Write for BareInsertHeap {
    type Request = Row;

    async fn prepare(house: &mut House) -> Row {
        let sql = format!(
            "INSERT INTO {BARE_HEAP}
                    (tenant_id, id, resource_id, during, kind, claim_id, expires_at, shadow, created_at)
             VALUES ($1, $2, $3, $4::tstzrange, 'held', $5, statement_timestamp() + interval '180 s', false,
                     statement_timestamp())"
        );
        row(house, &sql).await
    }

    async fn call(house: &House, request: Row) {
        insert(house, request).await;
    }
}

async fn row(house: &mut House, sql: &str) -> Row {
    let (tenant, table, window) = house.place();
    (house.client.prepare_cached(sql).await.expect("a statement"), tenant, table, window)
}

async fn insert(house: &House, (statement, tenant, table, window): Row) {
    let (id, claim) = (AllocationId::generate(), ClaimId::generate());
    let done = house.client.execute(&statement, &[&tenant, &id, &table, &window, &claim]).await;
    assert_eq!(done.expect("a free place"), 1);
}
