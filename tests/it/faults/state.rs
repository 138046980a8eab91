//! What the database holds: a digest, and rows by table.

use crate::support::*;

/// Rows by table, in the order of the tables.
pub type Rows = [i64; 7];

const TABLES: [&str; 7] = [
    "slotkeeper.resources",
    "slotkeeper.holds",
    "slotkeeper.allocations",
    "slotkeeper.bookings",
    "(SELECT b.tableoid, e.* FROM slotkeeper.bookings b CROSS JOIN jsonb_array_elements(b.history) e)",
    "slotkeeper.confirmations",
    "slotkeeper.outbox",
];

/// Makes a hold's time be over, as if it had passed.
pub async fn expire(h: &House, hold: slotkeeper::HoldId) {
    let text = format!(
        "UPDATE slotkeeper.holds SET expires_at = now() - interval '1 ms' WHERE id = '{hold}';
         UPDATE slotkeeper.allocations SET expires_at = now() - interval '1 ms'
          WHERE claim_id = '{hold}' AND kind = 'held'"
    );
    h.pool.get().await.unwrap().batch_execute(&text).await.unwrap();
}

/// One digest over every row, and the number of rows by table. Deactivating twice touches a time stamp: not counted.
pub async fn state(h: &House) -> (String, Rows) {
    let digest = TABLES.map(|table| {
        let text = "(to_jsonb(t) - CASE WHEN t.tableoid = 'slotkeeper.resources'::regclass
                                        THEN 'updated_at' ELSE '' END)::text";
        format!("coalesce((SELECT md5(string_agg({text}, '|' ORDER BY {text})) FROM {table} t), '-')")
    });
    let counts = TABLES.map(|table| format!("(SELECT count(*) FROM {table} t)"));
    let query = format!("SELECT {}, {}", digest.join(" || "), counts.join(", "));
    let row = h.pool.get().await.unwrap().query_one(&query, &[]).await.unwrap();
    (row.get(0), std::array::from_fn(|n| row.get(n + 1)))
}

pub fn added(before: Rows, after: Rows) -> Rows {
    std::array::from_fn(|n| after[n] - before[n])
}
