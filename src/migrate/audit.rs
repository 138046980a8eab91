//! Whether the rows keep what the library promises, judged from the rows alone.
//!
//! The constraints keep most of it at every moment. This looks at what no constraint can: what one table promises of
//! another, what a restore, a superuser or a bug may have broken, and what got in while a constraint was gone. No index
//! takes part, because a broken one would confirm itself.
//!
//! | checks | what must be true |
//! |---|---|
//! | `allocation_…` | live rows of a resource do not overlap; each has the active hold or confirmed booking it belongs to |
//! | `allocation_mark`, `allocation_hidden` | a row marked for repair says since when, and overlaps nothing claimed later |
//! | `blackout_…` | a blackout is whole, and as its event says while the relay has not taken that |
//! | `hold_…` | an unexpired hold has all its places at the window shown; consumed and booked go together |
//! | `booking_…` | a confirmed booking has exactly the places its last decision recorded; its history adds up |
//! | `decision_…`, `event_…` | a decision had its effect once; its record agrees with itself and with its checksum |
//! | `rule.…` | every row satisfies every check, key, foreign key and `NOT NULL` of the schema |
//! | `migrations` | the history of the schema is this release's |
//!
//! What [retention](crate::retention) may have taken is not missed: places whose time is over, bookings and their decisions
//! after them. Events leave with the relay, so none is missed either.

mod checks;
mod report;
mod rules;

pub use report::{Audit, AuditCheck, AuditTenant};

use std::time::Instant;

use futures_util::{TryStreamExt, pin_mut};
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use crate::confirmation::{self, Integrity};
use crate::migrate::catalog::CATALOG;
use crate::migrate::{Migrator, history};
use crate::ops::session;
use crate::ops::transaction::{ALL_ROWS, Transaction};
use crate::ops::{DriverResult, OpsError};

/// Ids kept of each check and tenant.
const SAMPLES: usize = 5;
/// Tenants kept of each check; all are counted.
const TENANTS: usize = 100;

/// Hash and merge joins over whole tables: linear, and independent of every index.
const SETTINGS: &str = "SET LOCAL work_mem = '64MB';
    SET LOCAL jit = off;
    SET LOCAL enable_indexscan = off;
    SET LOCAL enable_indexonlyscan = off;
    SET LOCAL enable_bitmapscan = off;
    SET LOCAL enable_nestloop = off;";

impl Migrator {
    /// Checks every row against every other, see [`Audit`]. It reads each table a few times, from one snapshot, and
    /// holds up nobody; on a standby it does as well.
    ///
    /// # Errors
    /// [`MissingTable`](OpsError::MissingTable) if a table of this release is not there,
    /// [`PermissionDenied`](OpsError::PermissionDenied) if the role may not read one or a policy hides rows from it;
    /// otherwise what the connection or the server reports. Damage is not an error: see [`Audit::is_clean`].
    ///
    /// # Transactions
    /// One, `REPEATABLE READ`, read only, rolled back.
    pub async fn audit(&self, client: &mut Client) -> Result<Audit, OpsError> {
        let started = Instant::now();
        let mut tx = session::reading(client, &[ALL_ROWS, SETTINGS].concat()).await?;
        expect_tables(self, &tx).await?;
        let mut checks = vec![migrations(self, &tx).await?];
        for check in checks::all() {
            checks.push(run(self, &mut tx, &check).await?);
        }
        checks.extend(records(self, &tx).await?);
        let at = tx.query_typed_one("SELECT transaction_timestamp()", &[]).await;
        let at = at.driver()?.get(0);
        tx.rollback().await.driver()?;
        Ok(Audit { at, duration: started.elapsed(), checks })
    }
}

/// A check on a table that is not there could only fail.
async fn expect_tables(migrator: &Migrator, tx: &Transaction<'_>) -> Result<(), OpsError> {
    let sql = "SELECT t.name FROM unnest($2::text[]) WITH ORDINALITY AS t (name, at) WHERE NOT EXISTS (
                   SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                    WHERE n.nspname = $1 AND c.relname = t.name AND c.relkind IN ('r', 'p'))
                ORDER BY t.at LIMIT 1";
    let schema = migrator.schema.as_str();
    let params = [(&schema as _, Type::TEXT), (&CATALOG.tables() as _, Type::TEXT_ARRAY)];
    match tx.query_typed_opt(sql, &params).await.driver()? {
        Some(row) => Err(OpsError::MissingTable { table: format!("{schema}.{}", row.get::<_, &str>(0)) }),
        None => Ok(()),
    }
}

/// Pending, unknown and edited migrations, by number.
async fn migrations(migrator: &Migrator, tx: &Transaction<'_>) -> Result<AuditCheck, OpsError> {
    let status = history::status(history::read(tx, &migrator.schema).await?, migrator.migrations);
    let wrong = status.migrations.iter().filter(|m| m.changed || !m.known || m.applied_at.is_none());
    let mut check = AuditCheck::new("migrations");
    for migration in wrong {
        check.add(None, migration.version.to_string());
    }
    Ok(check)
}

/// Under a savepoint: a row so broken that the check cannot be evaluated must not end the audit.
async fn run(
    migrator: &Migrator,
    tx: &mut Transaction<'_>,
    check: &checks::Check,
) -> Result<AuditCheck, OpsError> {
    let mut found = AuditCheck::new(&check.name);
    found.waiting = check.name == checks::WAITING;
    let sql = checks::counting(&check.sql, SAMPLES);
    let savepoint = tx.savepoint().await?;
    match savepoint.query_typed(&migrator.schema.qualify(&sql), &[]).await {
        Ok(rows) => {
            for row in rows {
                let rows: i64 = row.get(1);
                found.add_tenant(row.get(0), rows.unsigned_abs(), row.get(2));
            }
        }
        // Data exceptions, and limits that only damaged data meets.
        Err(error) if error.code().is_some_and(|code| code.code().starts_with("22")) => {
            found.unreadable = error.code().map(|code| code.code().to_owned());
        }
        Err(error) => return Err(OpsError::from_driver(error)),
    }
    savepoint.rollback().await.driver()?;
    Ok(found)
}

/// Every record of a decision, read by the library's own reader, row by row: those that are damaged, and those that only a
/// newer version can read.
async fn records(migrator: &Migrator, tx: &Transaction<'_>) -> Result<[AuditCheck; 2], OpsError> {
    let sql =
        "SELECT operation, checksum, outcome, booking_id, rows, decided_at, snapshot, key, tenant_id::text,
                        id::text
                 FROM slotkeeper.confirmations";
    let params: [(&(dyn ToSql + Sync), Type); 0] = [];
    let rows = tx.query_typed_raw(&migrator.schema.qualify(sql), params).await;
    let rows = rows.driver()?;
    pin_mut!(rows);
    let (mut damaged, mut newer) = (AuditCheck::new("decision_record"), AuditCheck::new("decision_unknown"));
    newer.waiting = true;
    while let Some(row) = rows.try_next().await.driver()? {
        // A value that is not what its column holds makes a damaged record, not an error.
        match confirmation::integrity(&row).unwrap_or(Integrity::Damaged) {
            Integrity::Consistent => {}
            Integrity::Newer => newer.add(row.get(8), row.get(9)),
            Integrity::Damaged => damaged.add(row.get(8), row.get(9)),
        }
    }
    Ok([damaged, newer])
}
