//! What `up` would do, reported before it does it.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use tokio_postgres::Client;

use crate::ops::object;
use crate::ops::object::{Found, State, probe};
use crate::ops::{DriverResult, OpsError, Pace, TableInfo, session};
use crate::rollout::constraints::estimate::Sample;
use crate::rollout::constraints::prepare;
use crate::rollout::{Guard, Stage, shadow};
use crate::rollout::{Planned, objects, stage};

/// What [`Guard::up`] would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// About how many rows the table has.
    pub rows: u64,
    /// Table, indexes and TOAST, in bytes.
    pub bytes: u64,
    /// Whether `btree_gist` would be created.
    pub create_extension: bool,
    /// Each statement, in order; empty if there is nothing to do.
    pub steps: Vec<Planned>,
}

impl Guard {
    /// What [`up`](Self::up) would do now: statements, locks, and times tried on a sample of the rows.
    ///
    /// # Errors
    /// As [`verify`](Self::verify); also what [`up`](Self::up) would refuse before it changes anything, but for rows
    /// that break a rule.
    ///
    /// # Transactions
    /// A few, rolled back. One builds each missing object on about 30,000 rows in a temporary table, which takes a second
    /// or so.
    pub async fn plan(&self, client: &mut Client) -> Result<Plan, OpsError> {
        let pace = Pace::new();
        let table = TableInfo::existing(client, &self.table).await?;
        let create_extension = prepare::lacks_extension(client, self).await?;
        let rules = stage::in_order(self, Stage::Blockers);
        let ddls =
            rules.iter().map(|rule| objects::ddl(self, rule, &table)).collect::<Result<Vec<_>, _>>()?;
        let printed = match create_extension {
            false => probe::printed(client, &self.table, &ddls, Some(&self.shadow), &pace).await?,
            true => probe::with_extension(client, &self.table, &ddls, Some(&self.shadow), &pace).await?,
        };
        let mut steps: Vec<Planned> = shadow::planned(client, self).await?.into_iter().collect();
        let mut states = Vec::with_capacity(ddls.len());
        for (ddl, expected) in ddls.iter().zip(&printed) {
            let found = Found::look_up(client, &pace, &self.table, &ddl.name).await?;
            states.push((found.compare(ddl, expected), found.is_constraint()));
        }
        let tx = session::begin(client, pace.lock_timeout).await?;
        let mut sample = None;
        for ((rule, ddl), (state, constraint)) in rules.iter().zip(&ddls).zip(states) {
            if let State::NameTaken { by } = state {
                let (table, rule) = (self.table.to_string(), ddl.name.to_string());
                return Err(OpsError::NameTaken { table, rule, by });
            }
            let (_, actions) = object::script(ddl, &state, constraint);
            for action in actions {
                let mut takes = Some(Duration::ZERO);
                if action.reads {
                    if create_extension && sample.is_none() {
                        probe::create_extension(&tx).await?;
                    }
                    if sample.is_none() {
                        sample = Some(Sample::take(&tx, self, &table).await?);
                    }
                    if let Some(sample) = &sample {
                        takes = sample.time(&tx, self, &table, rule, ddl).await?;
                    }
                }
                let (stage, state) = (Stage::of(rule), state.clone());
                let (name, sql) = (ddl.name.to_string(), action.sql);
                let (lock, reads_rows) = (action.lock, action.reads);
                steps.push(Planned { stage, name, kind: ddl.kind, state, sql, lock, reads_rows, takes });
            }
        }
        let rows = sample.map_or(table.estimated_rows, |sample| sample.rows);
        tx.rollback().await.driver()?;
        Ok(Plan { rows, bytes: table.total_bytes, create_extension, steps })
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "about {} rows, {} kB", self.rows, self.bytes / 1024)?;
        if self.create_extension {
            writeln!(f, "CREATE EXTENSION btree_gist")?;
        }
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        if self.steps.is_empty() { writeln!(f, "nothing is to be done") } else { Ok(()) }
    }
}
