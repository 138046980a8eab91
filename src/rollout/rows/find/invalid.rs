//! Rows that do not satisfy a check.

use crate::rollout::rows::find::Check;
use crate::rollout::rows::find::scope::{Scope, as_texts};

/// Rows for which the expression is false; unknown is satisfied, as in the constraint.
pub(super) fn query(scope: &Scope<'_>, rule: &Check) -> String {
    format!(
        "SELECT {tenant}, {key}, NULL::text[] FROM {source} WHERE NOT ({expression}) AND {ours}",
        tenant = scope.tenant(),
        key = as_texts(&scope.key()),
        source = scope.source(),
        expression = rule.expression,
        ours = scope.ours(),
    )
}
