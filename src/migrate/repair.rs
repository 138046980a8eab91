//! Restoring definitions that were changed outside of the library.
//!
//! Only definitions that can be restored without a loss, and only as this release has them. A constraint or index is built
//! beside the one that differs and takes its place when it holds, so that no table is less protected meanwhile.
//!
//! | is | becomes |
//! |---|---|
//! | a constraint or index that is missing, changed, deferrable, not validated, disabled or invalid | as defined |
//! | the rule of a domain that is missing, changed or not validated | as defined |
//! | a default, `NOT NULL` or `fillfactor` that differs | as defined |
//! | a missing table, domain or column, a changed type, a migration | skipped: run [`up`](Migrator::up), or restore a backup |
//! | an extra trigger, rule, column, constraint or index | skipped: it was added on purpose |
//! | rows that break a rule | skipped: the rule is named; see [`Guard`](crate::rollout::Guard) for ways to correct them |

mod decide;

use std::fmt;

use serde::Serialize;
use tokio_postgres::Client;

use self::decide::Action;
use self::decide::Work;
use crate::migrate::guards;
use crate::migrate::{Migrator, Verification};
use crate::ops::object::{Ddl, builder};
use crate::ops::session::Failure;
use crate::ops::{Built, ObjectKind, OpsError, Pace, session};
use crate::rollout::refuse_violated;

/// What a repair may do. By default it changes nothing and reports what it would do.
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
    /// Whether it was done; otherwise this is what would be done.
    pub applied: bool,
    /// The objects that were restored, in order.
    pub repaired: Vec<RepairedObject>,
    /// The objects that were skipped, and why.
    pub skipped: Vec<Skipped>,
    /// How the definitions compare afterwards.
    pub after: Verification,
}

/// One object that was restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RepairedObject {
    /// The object, as in [`Drift::object`](crate::migrate::Drift::object).
    pub object: String,
    /// What is done to it.
    pub how: String,
    /// The build's report; `None` for a dry run, and for anything but a constraint or index.
    pub built: Option<Built>,
}

/// One object that was left as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Skipped {
    /// The object, as in [`Drift::object`](crate::migrate::Drift::object).
    pub object: String,
    /// Why it is not touched.
    pub why: &'static str,
}

impl Repair {
    /// Reports what it would do, and changes nothing.
    pub fn dry_run() -> Self {
        Self::default()
    }

    /// Restores the definitions.
    pub fn apply(self) -> Self {
        Self { apply: true, ..self }
    }

    /// How gently tables in use are worked on.
    pub fn pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }
}

impl Migrator {
    /// Restores the definitions of this release where [`verify`](Self::verify) finds others. Repeating it is safe: an
    /// object that is as it should be is not touched.
    ///
    /// # Errors
    /// [`StillViolated`](OpsError::StillViolated) if rows break a rule that is to be restored: what was restored before
    /// it stays, and a missing check or foreign key stays as `NOT VALID`, which binds new rows;
    /// [`NameTaken`](OpsError::NameTaken), [`InUse`](OpsError::InUse),
    /// [`RolloutRunning`](OpsError::RolloutRunning) and [`Contended`](OpsError::Contended) if other sessions hold
    /// locks for too long; [`PermissionDenied`](OpsError::PermissionDenied); what the connection or the server reports.
    ///
    /// # Transactions
    /// Several, each short but for the building of an exclusion, which locks its table until it is built.
    pub async fn repair(&self, client: &mut Client, repair: &Repair) -> Result<Repaired, OpsError> {
        let before = self.verify(client).await?;
        let (actions, skipped) = decide::decide(&before.drift, &self.schema)?;
        let mut repaired = Vec::with_capacity(actions.len());
        for Action { object, how, work } in actions {
            let built = if repair.apply { self.take(client, &work, &repair.pace).await? } else { None };
            repaired.push(RepairedObject { object, how, built });
        }
        let after = if repair.apply { self.verify(client).await? } else { before };
        Ok(Repaired { applied: repair.apply, repaired, skipped, after })
    }

    async fn take(&self, client: &mut Client, work: &Work, pace: &Pace) -> Result<Option<Built>, OpsError> {
        if let Work::Build { ddl, .. } = work {
            self.refuse_overlaps(client, ddl, pace).await?;
        }
        take(client, work, pace).await
    }

    /// Refuses an exclusion that rows break, before it locks its table for a build that would fail at its end.
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
        Work::Restrict { domain, rule, definition } => {
            let bind = format!(
                "ALTER DOMAIN {domain} DROP CONSTRAINT IF EXISTS \"{rule}\";
                 ALTER DOMAIN {domain} ADD CONSTRAINT \"{rule}\" {definition} NOT VALID"
            );
            session::outside(client, pace, &bind).await?;
            let ask = format!("ALTER DOMAIN {domain} VALIDATE CONSTRAINT \"{rule}\"");
            let done = session::outside(client, pace, &ask).await;
            done.map(|()| None).map_err(|failure| still_violated(failure, "23514", domain, rule))
        }
        Work::Alter { table, rule, sql } => {
            let done = session::brief(client, pace, table, "ACCESS EXCLUSIVE", sql).await;
            let table = table.to_string();
            done.map(|_| None).map_err(|failure| still_violated(failure, "23502", &table, rule))
        }
    }
}

/// Rows that break the rule are what keeps it from coming back.
fn still_violated(failure: Failure, sqlstate: &str, of: &str, rule: &str) -> OpsError {
    match OpsError::from(failure) {
        OpsError::Database { sqlstate: Some(code) } if code == sqlstate => {
            OpsError::StillViolated { table: of.replace('"', ""), rule: rule.to_owned() }
        }
        other => other,
    }
}

impl fmt::Display for Repaired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = if self.applied { "repaired" } else { "to be repaired" };
        for RepairedObject { object, how, built } in &self.repaired {
            match built {
                Some(built) => writeln!(f, "{done}: {object}: {built}")?,
                None => writeln!(f, "{done}: {object}: {how}")?,
            }
        }
        self.skipped.iter().try_for_each(|Skipped { object, why }| writeln!(f, "skipped: {object}: {why}"))
    }
}
