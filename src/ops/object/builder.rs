//! One constraint or index onto a table in use.
//!
//! | kind | how | while it is built, others can |
//! |---|---|---|
//! | check, foreign key | `NOT VALID`, then `VALIDATE` | read and write |
//! | unique key, index | `CONCURRENTLY`, then attached | read and write |
//! | exclusion | in one transaction: PostgreSQL has no other way | not use the table |
//!
//! A lock that keeps others from reading or writing is waited for briefly and released at once; only an exclusion holds
//! its lock while it is built. An object with another definition is replaced, and kept until the new one holds. A failure
//! leaves the table at least as protected as before: a new constraint that old rows break stays `NOT VALID`, because new
//! rows obey it, and the next run validates it.

use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio_postgres::Client;

use crate::ops::lock::RunLock;
use crate::ops::object::job::Job;
use crate::ops::object::{Ddl, ObjectKind, Printed, State, Work, probe, script};
use crate::ops::session::LockTimes;
use crate::ops::{OpsError, Pace};

/// One constraint, index or column that a table should have, and what was done about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Built {
    /// The constraint, index or column.
    pub name: String,
    /// What it is.
    pub kind: ObjectKind,
    /// What was done.
    pub work: Work,
    /// How long all of it took, pauses included.
    #[serde(serialize_with = "crate::serde_seconds::serialize")]
    pub duration: Duration,
    /// The longest wait for a lock that users of the table had to wait behind.
    #[serde(serialize_with = "crate::serde_seconds::serialize")]
    pub waited: Duration,
    /// The longest time for which users of the table were locked out, in whole or for writing.
    #[serde(serialize_with = "crate::serde_seconds::serialize")]
    pub locked: Duration,
}

/// Adds the object if it is missing and replaces it if it differs; one that is as it should be is not touched.
///
/// # Errors
/// [`StillViolated`](OpsError::StillViolated) if rows break it; [`NameTaken`](OpsError::NameTaken),
/// [`InUse`](OpsError::InUse), [`PartitionedTable`](OpsError::PartitionedTable),
/// [`Unevaluable`](OpsError::Unevaluable) if it cannot be built; [`Contended`](OpsError::Contended) and
/// [`RolloutRunning`](OpsError::RolloutRunning) if other sessions held locks for too long.
///
/// # Transactions
/// Several, and statements outside of any; see the module. A dropped future leaves the [`RunLock`] and two time-outs of
/// the session with the connection, and the object half built: the next call completes it.
pub(crate) async fn build(client: &mut Client, ddl: &Ddl, pace: &Pace) -> Result<Built, OpsError> {
    RunLock::Table(&ddl.table)
        .while_locked(client, pace.patience(), async |client| {
            let printed = probe::printed(client, &ddl.table, std::slice::from_ref(ddl), None, pace).await?;
            match printed.as_slice() {
                [expected] => ensure(client, ddl, expected, pace).await,
                _ => Err(OpsError::Database { sqlstate: None }),
            }
        })
        .await
}

/// As [`build`], for a caller that holds the lock and has the definition as the server prints it.
pub(crate) async fn ensure(
    client: &mut Client,
    ddl: &Ddl,
    expected: &Printed,
    pace: &Pace,
) -> Result<Built, OpsError> {
    let started = Instant::now();
    let mut job = Job { client, ddl, pace, times: LockTimes::default() };
    job.clear_leftover().await?;
    let mut found = job.find(&ddl.name).await?;
    let mut state = found.compare(ddl, expected);
    if state == State::InvalidIndex && !found.is_constraint() {
        // An index is invalid also while another session builds it. Then wait, and take what became of it.
        job.wait_for_builder().await?;
        found = job.find(&ddl.name).await?;
        state = found.compare(ddl, expected);
    }
    if let State::NameTaken { by } = state {
        let (table, rule) = (ddl.table.to_string(), ddl.name.to_string());
        return Err(OpsError::NameTaken { table, rule, by });
    }
    let (work, actions) = script(ddl, &state, found.is_constraint());
    for action in &actions {
        job.run(action).await?;
    }
    let LockTimes { waited, locked } = job.times;
    let (name, duration) = (ddl.name.to_string(), started.elapsed());
    Ok(Built { name, kind: ddl.kind, work, duration, waited, locked })
}

/// Drops an existing object: an index while the table is in use, a constraint under a short lock.
pub(crate) async fn remove(client: &mut Client, ddl: &Ddl, pace: &Pace) -> Result<(), OpsError> {
    let removal = script::removal(ddl, &ddl.name, ddl.kind.is_constraint());
    Job { client, ddl, pace, times: LockTimes::default() }.run(&removal).await
}

impl fmt::Display for Built {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, kind, work, duration, waited, locked } = self;
        write!(f, "{} {name}: {}", kind.as_str(), work.as_str())?;
        if *work != Work::AlreadyThere {
            write!(f, " in {duration:.1?} (waited {waited:.1?}, locked for {locked:.1?})")?;
        }
        Ok(())
    }
}
