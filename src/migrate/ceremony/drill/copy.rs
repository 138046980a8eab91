//! Rows of whole tenants, copied from one snapshot, and sums to compare them by.

use std::collections::BTreeMap;

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::migrate::Migrator;
use crate::migrate::catalog::CATALOG;
use crate::migrate::ceremony::drill::Drill;
use crate::ops::transaction::{ALL_ROWS, NO_TIMEOUTS, PRINTED, READING, Transaction};
use crate::ops::{DriverResult, OpsError};
use crate::schema::SchemaName;

/// Rows and their hash, table by table: equal sums are equal rows, in whatever order.
pub(super) type Sums = BTreeMap<String, (i64, String)>;

/// Copies at most `most` rows, and returns their sums, which those of the copy have to equal.
pub(super) async fn copy(
    migrator: &Migrator,
    scratch: &SchemaName,
    client: &mut Client,
    most: u64,
    drill: &mut Drill,
) -> Result<Sums, OpsError> {
    let mode = "ISOLATION LEVEL REPEATABLE READ, READ WRITE";
    let tx = Transaction::begin(client, mode, &[NO_TIMEOUTS, ALL_ROWS, PRINTED]).await?;
    let tenants = tenants(&tx, &migrator.schema, most, drill).await?;
    let mut expected = Sums::new();
    for (table, columns) in tables(migrator) {
        let from = format!("\"{}\".\"{table}\" WHERE tenant_id = ANY ($1::text[]::uuid[])", migrator.schema);
        let sql = format!("INSERT INTO \"{scratch}\".\"{table}\" ({columns}) SELECT {columns} FROM {from}");
        let params = [(&tenants as _, Type::TEXT_ARRAY)];
        drill.rows += tx.execute_typed(&sql, &params).await.driver()?;
        let row = tx.query_typed_one(&sum(&columns, &from), &params).await.driver()?;
        expected.insert(table.to_owned(), (row.get(0), row.get(1)));
    }
    tx.commit().await.driver()?;
    Ok(expected)
}

/// The sums of the copy.
pub(super) async fn sums(scratch: &SchemaName, client: &mut Client) -> Result<Sums, OpsError> {
    let tx = Transaction::begin(client, READING, &[NO_TIMEOUTS, PRINTED]).await?;
    let mut found = Sums::new();
    for (table, columns) in tables(&Migrator::new()) {
        let sql = sum(&columns, &format!("\"{scratch}\".\"{table}\""));
        let row = tx.query_typed_one(&sql, &[]).await.driver()?;
        found.insert(table.to_owned(), (row.get(0), row.get(1)));
    }
    Ok(found)
}

fn sum(columns: &str, from: &str) -> String {
    format!("SELECT count(*), coalesce(sum(hashtextextended(ROW({columns})::text, 0)), 0)::text FROM {from}")
}

/// Tables with their columns, parents first: the reverse of the order in which they are dropped.
fn tables(migrator: &Migrator) -> Vec<(&'static str, String)> {
    let names = migrator.migrations.iter().flat_map(|migration| migration.tables_dropped().into_iter().rev());
    let columns = |table: &str| {
        let quoted = CATALOG.columns(table).map(|(column, _)| format!("\"{column}\""));
        quoted.collect::<Vec<_>>().join(", ")
    };
    names.map(|table| (table, columns(table))).collect()
}

/// The smallest tenants whose rows together are at most `most`, but one at least.
async fn tenants(
    tx: &Transaction<'_>,
    schema: &SchemaName,
    most: u64,
    drill: &mut Drill,
) -> Result<Vec<String>, OpsError> {
    let tables = CATALOG.tables().into_iter().filter(|table| *table != "migrations");
    let counts: Vec<String> = tables
        .map(|table| {
            format!("SELECT tenant_id, count(*) AS n FROM \"{schema}\".\"{table}\" GROUP BY tenant_id")
        })
        .collect();
    let sql = format!(
        "WITH tenant AS (SELECT tenant_id, sum(n) AS n FROM ({}) t GROUP BY tenant_id),
              so_far AS (SELECT tenant_id, sum(n) OVER smallest AS rows, row_number() OVER smallest AS at FROM tenant
                         WINDOW smallest AS (ORDER BY n, tenant_id ROWS UNBOUNDED PRECEDING))
         SELECT coalesce(array_agg(tenant_id::text) FILTER (WHERE rows <= $1 OR at = 1), '{{}}'), count(*) FROM so_far",
        counts.join(" UNION ALL ")
    );
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let row = tx.query_typed_one(&sql, &[(&most, Type::INT8)]).await.driver()?;
    let tenants: Vec<String> = row.get(0);
    drill.tenants = tenants.len() as u64;
    drill.of_tenants = row.get::<_, i64>(1).unsigned_abs();
    Ok(tenants)
}
