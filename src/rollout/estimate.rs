//! How long a step will take on this machine, with this table's rows.
//!
//! No figure of ours would hold elsewhere, so it is tried: some of the rows are copied into a temporary table, the object
//! is built there, and the time is extrapolated. The transaction is rolled back; the table itself is only read.

use std::time::{Duration, Instant};

use tokio_postgres::Transaction;

use super::ddl::{self, Ddl, ObjectKind};
use super::ident::Ident;
use super::table::TableInfo;
use super::{Guard, Rule};
use crate::migrate::MigrateError;

/// Enough for a tree of three levels, and copied and built in about a second.
const SAMPLE: u64 = 30_000;

/// An exclusion's build is the index, and then one look into it for each row: measured 1.7 to 2.1 times the index.
const LOOKING: f64 = 1.9;

/// A table's rows, some of them at hand.
pub(super) struct Sample {
    /// Rows of the table.
    pub(super) rows: u64,
    /// Rows that were copied.
    copied: u64,
    table: String,
}

impl Sample {
    /// Copies some rows to a table of the same name in `pg_temp`. Those without a sound window are left out: a range of
    /// theirs could not be made.
    pub(super) async fn take(
        tx: &Transaction<'_>,
        guard: &Guard,
        table: &TableInfo,
    ) -> Result<Self, MigrateError> {
        let (source, name) = (guard.table.quoted(), guard.table.name.quoted());
        let rows = match table.estimated_rows {
            // Never analyzed.
            0 => count(tx, &source).await?,
            rows => rows,
        };
        let (shadow, exists) = (guard.shadow.quoted(), table.column(&guard.shadow).is_some());
        let more = if exists { String::new() } else { format!(", false AS {shadow}") };
        #[allow(clippy::cast_precision_loss, reason = "a share of a table's rows")]
        let percent = (SAMPLE as f64 * 100.0 / rows.max(1) as f64).clamp(0.001, 100.0);
        let columns: Vec<String> = table.columns.iter().map(|column| column.name.quoted()).collect();
        // Whole pages: rows that were written together stay together, as the build will meet them.
        let some = if rows > 2 * SAMPLE {
            format!("TABLESAMPLE SYSTEM ({percent}) REPEATABLE (1)")
        } else {
            String::new()
        };
        let sql = format!(
            "CREATE TEMP TABLE {name} AS SELECT * FROM (SELECT {}{more} FROM {source} {some}) AS {name} WHERE {}",
            columns.join(", "),
            sound_windows(guard)
        );
        tx.batch_execute(&sql).await.map_err(MigrateError::from_driver)?;
        let copy = format!("pg_temp.{name}");
        Ok(Self { rows, copied: count(tx, &copy).await?, table: copy })
    }

    /// How long it takes to build on all rows what is built on these; `None` where it cannot be tried.
    pub(super) async fn time(
        &self,
        tx: &Transaction<'_>,
        guard: &Guard,
        table: &TableInfo,
        rule: &Rule,
        ddl: &Ddl,
    ) -> Result<Option<Duration>, MigrateError> {
        if self.copied == 0 {
            return Ok(Some(Duration::ZERO));
        }
        let mut tried = ddl.clone();
        tried.table.schema = Ident::temporary_schema();
        let (sql, factor) = match rule {
            // A temporary table refers to no lasting one.
            Rule::Reference(_) => return Ok(None),
            Rule::Check(_) => (tried.add(&ddl.name), 1.0),
            // Concurrently it reads the table twice.
            Rule::Unique(_) | Rule::Index(_) => {
                tried.kind = ObjectKind::Index;
                (tried.create_index(&ddl.name, ""), 2.0)
            }
            Rule::NoOverlap(rule) => {
                tried.definition = ddl::plain_index(guard, rule, table)?;
                (format!("CREATE INDEX ON {} {}", self.table, tried.definition), LOOKING)
            }
        };
        tx.batch_execute("SAVEPOINT tried").await.map_err(MigrateError::from_driver)?;
        let started = Instant::now();
        let done = tx.batch_execute(&sql).await;
        let took = started.elapsed();
        tx.batch_execute("ROLLBACK TO tried").await.map_err(MigrateError::from_driver)?;
        Ok(done.is_ok().then(|| took.mul_f64(factor * self.growth(rule))))
    }

    /// How much longer it takes with all rows: a tree is deeper by the logarithm.
    fn growth(&self, rule: &Rule) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "counts of rows")]
        let (all, some) = (self.rows as f64, self.copied as f64);
        match rule {
            Rule::Check(_) | Rule::Reference(_) => all / some,
            _ => (all * all.max(2.0).ln()) / (some * some.max(2.0).ln()),
        }
    }
}

/// What the checks of the windows say.
fn sound_windows(guard: &Guard) -> String {
    let checks = guard.rules.iter().filter_map(|rule| match rule {
        Rule::Check(check) if guard.is_window_check(check) => Some(format!("({})", check.expression)),
        _ => None,
    });
    let checks: Vec<String> = checks.collect();
    if checks.is_empty() { "true".into() } else { checks.join(" AND ") }
}

async fn count(tx: &Transaction<'_>, table: &str) -> Result<u64, MigrateError> {
    let row = tx.query_typed_one(&format!("SELECT count(*) FROM {table}"), &[]).await;
    Ok(row.map_err(MigrateError::from_driver)?.get::<_, i64>(0).unsigned_abs())
}
