//! Whether a table has what its guard describes.
//!
//! Names prove little: a constraint that was made deferrable, or an index in the place of a constraint, keeps its name
//! and no longer keeps its promise. So the server's own text of every definition is compared with the text it prints
//! for the same definition made anew.

use std::fmt;

use serde::Serialize;
use tokio_postgres::Client;

use crate::constraint::NEW;
use crate::ops::object::{Found, ObjectKind, State, probe};
use crate::ops::{DriverResult, OpsError, Pace, TableInfo, server, session};
use crate::rollout::constraints::prepare;
use crate::rollout::rows::Finding;
use crate::rollout::rows::find;
use crate::rollout::{Guard, Rule, Stage};
use crate::rollout::{objects, stage};

/// What [`Guard::verify`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[must_use]
pub struct Verification {
    /// How many objects were compared.
    pub checked: usize,
    /// The objects that differ, in the order in which `up` builds them.
    pub flaws: Vec<Difference>,
    /// Rows that break a rule; only [`Guard::verify_rows`] looks for them.
    pub findings: Vec<Finding>,
}

/// One object that does not keep its promise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// The constraint, index, column or setting.
    pub name: String,
    /// What it is.
    pub kind: ObjectKind,
    /// What is wrong with it.
    pub state: State,
}

impl Verification {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.flaws.is_empty() && self.findings.is_empty()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.kind.as_str(), self.name, self.state)
    }
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for flaw in &self.flaws {
            writeln!(f, "{flaw}")?;
        }
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        writeln!(f, "{} checked, {} flaws", self.checked, self.flaws.len() + self.findings.len())
    }
}

impl Guard {
    /// Compares every object of the guard with what is in the catalog. A difference is not an error.
    ///
    /// # Errors
    /// [`MissingTable`](OpsError::MissingTable); [`PermissionDenied`](OpsError::PermissionDenied) if the role
    /// may not read the table or make temporary ones; otherwise what the connection or the server reports.
    ///
    /// # Transactions
    /// A few short ones, all rolled back. The definitions are tried on a temporary copy without rows, which a standby
    /// does not allow.
    pub async fn verify(&self, client: &mut Client) -> Result<Verification, OpsError> {
        let pace = Pace::new();
        let table = TableInfo::existing(client, &self.table).await?;
        let mut found = Verification { checked: 1, ..Verification::default() };
        let mut column = self.mark_column().state(client).await?;
        // Without an exclusion a mark would mean nothing, so only guards with windows need the column.
        if !self.rules.iter().any(|rule| matches!(rule, Rule::NoOverlap(_))) && column == State::Missing {
            column = State::Valid;
        }
        found.add(self.shadow.to_string(), ObjectKind::Column, column);
        let lacks_extension = prepare::lacks_extension(client, self).await?;
        let mut ddls = Vec::new();
        for rule in stage::in_order(self, Stage::Blockers) {
            match objects::ddl(self, rule, &table) {
                Ok(ddl) if lacks_extension && ddl.kind == ObjectKind::Exclusion => {
                    found.add(ddl.name.to_string(), ddl.kind, State::Missing);
                }
                Ok(ddl) => ddls.push(ddl),
                Err(OpsError::MissingColumn { column, .. }) => {
                    found.add(column, ObjectKind::Column, State::Missing);
                }
                Err(error) => return Err(error),
            }
        }
        let printed = loop {
            match probe::printed(client, &self.table, &ddls, Some(&self.shadow), &pace).await {
                Ok(printed) => break printed,
                Err(OpsError::Unevaluable { rule, sqlstate, .. }) => {
                    let Some(at) = ddls.iter().position(|ddl| ddl.name.as_str() == rule) else { continue };
                    let ddl = ddls.remove(at);
                    found.add(rule, ddl.kind, State::Unevaluable { sqlstate });
                }
                Err(error) => return Err(error),
            }
        };
        for (ddl, expected) in ddls.iter().zip(&printed) {
            let object = Found::look_up(client, &pace, &self.table, &ddl.name).await?;
            found.add(ddl.name.to_string(), ddl.kind, object.compare(ddl, expected));
            let new = Found::look_up(client, &pace, &self.table, &ddl.name.with_suffix(NEW)).await?;
            if new.is_constraint() || new.is_index() {
                found.add(ddl.name.with_suffix(NEW).to_string(), ddl.kind, State::Leftover);
            }
        }
        for whom in server::replica_settings(client).await? {
            let state = State::Changed { expected: "origin".into(), found: "replica".into() };
            found.add(format!("session_replication_role of {whom}"), ObjectKind::Setting, state);
        }
        Ok(found)
    }

    /// As [`verify`](Self::verify), and looks for rows that break a rule: without any index, because one may be broken.
    ///
    /// # Errors
    /// As [`verify`](Self::verify), and [`Unevaluable`](OpsError::Unevaluable).
    ///
    /// # Transactions
    /// As [`verify`](Self::verify), and one that reads the table a few times for each rule, rolled back.
    pub async fn verify_rows(&self, client: &mut Client) -> Result<Verification, OpsError> {
        let mut found = self.verify(client).await?;
        let table = TableInfo::existing(client, &self.table).await?;
        let mut tx = session::begin(client, Pace::new().lock_timeout).await?;
        for rule in &self.rules {
            found.findings.extend(find::finding(&mut tx, self, &table, rule, 10).await?);
        }
        tx.rollback().await.driver()?;
        Ok(found)
    }
}

impl Verification {
    fn add(&mut self, name: String, kind: ObjectKind, state: State) {
        self.checked += 1;
        if !state.is_consistent() {
            self.flaws.push(Difference { name, kind, state });
        }
    }
}
