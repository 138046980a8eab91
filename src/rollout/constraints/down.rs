//! Dropping what `up` built.

use tokio_postgres::Client;

use crate::ops::lock::RunLock;
use crate::ops::object::{Ddl, Found, ObjectKind, State, builder};
use crate::ops::{Ident, OpsError, Pace};
use crate::rollout::{Dropped, RolledBack, objects, tenant};
use crate::rollout::{Guard, Rule, Stage};

/// How much [`Guard::down`] drops, and what may be lost.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Down {
    pace: Pace,
    reach: Reach,
    column: bool,
    marks: bool,
    dry_run: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reach {
    LastStage,
    All,
    Object(String),
}

impl Default for Down {
    fn default() -> Self {
        Self::new()
    }
}

impl Down {
    /// Drops the last stage that has anything left; the column that marks rows stays.
    pub const fn new() -> Self {
        Self { pace: Pace::new(), reach: Reach::LastStage, column: false, marks: false, dry_run: false }
    }

    /// Drops every stage.
    pub fn all(self) -> Self {
        Self { reach: Reach::All, ..self }
    }

    /// Drops only what keeps the rule of this name.
    pub fn object(self, name: &str) -> Self {
        Self { reach: Reach::Object(name.to_owned()), ..self }
    }

    /// Whether the column that marks rows is dropped, once nothing else is left. Refused while rows are marked.
    pub fn dropping_column(self, column: bool) -> Self {
        Self { column, ..self }
    }

    /// Whether the column is dropped even while rows are marked: which rows were in quarantine is forgotten.
    pub fn forgetting_marks(self, marks: bool) -> Self {
        Self { marks, ..self }
    }

    /// Whether it only reports what it would drop.
    pub fn dry_run(self, dry_run: bool) -> Self {
        Self { dry_run, ..self }
    }

    /// How gently the table is worked on.
    pub fn pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }
}

impl Guard {
    /// Drops what [`up`](Self::up) built: by default the last stage that has anything left. No row is changed.
    ///
    /// # Errors
    /// [`RowsMarked`](OpsError::RowsMarked) if the column were dropped while rows are marked;
    /// [`InUse`](OpsError::InUse) if another object depends on one of ours, such as a foreign key on a unique key;
    /// [`Contended`](OpsError::Contended) and [`RolloutRunning`](OpsError::RolloutRunning) if other sessions held
    /// locks for too long; otherwise what the connection or the server reports.
    ///
    /// # Transactions
    /// One for each object, and a statement outside of any for each index: as in [`up`](Self::up). After an error
    /// the objects before it are dropped; calling again goes on.
    pub async fn down(&self, client: &mut Client, down: &Down) -> Result<RolledBack, OpsError> {
        RunLock::Table(&self.table)
            .while_locked(client, down.pace.patience(), async |client| run(self, client, down).await)
            .await
    }
}

async fn run(guard: &Guard, client: &mut Client, down: &Down) -> Result<RolledBack, OpsError> {
    let pace = &down.pace;
    let column =
        !matches!(guard.mark_column().state(client).await?, State::Missing | State::NameTaken { .. });
    let marked = if column { guard.mark_column().count(client, pace).await? } else { 0 };
    let drops_column = column && down.column && down.reach == Reach::All;
    if drops_column && marked > 0 && !down.marks && !down.dry_run {
        return Err(OpsError::RowsMarked { table: guard.table.to_string(), rows: marked });
    }
    let mut done = RolledBack { marked, dry_run: down.dry_run, ..RolledBack::default() };
    for stage in Stage::ALL.into_iter().rev() {
        for (ddl, definition) in present(client, guard, stage, down).await? {
            if !down.dry_run {
                builder::remove(client, &ddl, pace).await?;
            }
            done.objects.push(Dropped { name: ddl.name.to_string(), kind: ddl.kind, definition });
        }
        if down.reach == Reach::LastStage && !done.objects.is_empty() {
            return Ok(done);
        }
    }
    if column && down.column && !matches!(down.reach, Reach::Object(_)) {
        if marked > 0 && !down.marks && !down.dry_run {
            return Err(OpsError::RowsMarked { table: guard.table.to_string(), rows: marked });
        }
        if !down.dry_run {
            guard.mark_column().drop(client, pace).await?;
        }
        let definition = "boolean".to_owned();
        done.objects.push(Dropped { name: guard.shadow.to_string(), kind: ObjectKind::Column, definition });
    }
    Ok(done)
}

/// The objects of a stage that exist, with their definitions; constraints of single tenants before those for all.
async fn present(
    client: &mut Client,
    guard: &Guard,
    stage: Stage,
    down: &Down,
) -> Result<Vec<(Ddl, String)>, OpsError> {
    let wanted = |rule: &Rule| match &down.reach {
        Reach::Object(name) => rule.name().as_str() == name,
        Reach::LastStage | Reach::All => true,
    };
    let mut names: Vec<(Ident, ObjectKind)> = Vec::new();
    for rule in guard.rules.iter().filter(|rule| Stage::of(rule) == stage && wanted(rule)) {
        names.extend(tenant::of_rule(client, guard, rule).await?);
        names.push((rule.name().clone(), objects::kind(rule)));
    }
    let mut present = Vec::new();
    for (name, kind) in names {
        let found = Found::look_up(client, &down.pace, &guard.table, &name).await?;
        if let Some(printed) = found.printed(kind) {
            let definition = printed.definition;
            let ddl = Ddl { table: guard.table.clone(), name, kind, definition: definition.clone() };
            present.push((ddl, definition));
        }
    }
    Ok(present)
}
