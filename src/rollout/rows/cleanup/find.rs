//! Which rows are marked or removed, decided in one snapshot.

use std::collections::HashSet;

use crate::ops::artifact::{Action, ArtifactError, Cause, Purpose, Record};
use crate::ops::rows::{Current, RowLock, RowTable, refuse_referenced, text_form};
use crate::ops::transaction::Transaction;
use crate::ops::{OpsError, RowKey, TableInfo};
use crate::rollout::guard::Guard;
use crate::rollout::rows::Offender;
use crate::rollout::rows::cleanup::rivals::with_rivals;
use crate::rollout::rows::find;
use crate::rollout::rule::Rule;

/// How many keys one statement is given at most.
const CHUNK: usize = 10_000;

/// The rows to mark or remove, each with the first rule it breaks. Nothing else that a cleanup holds in memory grows with
/// their number: one key a row.
pub(super) struct Found {
    pub(super) leaving: Vec<(Cause, Vec<Offender>)>,
    /// Rows that stay for now, because every row they compete with is to be removed itself.
    pub(super) deferred: u64,
}

/// Finds the rows. Returns the transaction too, so that they can be read in the same snapshot.
pub(super) async fn find<'a>(
    mut tx: Transaction<'a>,
    guard: &Guard,
    purpose: Purpose,
    tenant: Option<&str>,
) -> Result<(Transaction<'a>, Found), OpsError> {
    let info = TableInfo::existing(&tx, &guard.table).await?;
    let outside = text_form::enter(&tx).await?;
    let table = RowTable::current(&tx, &guard.table, Some(&guard.shadow)).await?;
    // The host's expressions are evaluated under the host's settings.
    text_form::leave(&tx, &outside).await?;
    let mut offending = Vec::new();
    for rule in rules(guard, purpose) {
        offending.push((rule, find::offenders(&mut tx, guard, &info, rule, tenant).await?));
    }
    let found = choose(&tx, guard, &table, offending).await?;
    if purpose.action() == Action::Remove {
        for part in
            found.leaving.iter().flat_map(|(_, offenders)| offenders.chunks(CHUNK)).collect::<Vec<_>>()
        {
            let keys: Vec<&RowKey> = part.iter().map(|offender| &offender.key).collect();
            refuse_referenced(&tx, &table, &keys).await?;
        }
    }
    Ok((tx, found))
}

/// Assigns each row to the first rule for which it has to leave.
async fn choose(
    tx: &Transaction<'_>,
    guard: &Guard,
    table: &RowTable,
    mut offending: Vec<(&Rule, Vec<Offender>)>,
) -> Result<Found, OpsError> {
    offending.retain(|(_, offenders)| !offenders.is_empty());
    let mut found = Found { leaving: Vec::new(), deferred: 0 };
    // Within one rule every offender competes with a row that stays, and is listed once.
    let entangled = offending.len() > 1;
    let mut all: HashSet<RowKey> = HashSet::new();
    if entangled {
        all.extend(
            offending.iter().flat_map(|(_, offenders)| offenders).map(|offender| offender.key.clone()),
        );
        found.deferred = all.len() as u64;
    }
    let mut seen: HashSet<RowKey> = HashSet::new();
    for (rule, mut offenders) in offending {
        if let (Rule::Unique(unique), true) = (rule, entangled) {
            offenders = with_rivals(tx, guard, table, unique, &all, offenders).await?;
        }
        if entangled {
            offenders.retain(|offender| seen.insert(offender.key.clone()));
            found.deferred -= offenders.len() as u64;
        }
        if let Some(first) = offenders.first() {
            let cause = Cause { rule: rule.name().to_string(), reason: first.kind };
            found.leaving.push((cause, offenders));
        }
    }
    Ok(found)
}

/// The rules whose offenders a run of this purpose marks or removes.
fn rules(guard: &Guard, purpose: Purpose) -> Vec<&Rule> {
    let cleared = move |rule: &&Rule| match (purpose, rule) {
        (Purpose::Quarantine, Rule::NoOverlap(_)) => true,
        (Purpose::Quarantine, Rule::Check(check)) => guard.is_window_check(check),
        (Purpose::Dedupe, Rule::Unique(_) | Rule::Reference(_)) => true,
        _ => false,
    };
    guard.rules.iter().filter(cleared).collect()
}

/// The rows whole. Within [`text_form`](crate::ops::rows::text_form).
pub(super) async fn records(
    tx: &Transaction<'_>,
    table: &RowTable,
    cause: &Cause,
    leaving: &[Offender],
    action: Action,
) -> Result<Vec<Record>, OpsError> {
    let keys: Vec<&RowKey> = leaving.iter().map(|offender| &offender.key).collect();
    let mut rows = table.find(tx, &keys, RowLock::None).await?;
    rows.sort_by_key(|current| current.at);
    if rows.len() != leaving.len() {
        return Err(ArtifactError::Unreadable { table: table.name.to_string() }.into());
    }
    let record = |current: Current| Record {
        table: 0,
        action,
        cause: Some(cause.clone()),
        key: table.key_of(&current.row),
        row: current.row,
    };
    Ok(rows.into_iter().map(record).collect())
}
