//! Re-checks under lock whether the rows of a batch still have to be removed. The artifact may be minutes old, or days if a
//! run is resumed: since it was written, the competing row may have been deleted, or the missing parent inserted.

use std::collections::HashMap;

use crate::ops::artifact::Record;
use crate::ops::rows::{RowTable, params};
use crate::ops::transaction::Transaction;
use crate::ops::{DriverResult, Ident, OpsError, RowKey, TableName};
use crate::rollout::guard::Guard;
use crate::rollout::rows::cleanup::rivals::{AT, counted};
use crate::rollout::rule::{Reference, Rule, Unique};

/// Splits `ready`, which are locked for removal, into rows that still break the rule they leave for and all others. Within
/// [`text_form`](crate::ops::rows::text_form).
pub(super) async fn split<'a>(
    tx: &Transaction<'_>,
    guard: &Guard,
    table: &RowTable,
    ready: Vec<&'a Record>,
) -> Result<(Vec<&'a RowKey>, Vec<&'a RowKey>), OpsError> {
    let keys: Vec<&RowKey> = ready.iter().map(|record| &record.key).collect();
    let mut breaking: HashMap<&str, Vec<bool>> = HashMap::new();
    for rule in &guard.rules {
        let name = rule.name().as_str();
        let leaves_for = |record: &&Record| record.cause.as_ref().is_some_and(|cause| cause.rule == name);
        let sql = match rule {
            Rule::Unique(rule) => has_rival(guard, table, rule),
            Rule::Reference(rule) => lacks_parent(table, &guard.table, rule),
            _ => continue,
        };
        if !ready.iter().any(leaves_for) {
            continue;
        }
        let arrays = table.arrays(&keys);
        let rows = tx.query_typed(&sql, &params(&arrays)).await.driver()?;
        let mut flags = vec![false; keys.len()];
        for row in rows {
            let at = usize::try_from(row.get::<_, i64>(0) - 1).unwrap_or(usize::MAX);
            flags.get_mut(at).into_iter().for_each(|flag| *flag = true);
        }
        breaking.insert(name, flags);
    }
    let (mut leave, mut stay) = (Vec::new(), Vec::new());
    for (at, record) in ready.into_iter().enumerate() {
        let flags = record.cause.as_ref().and_then(|cause| breaking.get(cause.rule.as_str()));
        let side = if flags.is_some_and(|flags| flags[at]) { &mut leave } else { &mut stay };
        side.push(&record.key);
    }
    Ok((leave, stay))
}

/// The query for the numbers of the rows that have a rival: a row with the same key that is not removed with them. The
/// rival is locked until the end of the transaction; a row that another session is changing does not count as one. One pass
/// over the table: before the key is unique there may be no index on it.
fn has_rival(guard: &Guard, table: &RowTable, rule: &Unique) -> String {
    let (name, alias) = (guard.table.quoted(), guard.table.name.quoted());
    // Names that no column of the host's can have, because the host's condition names columns without their table.
    let renamed = |what: &str, columns: &[Ident]| -> Vec<(String, String)> {
        let name = |(at, column): (usize, &Ident)| (column.quoted(), format!("\"slotkeeper {what} {at}\""));
        columns.iter().enumerate().map(name).collect()
    };
    let (values, key) = (renamed("value", &rule.columns), renamed("key", &table.key_idents()));
    let select: Vec<String> = values.iter().chain(&key).map(|(of, to)| format!("t.{of} AS {to}")).collect();
    let same = |pairs: &[(String, String)], from: &str| {
        let equal = |(of, to): &(String, String)| format!("{alias}.{of} = {from}.{to}");
        pairs.iter().map(equal).collect::<Vec<_>>().join(" AND ")
    };
    let counted = counted(guard, table, rule);
    format!(
        "WITH leaving AS MATERIALIZED (
             SELECT k.at AS {AT}, {select} FROM {keys} JOIN {name} AS t ON {on_key})
         SELECT l.{AT}::pg_catalog.int8 FROM leaving AS l JOIN {name} AS {alias} ON {same_values}
         WHERE {counted} AND NOT EXISTS (SELECT FROM leaving AS x WHERE {same_row})
         FOR KEY SHARE OF {alias} SKIP LOCKED",
        select = select.join(", "),
        keys = table.keys(),
        on_key = table.on_key(),
        same_values = same(&values, "l"),
        same_row = same(&key, "x"),
    )
}

/// The query for the numbers of the rows whose parent does not exist.
fn lacks_parent(table: &RowTable, name: &TableName, rule: &Reference) -> String {
    let same: Vec<String> = std::iter::zip(&rule.columns, &rule.parent_columns)
        .map(|(column, parent)| format!("p.{} = t.{}", parent.quoted(), column.quoted()))
        .collect();
    let given: Vec<String> =
        rule.columns.iter().map(|column| format!("t.{} IS NOT NULL", column.quoted())).collect();
    format!(
        "SELECT k.at::pg_catalog.int8 FROM {} JOIN {} AS t ON {} WHERE {}
         AND NOT EXISTS (SELECT FROM {} AS p WHERE {})",
        table.keys(),
        name.quoted(),
        table.on_key(),
        given.join(" AND "),
        rule.parent.quoted(),
        same.join(" AND "),
    )
}
