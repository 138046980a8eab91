//! Rules that rows break, refused before the table is locked for a build that would fail at its end.

use tokio_postgres::Client;

use crate::ops::{DriverResult, OpsError, Pace, TableInfo, session};
use crate::rollout::rows::find;
use crate::rollout::{Guard, Rule};

/// Refuses a rule that rows break. It reads the table once more than the build alone, but without a lock.
pub(crate) async fn refuse_violated(
    client: &mut Client,
    guard: &Guard,
    rule: &Rule,
    pace: &Pace,
) -> Result<(), OpsError> {
    let table = TableInfo::existing(client, &guard.table).await?;
    let mut tx = session::begin(client, pace.lock_timeout).await?;
    let finding = find::finding(&mut tx, guard, &table, rule, 0).await?;
    tx.rollback().await.driver()?;
    match finding {
        None => Ok(()),
        Some(_) => {
            let (table, rule) = (guard.table.to_string(), rule.name().to_string());
            Err(OpsError::StillViolated { table, rule })
        }
    }
}
