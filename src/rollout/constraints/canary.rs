//! The rules for windows enforced for one tenant before they are enforced for all.
//!
//! A tenant is either observed or enforced. An enforced tenant has constraints of its own: the same as those for all
//! tenants, with the tenant in their condition and a suffix in their name. [`Guard::up`] builds the constraints for all
//! tenants before it drops those of single ones, so an enforced tenant is never without.

use std::fmt;

use serde::Serialize;
use tokio_postgres::Client;

use crate::ops::lock::RunLock;
use crate::ops::object::{Ddl, Found, ObjectKind, builder, probe};
use crate::ops::{DriverResult, FindingKind, OpsError, Pace, TableInfo, session};
use crate::rollout::constraints::prepare;
use crate::rollout::rows::find;
use crate::rollout::tenant::{literal, single};
use crate::rollout::{Dropped, RolledBack};
use crate::rollout::{Guard, RolledOut, objects};

/// Which rules hold for a tenant's windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Mode {
    /// None: [`Guard::would_refuse`] counts what they would refuse.
    Observed,
    /// Constraints for this tenant alone.
    Enforced,
    /// Constraints for all tenants.
    EnforcedForAll,
}

/// What a rule would have refused of a tenant's rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WouldRefuse {
    /// The rule.
    pub rule: String,
    /// In which way the rows break it.
    pub kind: FindingKind,
    /// How many rows would not be there, had it held from the beginning.
    pub rows: u64,
}

impl Guard {
    /// Enforces the windows of one tenant: `EXCLUDE … WHERE (tenant = … AND live AND NOT shadow)`, and the check that
    /// goes with it. Running it again changes nothing.
    ///
    /// # Errors
    /// [`StillViolated`](OpsError::StillViolated) if rows of this tenant break a rule;
    /// [`NoTenant`](OpsError::NoTenant) if the guard names no tenant or the text is not a value of its column's type;
    /// otherwise as [`up`](Self::up).
    ///
    /// # Transactions
    /// As [`up`](Self::up); the table is locked while the exclusion is built, which reads all rows of all tenants once.
    pub async fn enforce(
        &self,
        client: &mut Client,
        tenant: &str,
        pace: &Pace,
    ) -> Result<RolledOut, OpsError> {
        RunLock::Table(&self.table)
            .while_locked(client, pace.patience(), async |client| {
                let table = TableInfo::existing(client, &self.table).await?;
                prepare::prepare(client, self, true, pace).await?;
                let ddls = single(client, self, &table, tenant).await?;
                let printed = probe::printed(client, &self.table, &ddls, Some(&self.shadow), pace).await?;
                let objects = vec![self.mark_column().ensure(client, pace).await?];
                let mut done = RolledOut { objects, ..RolledOut::default() };
                for (ddl, expected) in ddls.iter().zip(&printed) {
                    if ddl.kind == ObjectKind::Exclusion {
                        let found = Found::look_up(client, pace, &self.table, &ddl.name).await?;
                        if !found.compare(ddl, expected).is_consistent() {
                            self.refuse_violated(client, tenant).await?;
                        }
                    }
                    done.objects.push(builder::ensure(client, ddl, expected, pace).await?);
                }
                Ok(done)
            })
            .await
    }

    /// Drops the constraints of this tenant; those for all tenants stay.
    ///
    /// # Errors
    /// As [`down`](Self::down), and [`NoTenant`](OpsError::NoTenant).
    ///
    /// # Transactions
    /// One for each constraint.
    pub async fn release(
        &self,
        client: &mut Client,
        tenant: &str,
        pace: &Pace,
    ) -> Result<RolledBack, OpsError> {
        RunLock::Table(&self.table)
            .while_locked(client, pace.patience(), async |client| {
                let table = TableInfo::existing(client, &self.table).await?;
                let mut done = RolledBack::default();
                for ddl in single(client, self, &table, tenant).await?.iter().rev() {
                    let found = Found::look_up(client, pace, &self.table, &ddl.name).await?;
                    let Some(printed) = found.printed(ddl.kind) else { continue };
                    builder::remove(client, ddl, pace).await?;
                    let (name, kind, definition) = (ddl.name.to_string(), ddl.kind, printed.definition);
                    done.objects.push(Dropped { name, kind, definition });
                }
                Ok(done)
            })
            .await
    }

    /// Which constraints hold for this tenant's windows now. If one is missing or differs, the tenant is only observed.
    ///
    /// # Errors
    /// As [`verify`](Self::verify), and [`NoTenant`](OpsError::NoTenant).
    ///
    /// # Transactions
    /// Some short ones, rolled back.
    pub async fn mode(&self, client: &mut Client, tenant: &str) -> Result<Mode, OpsError> {
        let table = TableInfo::existing(client, &self.table).await?;
        if prepare::lacks_extension(client, self).await? {
            return Ok(Mode::Observed);
        }
        let all = self.rules.iter().filter(|rule| self.is_of_windows(rule));
        let all = all.map(|rule| objects::ddl(self, rule, &table)).collect::<Result<Vec<_>, _>>()?;
        let single = single(client, self, &table, tenant).await?;
        for (ddls, mode) in [(all, Mode::EnforcedForAll), (single, Mode::Enforced)] {
            if !ddls.is_empty() && are_valid(client, self, &ddls).await? {
                return Ok(mode);
            }
        }
        Ok(Mode::Observed)
    }

    /// How many of this tenant's rows the rules for windows would have refused: as many as would have to leave now.
    ///
    /// # Errors
    /// [`NoPrimaryKey`](OpsError::NoPrimaryKey) and missing tables and columns;
    /// [`NoTenant`](OpsError::NoTenant); otherwise what the connection or the server reports.
    ///
    /// # Transactions
    /// One, rolled back. It reads the table twice for each rule.
    pub async fn would_refuse(
        &self,
        client: &mut Client,
        tenant: &str,
    ) -> Result<Vec<WouldRefuse>, OpsError> {
        let table = TableInfo::existing(client, &self.table).await?;
        let (_, tenant) = literal(client, self, &table, tenant).await?;
        let mut tx = session::begin(client, Pace::new().lock_timeout).await?;
        let mut refused = Vec::new();
        for rule in self.rules.iter().filter(|rule| self.is_of_windows(rule)) {
            let offenders = find::offenders(&mut tx, self, &table, rule, Some(&tenant)).await?;
            let rows = u64::try_from(offenders.len()).unwrap_or(u64::MAX);
            refused.extend(find::kind(self, rule).map(|kind| WouldRefuse {
                rule: rule.name().to_string(),
                kind,
                rows,
            }));
        }
        tx.rollback().await.driver()?;
        Ok(refused)
    }

    /// Refuses if rows of the tenant overlap: the build would lock the table and fail at its end.
    async fn refuse_violated(&self, client: &mut Client, tenant: &str) -> Result<(), OpsError> {
        let refused = self.would_refuse(client, tenant).await?;
        let broken = refused.into_iter().find(|rule| rule.rows > 0 && rule.kind == FindingKind::Overlap);
        let violated = |rule: WouldRefuse| {
            Err(OpsError::StillViolated { table: self.table.to_string(), rule: rule.rule })
        };
        broken.map_or(Ok(()), violated)
    }
}

async fn are_valid(client: &mut Client, guard: &Guard, ddls: &[Ddl]) -> Result<bool, OpsError> {
    let pace = Pace::new();
    let printed = probe::printed(client, &guard.table, ddls, Some(&guard.shadow), &pace).await?;
    for (ddl, expected) in ddls.iter().zip(&printed) {
        let found = Found::look_up(client, &pace, &guard.table, &ddl.name).await?;
        if !found.compare(ddl, expected).is_consistent() {
            return Ok(false);
        }
    }
    Ok(true)
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Observed => "observed",
            Self::Enforced => "enforced",
            Self::EnforcedForAll => "enforced for all",
        })
    }
}

impl fmt::Display for WouldRefuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} rows ({})", self.rule, self.rows, self.kind)
    }
}
