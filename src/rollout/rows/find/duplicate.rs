//! Rows with the same key.

use crate::ops::ident;
use crate::rollout::rows::find::scope::{Scope, all_given, as_texts};
use crate::rollout::rule::Unique;

/// Rows beyond the first of each key, with that first row. Repeated keys are found before anything is sorted, because they
/// are few; materialized, so that the workers of a parallel plan do not each find them again.
pub(super) fn query(scope: &Scope<'_>, rule: &Unique) -> String {
    let key = scope.key();
    let columns = ident::list(&rule.columns);
    let counted = if rule.live_only { scope.guard.counted() } else { "true".to_owned() };
    let rows =
        format!("{} WHERE {} AND ({counted}) AND {}", scope.source(), all_given(&rule.columns), scope.ours());
    let terms = scope.precedence().into_iter().map(|(by, how)| format!("{by} {how}"));
    let order: Vec<String> = terms.chain(key.iter().cloned()).collect();
    let (keys, firsts): (Vec<String>, Vec<String>) =
        (0..key.len()).map(|at| (format!("key_{at}"), format!("first_{at}"))).unzip();
    let selected: Vec<String> = std::iter::zip(&key, std::iter::zip(&keys, &firsts))
        .map(|(column, (name, first))| {
            format!("{column} AS {name}, first_value({column}) OVER same AS {first}")
        })
        .collect();
    format!(
        "WITH repeated AS MATERIALIZED (SELECT {columns} FROM {rows} GROUP BY {columns} HAVING count(*) > 1)
         SELECT tenant, {offender}, {stays} FROM (
             SELECT {tenant} AS tenant, row_number() OVER same AS place, {selected}
             FROM {rows} AND ({columns}) IN (SELECT * FROM repeated)
             WINDOW same AS (PARTITION BY {columns} ORDER BY {order})
         ) AS ranked WHERE place > 1",
        offender = as_texts(&keys),
        stays = as_texts(&firsts),
        tenant = scope.tenant(),
        selected = selected.join(", "),
        order = order.join(", "),
    )
}
