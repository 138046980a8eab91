//! Putting back what was changed behind the library's back.
//!
//! Only what can be put back without a loss, and only as this release defines it. Constraints and indexes are built beside
//! what is there and take its place when they hold, so that no table is less protected meanwhile.
//!
//! | is | becomes |
//! |---|---|
//! | a constraint or index that is missing, changed, deferrable, not validated, disabled or invalid | as defined |
//! | a default, `NOT NULL` or `fillfactor` that differs | as defined |
//! | a missing table or column, a changed type, a migration | left: they are [`up`](Migrator::up)'s, or a restore's |
//! | a trigger, rule, column, constraint or index too many | left: somebody wanted it |
//! | rows | left: a rule they break is named, see [`Guard`](crate::rollout::Guard) for the ways to mend them |

mod decide;

use std::fmt;

use serde::Serialize;
use tokio_postgres::Client;

use self::decide::Action;
use self::decide::Work;
use crate::migrate::guards;
use crate::migrate::{Migrator, Verification};
use crate::ops::object::{Ddl, builder};
use crate::ops::{Built, ObjectKind, OpsError, Pace, session};
use crate::rollout::refuse_violated;

/// What a repair may do. Nothing unless told: then it says what it would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Repair {
    apply: bool,
    pace: Pace,
}

/// What a repair did, or would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Repaired {
    /// Whether it was told to do it.
    pub applied: bool,
    /// What was put back, in order.
    pub mended: Vec<Mended>,
    /// What was not, and why.
    pub left: Vec<Left>,
    /// How the definitions compare afterwards.
    pub after: Verification,
}

/// One object that was put back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Mended {
    /// The object, as in [`Drift::object`](crate::migrate::Drift::object).
    pub object: String,
    /// What is done to it.
    pub how: String,
    /// How that went, of a constraint or index and if it was told to.
    pub built: Option<Built>,
}

/// One object that was left as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Left {
    /// The object, as in [`Drift::object`](crate::migrate::Drift::object).
    pub object: String,
    /// Why it is not touched.
    pub why: &'static str,
}

impl Repair {
    /// Says what it would do.
    pub fn dry_run() -> Self {
        Self::default()
    }

    /// Does it.
    pub fn apply(self) -> Self {
        Self { apply: true, ..self }
    }

    /// How gently tables in use are worked on.
    pub fn pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }
}

impl Migrator {
    /// Puts back the definitions of this release where [`verify`](Self::verify) finds others. Repeating it is safe: what
    /// is as it should be is not touched.
    ///
    /// # Errors
    /// [`StillViolated`](OpsError::StillViolated) if rows break a rule that is to come back: what was put back before
    /// it stays, and a missing check or foreign key stays as `NOT VALID`, which binds new rows;
    /// [`NameTaken`](OpsError::NameTaken), [`InUse`](OpsError::InUse),
    /// [`RolloutRunning`](OpsError::RolloutRunning) and [`Contended`](OpsError::Contended) if others are in the
    /// way; [`PermissionDenied`](OpsError::PermissionDenied); what the connection or the server reports.
    ///
    /// # Transactions
    /// Several, each short but for the building of an exclusion, which locks its table until it is built.
    pub async fn repair(&self, client: &mut Client, repair: &Repair) -> Result<Repaired, OpsError> {
        let before = self.verify(client).await?;
        let (actions, left) = decide::decide(&before.drift, &self.schema)?;
        let mut mended = Vec::with_capacity(actions.len());
        for Action { object, how, work } in actions {
            let built = if repair.apply { self.take(client, &work, &repair.pace).await? } else { None };
            mended.push(Mended { object, how, built });
        }
        let after = if repair.apply { self.verify(client).await? } else { before };
        Ok(Repaired { applied: repair.apply, mended, left, after })
    }

    async fn take(&self, client: &mut Client, work: &Work, pace: &Pace) -> Result<Option<Built>, OpsError> {
        if let Work::Build { ddl, .. } = work {
            self.refuse_overlaps(client, ddl, pace).await?;
        }
        take(client, work, pace).await
    }

    /// Before an exclusion locks its table for a build that would fail at the end.
    async fn refuse_overlaps(&self, client: &mut Client, ddl: &Ddl, pace: &Pace) -> Result<(), OpsError> {
        let guards = guards::guards(&self.schema).into_iter();
        for guard in guards.filter(|guard| *guard.table() == ddl.table && ddl.kind == ObjectKind::Exclusion) {
            for rule in guard.rules().iter().filter(|rule| *rule.name() == ddl.name) {
                refuse_violated(client, &guard, rule, pace).await?;
            }
        }
        Ok(())
    }
}

async fn take(client: &mut Client, work: &Work, pace: &Pace) -> Result<Option<Built>, OpsError> {
    match work {
        Work::Build { ddl, in_the_way } => {
            if let Some(index) = in_the_way {
                let sql = format!("DROP INDEX CONCURRENTLY IF EXISTS {index}");
                session::outside(client, pace, &sql).await?;
            }
            builder::build(client, ddl, pace).await.map(Some)
        }
        Work::Alter { table, rule, sql } => {
            let done = session::brief(client, pace, table, "ACCESS EXCLUSIVE", sql).await;
            done.map(|_| None).map_err(|failure| match OpsError::from(failure) {
                OpsError::Database { sqlstate: Some(code) } if code == "23502" => {
                    OpsError::StillViolated { table: table.to_string(), rule: rule.clone() }
                }
                other => other,
            })
        }
    }
}

impl fmt::Display for Repaired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = if self.applied { "mended" } else { "to be mended" };
        for Mended { object, how, built } in &self.mended {
            match built {
                Some(built) => writeln!(f, "{done}: {object}: {built}")?,
                None => writeln!(f, "{done}: {object}: {how}")?,
            }
        }
        self.left.iter().try_for_each(|left| writeln!(f, "left: {}: {}", left.object, left.why))
    }
}
