//! How long a step will take on this machine, with this table's rows.
//!
//! No figure of ours would hold elsewhere, so it is tried: some of the rows are copied into a temporary table, the object
//! is built there, and the time is extrapolated. The transaction is rolled back; the table itself is only read.
//!
//! An exclusion is tried twice, on a quarter of the sample and on all of it, because its growth depends on the order in
//! which the rows were written: measured, the time for one row grows with the 0.1th power of their number if they were
//! written as time went by, and up to the 0.4th if they were not.

use std::time::{Duration, Instant};

use crate::ops::object::{Ddl, ObjectKind};
use crate::ops::transaction::Transaction;
use crate::ops::{DriverResult, Ident, OpsError, TableInfo, ident};
use crate::rollout::{Guard, NoOverlap, Rule, WindowColumns, objects};

/// Enough for a tree of three levels; copied and built in a few seconds.
const SAMPLE: u64 = 48_000;
/// The part of the sample that is tried first, in percent.
const PART: u32 = 25;

/// A lasting table costs more than a temporary one: its pages are shared and logged. Without this, estimates for 100,000
/// to a million rows came out at 0.4 to 0.9 of what the build took, on a busy machine.
const LASTING: f64 = 1.5;

/// A sample of a table's rows, in a temporary table.
pub(crate) struct Sample {
    /// Rows of the table.
    pub(crate) rows: u64,
    /// Rows that were copied.
    copied: u64,
}

impl Sample {
    /// Copies some rows to a table of the same name in `pg_temp`. Rows without a valid window are left out, because
    /// they make no range.
    pub(crate) async fn take(
        tx: &Transaction<'_>,
        guard: &Guard,
        table: &TableInfo,
    ) -> Result<Self, OpsError> {
        let source = guard.table.quoted();
        let rows = match table.estimated_rows {
            // Never analyzed.
            0 => count(tx, &source).await?,
            rows => rows,
        };
        let (shadow, exists) = (guard.shadow.quoted(), table.column(&guard.shadow).is_some());
        let more = if exists { String::new() } else { format!(", false AS {shadow}") };
        let percent = (real(SAMPLE) * 100.0 / real(rows.max(1))).clamp(0.001, 100.0);
        // Whole pages: rows that were written together stay together, as the build will meet them.
        let some = format!("TABLESAMPLE SYSTEM ({percent}) REPEATABLE (1)");
        let columns: Vec<Ident> = table.columns.iter().map(|column| column.name.clone()).collect();
        let (columns, name, copy) = (ident::list(&columns), guard.table.name.quoted(), copy(guard));
        let sql = format!(
            "CREATE TEMP TABLE {name} AS SELECT * FROM (SELECT {columns}{more} FROM {source} {some}) AS {name}
             WHERE {}",
            valid_windows(guard)
        );
        tx.batch_execute(&sql).await.driver()?;
        Ok(Self { rows, copied: count(tx, &copy).await? })
    }

    /// How long it takes to build on all rows what is built on these; `None` where it cannot be tried.
    pub(crate) async fn time(
        &self,
        tx: &Transaction<'_>,
        guard: &Guard,
        table: &TableInfo,
        rule: &Rule,
        ddl: &Ddl,
    ) -> Result<Option<Duration>, OpsError> {
        let mut tried = ddl.clone();
        tried.table.schema = Ident::temporary_schema();
        if self.copied == 0 {
            return Ok(Some(Duration::ZERO));
        }
        let share = real(self.rows) / real(self.copied);
        let took = match rule {
            // A temporary table refers to no lasting one.
            Rule::Reference(_) => None,
            Rule::Check(_) => attempt(tx, "", &tried.add(&ddl.name)).await?.map(|took| took.mul_f64(share)),
            Rule::Unique(_) | Rule::Index(_) => {
                tried.kind = ObjectKind::Index;
                let took = attempt(tx, "", &tried.create_index(&ddl.name, "")).await?;
                // A sort; and concurrently the table is read twice.
                let growth = real(self.rows.max(2)).ln() / real(self.copied.max(2)).ln();
                took.map(|took| took.mul_f64(2.0 * share * growth))
            }
            Rule::NoOverlap(rule) => {
                let (apart, build) = (keep_apart(guard, rule, table)?, tried.add(&ddl.name));
                let whole = attempt(tx, &apart, &build).await?;
                let part = attempt(tx, &(thin_out(guard) + &apart), &build).await?;
                // How much more than four times as long the whole takes.
                let power = part.zip(whole).map_or(0.0, |(part, whole)| {
                    let times = whole.as_secs_f64() / part.as_secs_f64().max(1e-6);
                    (times.ln() / (100.0 / f64::from(PART)).ln() - 1.0).clamp(0.0, 0.4)
                });
                whole.map(|whole| whole.mul_f64(LASTING * share.powf(1.0 + power)))
            }
        };
        Ok(took)
    }
}

/// Runs `sql` after `before` and takes it back; `None` if the rows do not allow it.
async fn attempt(tx: &Transaction<'_>, before: &str, sql: &str) -> Result<Option<Duration>, OpsError> {
    let set_up = format!("SAVEPOINT tried; {before}");
    tx.batch_execute(&set_up).await.driver()?;
    let started = Instant::now();
    let done = tx.batch_execute(sql).await;
    let took = started.elapsed();
    tx.batch_execute("ROLLBACK TO tried").await.driver()?;
    Ok(done.is_ok().then_some(took))
}

/// Drops every row of the sample that begins before an earlier one has ended.
fn keep_apart(guard: &Guard, rule: &NoOverlap, table: &TableInfo) -> Result<String, OpsError> {
    let (copy, counted) = (copy(guard), guard.counted());
    let range = objects::window(&rule.window, table)?;
    let (start, end) = match &rule.window {
        WindowColumns::Range(_) => (format!("lower({range})"), format!("upper({range})")),
        WindowColumns::Bounds { start, end } => (start.quoted(), end.quoted()),
    };
    let keys: Vec<Ident> = rule.resource.iter().chain(&guard.tenant).cloned().collect();
    let name = guard.table.name.quoted();
    Ok(format!(
        "DELETE FROM {copy} WHERE ctid IN (SELECT ctid FROM (
             SELECT ctid, {start} < max({end}) OVER (PARTITION BY {} ORDER BY {start}, {end}
                 ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS late
             FROM {copy} AS {name} WHERE {counted}) AS ranked WHERE late);",
        ident::list(&keys)
    ))
}

/// Leaves a part of the sample's pages.
fn thin_out(guard: &Guard) -> String {
    let copy = copy(guard);
    let rest = 100 - PART;
    format!(
        "DELETE FROM {copy} WHERE ctid IN (SELECT ctid FROM {copy} TABLESAMPLE SYSTEM ({rest}) REPEATABLE (2));"
    )
}

fn copy(guard: &Guard) -> String {
    format!("pg_temp.{}", guard.table.name.quoted())
}

/// The condition of all window checks.
fn valid_windows(guard: &Guard) -> String {
    let checks = guard.rules.iter().filter_map(|rule| match rule {
        Rule::Check(check) if guard.is_window_check(check) => Some(format!("({})", check.expression)),
        _ => None,
    });
    let checks: Vec<String> = checks.collect();
    if checks.is_empty() { "true".into() } else { checks.join(" AND ") }
}

async fn count(tx: &Transaction<'_>, table: &str) -> Result<u64, OpsError> {
    let row = tx.query_typed_one(&format!("SELECT count(*) FROM {table}"), &[]).await;
    Ok(row.driver()?.get::<_, i64>(0).unsigned_abs())
}

#[allow(clippy::cast_precision_loss, reason = "counts of rows, for a ratio")]
const fn real(count: u64) -> f64 {
    count as f64
}
