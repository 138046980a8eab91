//! Reports that several verbs of a guard share.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::ops::{Lock, ObjectKind, State};
use crate::rollout::Stage;

/// What [`Guard::down`](crate::rollout::Guard::down) or [`Guard::release`](crate::rollout::Guard::release) dropped, or would.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RolledBack {
    /// Each object, in the order in which it was dropped.
    pub objects: Vec<Dropped>,
    /// Rows that are marked as quarantined; 0 if the table has no column for marks.
    pub marked: u64,
    /// Whether this is only what would be dropped.
    pub dry_run: bool,
}

/// One object that was dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Dropped {
    /// The constraint, index or column.
    pub name: String,
    /// What it was.
    pub kind: ObjectKind,
    /// As the server printed it.
    pub definition: String,
}

/// One statement of a [`Plan`](crate::rollout::Plan).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Planned {
    /// The stage it belongs to.
    pub stage: Stage,
    /// The constraint, index or column.
    pub name: String,
    /// What it is.
    pub kind: ObjectKind,
    /// How it stands now.
    pub state: State,
    /// The statement, or several of one transaction.
    pub sql: String,
    /// The lock it takes on the table.
    pub lock: Lock,
    /// Whether it reads the rows. If not, it takes milliseconds once it has its lock.
    pub reads_rows: bool,
    /// About how long it reads and builds. `None` where that cannot be tried: of foreign keys, which are checked by a join
    /// with the parent.
    #[serde(serialize_with = "crate::serde_seconds::serialize_some")]
    pub takes: Option<Duration>,
}

impl fmt::Display for RolledBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = if self.dry_run { "would be dropped" } else { "dropped" };
        for Dropped { name, kind, definition } in &self.objects {
            writeln!(f, "{} {name}: {done}: {definition}", kind.as_str())?;
        }
        writeln!(f, "{} rows are marked", self.marked)
    }
}

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stage, name, kind, state, sql, lock, reads_rows, takes } = self;
        writeln!(f, "{stage}: {} {name} {state}", kind.as_str())?;
        writeln!(f, "    {sql}")?;
        write!(f, "    {lock}: {} wait", lock.blocks())?;
        match takes {
            _ if !reads_rows => write!(f, ", for milliseconds"),
            Some(takes) => write!(f, ", for about {takes:.1?}"),
            None => write!(f, ", as long as a join with the parent takes"),
        }
    }
}
