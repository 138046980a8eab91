//! Live rows of one resource that overlap.
//!
//! One pass in order of resource and start finds the rows that begin before everything earlier has ended; they and the
//! rows they follow form chains. Rows that stand alone, also back to back with their neighbours, stay on the server.
//! Within a chain, where a row may overlap many, the client finds the exact overlaps.

use futures_util::TryStreamExt as _;
use tokio_postgres::Row;

use crate::ops::sweep::Span;
use crate::ops::transaction::Transaction;
use crate::ops::{FindingKind, Ident, RowKey, sweep};
use crate::rollout::rows::find::scope::{Scope, all_given, as_texts};
use crate::rollout::rows::find::tally::Tally;
use crate::rollout::rows::find::{Offender, Sample};
use crate::rollout::rule::{NoOverlap, WindowColumns};

/// Rows of one tenant's resource, each beginning before all earlier ones have ended. It is held in memory whole, about
/// 250 bytes a row.
#[derive(Debug, Default)]
struct Chain {
    tenant: Option<String>,
    rows: Vec<Span<RowKey>>,
}

pub(super) async fn run(
    tx: &Transaction<'_>,
    scope: &Scope<'_>,
    rule: &NoOverlap,
    tally: &mut Tally,
) -> Result<(), tokio_postgres::Error> {
    let mut stream = std::pin::pin!(tx.query_typed_raw(&query(scope, rule), scope.params()).await?);
    let mut chain = Chain::default();
    while let Some(row) = stream.try_next().await? {
        let follows: bool = row.try_get(2)?;
        if !follows {
            chain.settle(tally);
            chain = Chain { tenant: row.try_get(0)?, rows: Vec::new() };
        }
        chain.rows.push(span(&row)?);
    }
    chain.settle(tally);
    Ok(())
}

fn span(row: &Row) -> Result<Span<RowKey>, tokio_postgres::Error> {
    Ok(Span {
        row: RowKey(row.try_get(1)?),
        start: (row.try_get(3)?, row.try_get(4)?),
        end: (row.try_get(5)?, row.try_get(6)?),
        rank: row.try_get(7)?,
    })
}

impl Chain {
    fn settle(&self, tally: &mut Tally) {
        let count = sweep::pairs(&self.rows, |a, b| {
            if !tally.wants_sample() {
                return false;
            }
            let (leaves, other) = if a.precedence() > b.precedence() { (a, b) } else { (b, a) };
            let (row, against) = (leaves.row.clone(), Some(other.row.clone()));
            tally.sample(Sample { tenant: self.tenant.clone(), row, against });
            true
        });
        if count > 0 {
            tally.add(self.tenant.as_deref(), count);
        }
        for (offender, _) in sweep::offenders(&self.rows) {
            let (key, tenant) = (offender.row.clone(), self.tenant.clone());
            tally.offender(Offender { key, tenant, kind: FindingKind::Overlap });
        }
    }
}

/// Returns tenant, key, whether the row continues the chain of the one before, both edges, and the rank among all rows
/// returned.
fn query(scope: &Scope<'_>, rule: &NoOverlap) -> String {
    let window = Window::of(&rule.window);
    // A row with a NULL in one of these excludes no other, as in the constraint. The tenant comes last: it tells least apart.
    let tenant = scope.guard.tenant.iter().filter(|tenant| !rule.resource.contains(tenant));
    let same: Vec<Ident> = rule.resource.iter().chain(tenant).cloned().collect();
    let same_columns: Vec<String> = same.iter().map(Ident::quoted).collect();
    let by = names("same", same.len());
    let key = scope.key();
    let keys = names("key", key.len());
    let (terms, directions): (Vec<String>, Vec<&str>) = scope.precedence().into_iter().unzip();
    let ranks = names("rank", terms.len());
    let order = std::iter::zip(&ranks, directions).map(|(name, direction)| format!("{name} {direction}"));
    let order: Vec<String> = order.chain(keys.iter().cloned()).collect();
    format!(
        "SELECT tenant, {texts}, follows, starts, {start_side}, ends, {end_side},
             row_number() OVER (ORDER BY {order})
         FROM (
             SELECT *, coalesce({follows}, false) AS follows, coalesce({followed}, false) AS followed
             FROM (
                 SELECT *, lead(starts) OVER earlier AS next, max(ends) OVER earlier AS reach{closed_reach}
                 FROM (
                     SELECT {tenant} AS tenant, {columns}, {window}
                     FROM {source}
                     WHERE ({counted}) AND {given} AND {not_empty} AND {ours}
                 ) AS windows
                 WINDOW earlier AS (PARTITION BY {by} ORDER BY starts, {keys}
                     ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
             ) AS reaching
         ) AS chained
         WHERE follows OR followed
         ORDER BY {by}, starts, {keys}",
        texts = as_texts(&keys),
        start_side = window.start_side,
        end_side = window.end_side,
        order = order.join(", "),
        by = by.join(", "),
        keys = keys.join(", "),
        closed_reach = window.closed_reach,
        follows = window.follows,
        followed = window.followed,
        tenant = scope.tenant(),
        columns =
            [aliased(&same_columns, &by), aliased(&key, &keys), aliased(&terms, &ranks)].concat().join(", "),
        window = window.columns,
        source = scope.source(),
        counted = scope.guard.counted(),
        given = all_given(&same),
        not_empty = window.not_empty,
        ours = scope.ours(),
    )
}

/// The parts of the query that depend on how a window is stored.
struct Window {
    /// `starts` and `ends`, without NULL; `closed`, the end where a row that starts at it may overlap.
    columns: String,
    not_empty: String,
    closed_reach: &'static str,
    /// Whether something earlier may still run when the row starts; unknown if nothing is earlier.
    follows: &'static str,
    /// The same of the next row.
    followed: &'static str,
    start_side: &'static str,
    end_side: &'static str,
}

impl Window {
    fn of(columns: &WindowColumns) -> Self {
        match columns {
            WindowColumns::Bounds { start, end } => Self {
                columns: format!("{} AS starts, {} AS ends", start.quoted(), end.quoted()),
                not_empty: format!("{} < {}", start.quoted(), end.quoted()),
                closed_reach: "",
                follows: "starts < reach",
                followed: "next < greatest(reach, ends)",
                start_side: "0::int2",
                end_side: "0::int2",
            },
            WindowColumns::Range(column) => {
                let span = column.quoted();
                Self {
                    columns: format!(
                        "{span} AS span, coalesce(lower({span}), '-infinity') AS starts,
                         coalesce(upper({span}), 'infinity') AS ends,
                         CASE WHEN upper_inc({span}) OR upper_inf({span})
                              THEN coalesce(upper({span}), 'infinity') END AS closed"
                    ),
                    not_empty: format!("NOT isempty({span})"),
                    closed_reach: ", max(closed) OVER earlier AS closed_reach",
                    // Of rows without a start, none may end before the next begins.
                    follows: "starts < reach OR starts <= closed_reach
                        OR reach IS NOT NULL AND starts = '-infinity'",
                    followed: "next < greatest(reach, ends) OR next <= greatest(closed_reach, closed)
                        OR next = '-infinity'",
                    start_side: "CASE WHEN lower_inf(span) THEN -1 WHEN lower_inc(span) THEN 0 ELSE 1 END::int2",
                    end_side: "CASE WHEN upper_inf(span) THEN 2 WHEN upper_inc(span) THEN 1 ELSE 0 END::int2",
                }
            }
        }
    }
}

fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|at| format!("{prefix}_{at}")).collect()
}

fn aliased(expressions: &[String], names: &[String]) -> Vec<String> {
    std::iter::zip(expressions, names).map(|(expression, name)| format!("{expression} AS {name}")).collect()
}
