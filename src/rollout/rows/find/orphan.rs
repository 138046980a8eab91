//! Rows whose parent does not exist.

use crate::ops::transaction::Transaction;
use crate::ops::{OpsError, TableInfo};
use crate::rollout::rows::find::scope::{Scope, all_given, as_texts};
use crate::rollout::rule::Reference;

/// The parent's alias; the parent may be the table itself.
const PARENT: &str = "\"slotkeeper parent\"";

/// Rows whose key has no row in the parent. A key with a NULL refers to nothing (`MATCH SIMPLE`).
pub(super) fn query(scope: &Scope<'_>, rule: &Reference) -> String {
    let alias = scope.alias();
    let same: Vec<String> = std::iter::zip(&rule.columns, &rule.parent_columns)
        .map(|(column, parent)| format!("{PARENT}.{} = {alias}.{}", parent.quoted(), column.quoted()))
        .collect();
    format!(
        "SELECT {tenant}, {key}, NULL::text[] FROM {source} WHERE {given} AND {ours}
         AND NOT EXISTS (SELECT FROM {parent} AS {PARENT} WHERE {same})",
        tenant = scope.tenant(),
        key = as_texts(&scope.key()),
        source = scope.source(),
        given = all_given(&rule.columns),
        ours = scope.ours(),
        parent = rule.parent.quoted(),
        same = same.join(" AND "),
    )
}

/// The parent with its key, or an error that names what is missing.
pub(super) async fn expect_parent(tx: &Transaction<'_>, rule: &Reference) -> Result<(), OpsError> {
    let parent = TableInfo::existing(tx, &rule.parent).await?;
    rule.parent_columns.iter().try_for_each(|column| parent.expect_column(column).map(|_| ()))
}
