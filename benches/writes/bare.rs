//! The floor: the row `holds().place` writes into `allocations`, by one prepared INSERT.

use crate::support::{House, recipes::BARE_HEAP};
use slotkeeper::{AllocationId, ClaimId};
use std::time::{Duration, Instant};

/// With all constraints and indexes of `allocations`: the unit of every ratio.
pub async fn bare_insert(house: &mut House, n: u64) -> Duration {
    let sql =
        "INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id, expires_at)
               VALUES ($1, $2, $3, $4, 'held', $5, statement_timestamp() + interval '180 s')";
    insert(house, sql, n).await
}

/// With none at all, not even a default: the way to the disk and back.
pub async fn bare_insert_heap(house: &mut House, n: u64) -> Duration {
    let sql = format!(
        "INSERT INTO {BARE_HEAP}
                (tenant_id, id, resource_id, during, kind, claim_id, expires_at, shadow, created_at)
         VALUES ($1, $2, $3, $4, 'held', $5, statement_timestamp() + interval '180 s', false,
                 statement_timestamp())"
    );
    insert(house, &sql, n).await
}

async fn insert(house: &mut House, sql: &str, n: u64) -> Duration {
    let statement = house.client.prepare_cached(sql).await.expect("a statement");
    let places: Vec<_> = (0..n).map(|_| house.place()).collect();
    let start = Instant::now();
    for (tenant, table, window) in places {
        let (id, claim) = (AllocationId::generate(), ClaimId::generate());
        let done = house.client.execute(&statement, &[&tenant, &id, &table, &window, &claim]).await;
        assert_eq!(done.expect("a free place"), 1);
    }
    start.elapsed()
}
