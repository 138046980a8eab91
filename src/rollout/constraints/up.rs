//! Building what a guard describes.

use std::fmt;

use serde::Serialize;
use tokio_postgres::Client;

use crate::ops::lock::RunLock;
use crate::ops::object::{Built, Work};
use crate::ops::object::{Found, ObjectKind, builder, probe};
use crate::ops::{OpsError, Pace, TableInfo};
use crate::rollout::constraints::prepare;
use crate::rollout::{Guard, Stage};
use crate::rollout::{objects, refuse_violated, stage, tenant};

/// How far [`Guard::up`] goes, and what it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Up {
    pace: Pace,
    through: Stage,
    create_extension: bool,
}

impl Default for Up {
    fn default() -> Self {
        Self::new()
    }
}

impl Up {
    /// All stages, at the usual pace, and `btree_gist` is created where it is missing.
    pub const fn new() -> Self {
        Self { pace: Pace::new(), through: Stage::Blockers, create_extension: true }
    }

    /// How gently the table is worked on.
    pub const fn pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// The last stage to build; those before it are built too.
    pub const fn through(self, through: Stage) -> Self {
        Self { through, ..self }
    }

    /// Whether `btree_gist` is created where it is missing. Off, that is an error.
    pub const fn create_extension(self, create_extension: bool) -> Self {
        Self { create_extension, ..self }
    }
}

/// What [`Guard::up`] did, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RolledOut {
    /// Each object of the stages that were built.
    pub objects: Vec<Built>,
    /// Constraints of single tenants that were dropped, because those for all tenants hold now.
    pub retired: Vec<String>,
}

impl RolledOut {
    /// Whether anything was changed.
    #[must_use]
    pub fn changed(&self) -> bool {
        !self.retired.is_empty() || self.objects.iter().any(|built| built.work != Work::AlreadyThere)
    }
}

impl fmt::Display for RolledOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for built in &self.objects {
            writeln!(f, "{built}")?;
        }
        for name in &self.retired {
            writeln!(f, "{name}: dropped, it holds for all now")?;
        }
        Ok(())
    }
}

impl Guard {
    /// Builds what is missing and replaces what differs, stage by stage, while the table is in use.
    ///
    /// Rows are never changed: where some break a rule, that rule is an error, the stages before it stay, and the rows
    /// have to be quarantined or deduped first. Running it again changes nothing where nothing is left to do.
    /// Only an exclusion locks the table for as long as it takes to build; rows that would make it fail are looked for
    /// before.
    ///
    /// # Errors
    /// [`StillViolated`](OpsError::StillViolated) if rows break a rule. A check or foreign key that is new stays
    /// then, `NOT VALID`: new rows obey it, and the next run validates it.
    /// [`MissingExtension`](OpsError::MissingExtension), [`MissingTable`](OpsError::MissingTable),
    /// [`MissingColumn`](OpsError::MissingColumn), [`UnsupportedType`](OpsError::UnsupportedType) and
    /// [`Unevaluable`](OpsError::Unevaluable) before anything is changed;
    /// [`NameTaken`](OpsError::NameTaken), [`InUse`](OpsError::InUse) and
    /// [`PartitionedTable`](OpsError::PartitionedTable) when that object's turn comes;
    /// [`Contended`](OpsError::Contended) and [`RolloutRunning`](OpsError::RolloutRunning) if other sessions held
    /// locks for too long, so that a later run may succeed; [`PermissionDenied`](OpsError::PermissionDenied),
    /// [`ReadOnlyServer`](OpsError::ReadOnlyServer) and [`UnsupportedServer`](OpsError::UnsupportedServer).
    ///
    /// # Transactions
    /// Several for each object, and statements outside of any, so the client must be a connection of its own and no
    /// pooler in transaction mode. Dropping the future leaves an advisory lock and, during an index build, two
    /// time-outs with the connection: cancel its statement first, because the server finishes an exclusion, with the table
    /// locked, before it notices that its client is gone; then close it. Whatever was half built is completed by the next run.
    pub async fn up(&self, client: &mut Client, up: &Up) -> Result<RolledOut, OpsError> {
        RunLock::Table(&self.table)
            .while_locked(client, up.pace.patience(), async |client| run(self, client, up).await)
            .await
    }
}

async fn run(guard: &Guard, client: &mut Client, up: &Up) -> Result<RolledOut, OpsError> {
    let pace = &up.pace;
    let table = TableInfo::existing(client, &guard.table).await?;
    let rules = stage::in_order(guard, up.through);
    let ddls = rules.iter().map(|rule| objects::ddl(guard, rule, &table)).collect::<Result<Vec<_>, _>>()?;
    prepare::prepare(client, guard, up.create_extension, pace).await?;
    let printed = probe::printed(client, &guard.table, &ddls, Some(&guard.shadow), pace).await?;
    // Nothing has been changed so far, and the whole description has been tried.
    let mut done =
        RolledOut { objects: vec![guard.mark_column().ensure(client, pace).await?], ..RolledOut::default() };
    for ((rule, ddl), expected) in rules.iter().zip(&ddls).zip(&printed) {
        if ddl.kind == ObjectKind::Exclusion {
            let found = Found::look_up(client, pace, &guard.table, &ddl.name).await?;
            if !found.compare(ddl, expected).is_consistent() {
                refuse_violated(client, guard, rule, pace).await?;
            }
        }
        done.objects.push(builder::ensure(client, ddl, expected, pace).await?);
    }
    if up.through == Stage::Blockers {
        done.retired = tenant::retire(client, guard, pace).await?;
    }
    Ok(done)
}
