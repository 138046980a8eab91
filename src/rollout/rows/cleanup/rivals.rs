//! Which rows are removed when several rules compete: of rows with one key, one always stays.
//!
//! Example: A duplicates B's number, B duplicates C's place. Removing B makes A valid. So a row is removed only if a row
//! with the same key breaks no rule itself; A is decided in the next run. The row with the highest precedence has no rival,
//! so every run makes progress, and the runs together keep the rows that one pass in order of precedence would keep.

use std::collections::HashSet;

use crate::ops::rows::{RowTable, params};
use crate::ops::transaction::Transaction;
use crate::ops::{DriverResult, Ident, OpsError, RowKey};
use crate::rollout::guard::Guard;
use crate::rollout::rows::Offender;
use crate::rollout::rule::Unique;

/// Those of one rule's `offenders` whose key a row has that is not among `all`, the offenders of every rule.
pub(super) async fn with_rivals(
    tx: &Transaction<'_>,
    guard: &Guard,
    table: &RowTable,
    rule: &Unique,
    all: &HashSet<RowKey>,
    offenders: Vec<Offender>,
) -> Result<Vec<Offender>, OpsError> {
    let leaving: Vec<&RowKey> = offenders.iter().map(|offender| &offender.key).chain(all).collect();
    let arrays = table.arrays(&leaving);
    let rows = tx.query_typed(&query(guard, table, rule, offenders.len()), &params(&arrays)).await;
    let rows = rows.driver()?;
    let with_rival: HashSet<usize> =
        rows.iter().filter_map(|row| usize::try_from(row.get::<_, i64>(0) - 1).ok()).collect();
    let keep = |(at, offender): (usize, Offender)| with_rival.contains(&at).then_some(offender);
    Ok(offenders.into_iter().enumerate().filter_map(keep).collect())
}

/// The condition that a row counts for the rule, on the table under its own name.
pub(super) fn counted(guard: &Guard, table: &RowTable, rule: &Unique) -> String {
    if !rule.live_only {
        return "true".to_owned();
    }
    let live = guard.live.as_ref().map_or_else(|| "true".to_owned(), |live| format!("({live})"));
    format!("{live} AND NOT {}", table.mark_of(&guard.table.name.quoted()))
}

/// A name that no column of the host's can have.
pub(super) const AT: &str = "\"slotkeeper at\"";

/// The query for the numbers of those of the first `candidates` leaving rows whose key a row has that does not leave.
fn query(guard: &Guard, table: &RowTable, rule: &Unique, candidates: usize) -> String {
    let (name, alias) = (guard.table.quoted(), guard.table.name.quoted());
    let same = |columns: &[Ident], one: &str, two: &str| {
        let equal = |column: &Ident| format!("{one}.{0} = {two}.{0}", column.quoted());
        columns.iter().map(equal).collect::<Vec<_>>().join(" AND ")
    };
    let counted = counted(guard, table, rule);
    format!(
        "WITH leaving AS MATERIALIZED (SELECT k.at AS {AT}, t.* FROM {keys} JOIN {name} AS t ON {on_key})
         SELECT l.{AT}::pg_catalog.int8 FROM leaving AS l WHERE l.{AT} <= {candidates} AND EXISTS (
             SELECT FROM (SELECT * FROM {name} AS {alias} WHERE {counted}) AS o WHERE {same_values}
             AND NOT EXISTS (SELECT FROM leaving AS x WHERE {same_row}))",
        keys = table.keys(),
        on_key = table.on_key(),
        same_values = same(&rule.columns, "o", "l"),
        same_row = same(&table.key_idents(), "x", "o"),
    )
}
