//! Which rows break a rule, and which of them have to leave so that it holds.
//!
//! Only the table itself is read: an index may be what is broken, so none is used. Every rule takes a constant number of
//! passes over the table, and only offenders are sent to the client, streamed.
//!
//! | rule | passes | sent to the client |
//! |---|---|---|
//! | no overlap | one sort by resource and start | rows of chains of overlaps, one chain at a time |
//! | unique | one grouping, one join | rows beyond the first of a key |
//! | reference | one anti-join | rows without a parent |
//! | check | one scan | rows that do not satisfy it |
//!
//! Of rows that exclude each other one stays: the precedence, then the earliest confirmed, then the earliest created, then
//! the one with the smallest primary key.

mod duplicate;
mod invalid;
mod orphan;
mod overlap;
mod scope;
mod tally;

use futures_util::TryStreamExt as _;

use self::scope::Scope;
use self::tally::Tally;
use crate::ops::transaction::Transaction;
use crate::ops::{DriverResult, FindingKind, OpsError, RowKey, TableInfo};
use crate::rollout::guard::Guard;
use crate::rollout::rows::{Finding, Offender, Sample};
use crate::rollout::rule::{Check, Rule};

/// No index is used; a sort or hash takes up to 64 MB of memory, beyond that the disk; no time-out. Values are printed as
/// text that any session reads back the same. A policy that hides rows is an error.
const SETTINGS: &str =
    "SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off;
    SET LOCAL enable_bitmapscan = off; SET LOCAL enable_tidscan = off; SET LOCAL jit = off;
    SET LOCAL work_mem = '64MB'; SET LOCAL statement_timeout = 0; SET LOCAL row_security = off;
    SET LOCAL DateStyle = 'ISO, MDY'; SET LOCAL IntervalStyle = 'postgres'; SET LOCAL extra_float_digits = 1;
    SET LOCAL bytea_output = 'hex'";

/// The rows of `table` that must leave so that `rule` holds, of one tenant or of all. Rows of other tenants are not
/// considered at all.
///
/// # Errors
/// [`NoPrimaryKey`](OpsError::NoPrimaryKey), because single rows could not be addressed; missing tables and columns;
/// [`Unevaluable`](OpsError::Unevaluable) if an expression fails on some row.
///
/// # Transactions
/// A savepoint of `tx`, rolled back: no setting outlives the call, and after an error `tx` can go on.
pub(crate) async fn offenders(
    tx: &mut Transaction<'_>,
    guard: &Guard,
    table: &TableInfo,
    rule: &Rule,
    tenant: Option<&str>,
) -> Result<Vec<Offender>, OpsError> {
    let _ = table.expect_key()?;
    let mut tally = Tally::of_offenders();
    run(tx, guard, table, rule, tenant, &mut tally).await?;
    Ok(tally.into_offenders())
}

/// How rows break `rule`, with up to `samples` examples; `None` if none does. Memory does not grow with their number,
/// except for the longest chain of overlaps. A table without a primary key will do.
///
/// # Errors
/// # Transactions
/// As [`offenders`].
pub(crate) async fn finding(
    tx: &mut Transaction<'_>,
    guard: &Guard,
    table: &TableInfo,
    rule: &Rule,
    samples: usize,
) -> Result<Option<Finding>, OpsError> {
    let mut tally = Tally::of_samples(samples);
    run(tx, guard, table, rule, None, &mut tally).await?;
    let Some(kind) = kind(guard, rule) else { return Ok(None) };
    Ok(tally.into_finding(rule, kind, guard.tenant.is_some()))
}

/// In which way rows can break the rule; `None` for an index, which no row can break.
pub(crate) fn kind(guard: &Guard, rule: &Rule) -> Option<FindingKind> {
    match rule {
        Rule::NoOverlap(_) => Some(FindingKind::Overlap),
        Rule::Unique(_) => Some(FindingKind::Duplicate),
        Rule::Reference(_) => Some(FindingKind::Orphan),
        Rule::Check(check) if guard.is_window_check(check) => Some(FindingKind::InvalidWindow),
        Rule::Check(_) => Some(FindingKind::InvalidRow),
        Rule::Index(_) => None,
    }
}

async fn run(
    tx: &mut Transaction<'_>,
    guard: &Guard,
    table: &TableInfo,
    rule: &Rule,
    tenant: Option<&str>,
    tally: &mut Tally,
) -> Result<(), OpsError> {
    let Some(kind) = kind(guard, rule) else { return Ok(()) };
    let scope = Scope::new(guard, table, tenant);
    scope.expect_columns(rule)?;
    let savepoint = tx.savepoint().await?;
    let done = pass(&savepoint, &scope, rule, kind, tally).await;
    savepoint.rollback().await.driver()?;
    done
}

async fn pass(
    tx: &Transaction<'_>,
    scope: &Scope<'_>,
    rule: &Rule,
    kind: FindingKind,
    tally: &mut Tally,
) -> Result<(), OpsError> {
    tx.batch_execute(SETTINGS).await.driver()?;
    if let Rule::Reference(reference) = rule {
        orphan::expect_parent(tx, reference).await?;
    }
    let done = match rule {
        Rule::NoOverlap(rule) => overlap::run(tx, scope, rule, tally).await,
        Rule::Unique(rule) => rows(tx, scope, &duplicate::query(scope, rule), kind, tally).await,
        Rule::Reference(rule) => rows(tx, scope, &orphan::query(scope, rule), kind, tally).await,
        Rule::Check(rule) => rows(tx, scope, &invalid::query(scope, rule), kind, tally).await,
        Rule::Index(_) => Ok(()),
    };
    done.map_err(|error| unevaluable(error, scope.table, rule))
}

/// Runs a query that returns the tenant, the key of the row that leaves, and the key of the row that stays instead.
async fn rows(
    tx: &Transaction<'_>,
    scope: &Scope<'_>,
    sql: &str,
    kind: FindingKind,
    tally: &mut Tally,
) -> Result<(), tokio_postgres::Error> {
    let mut stream = std::pin::pin!(tx.query_typed_raw(sql, scope.params()).await?);
    while let Some(row) = stream.try_next().await? {
        let (tenant, key): (Option<String>, _) = (row.try_get(0)?, RowKey(row.try_get(1)?));
        let against: Option<Vec<String>> = row.try_get(2)?;
        tally.add(tenant.as_deref(), 1);
        if tally.wants_sample() {
            let against = against.map(RowKey);
            tally.sample(Sample { tenant: tenant.clone(), row: key.clone(), against });
        }
        tally.offender(Offender { key, tenant, kind });
    }
    Ok(())
}

/// Names the rule in the error of its query: data exceptions, unknown names and wrong types are the rule's fault.
fn unevaluable(error: tokio_postgres::Error, table: &TableInfo, rule: &Rule) -> OpsError {
    let kept = OpsError::from_driver(error);
    match kept {
        OpsError::Database { sqlstate: Some(ref code) }
            if ["22", "42", "0A", "P0", "38", "39"].iter().any(|class| code.starts_with(class)) =>
        {
            let (table, rule) = (table.name.to_string(), rule.name().to_string());
            OpsError::Unevaluable { table, rule, sqlstate: code.clone() }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests;
