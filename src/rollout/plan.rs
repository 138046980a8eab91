//! What the way up would do, before it does it.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use tokio_postgres::Client;

use super::build::{self, Ddl, Lock, ObjectKind};
use super::estimate::Sample;
use super::state::State;
use super::table::TableInfo;
use super::{Guard, Pace, Stage, probe, shadow, step};
use crate::migrate::MigrateError;

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
    /// Each statement, in order; none if nothing is to be done.
    pub steps: Vec<Planned>,
}

/// One statement of a [`Plan`].
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
    /// Whether it reads the rows; if not, it is over in milliseconds once it has its lock.
    pub reads_rows: bool,
    /// About how long it reads and builds. `None` where that cannot be tried, as with foreign keys: a join with the
    /// parent.
    #[serde(serialize_with = "crate::seconds::of_some")]
    pub takes: Option<Duration>,
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
    pub async fn plan(&self, client: &mut Client) -> Result<Plan, MigrateError> {
        let pace = Pace::new();
        let table = TableInfo::existing(client, &self.table).await?;
        let create_extension = lacks_extension(client, self).await?;
        let rules = super::up::in_order(self, Stage::Blockers);
        let ddls = rules.iter().map(|rule| Ddl::of(self, rule, &table)).collect::<Result<Vec<_>, _>>()?;
        let printed = match create_extension {
            false => probe::printed(client, &self.table, &ddls, Some(&self.shadow), &pace).await?,
            true => probe::with_extension(client, &self.table, &ddls, Some(&self.shadow), &pace).await?,
        };
        let mut steps: Vec<Planned> = shadow::planned(client, self).await?.into_iter().collect();
        let mut states = Vec::with_capacity(ddls.len());
        for (ddl, expected) in ddls.iter().zip(&printed) {
            let found = build::find(client, &pace, &self.table, &ddl.name).await?;
            states.push((found.judge(ddl, expected), found.is_constraint()));
        }
        let tx = step::begin(client, pace.lock_timeout).await?;
        let mut sample = None;
        for ((rule, ddl), (state, constraint)) in rules.iter().zip(&ddls).zip(states) {
            if let State::NameTaken { by } = state {
                let (table, rule) = (self.table.to_string(), ddl.name.to_string());
                return Err(MigrateError::NameTaken { table, rule, by });
            }
            let (_, actions) = build::script(ddl, &state, constraint);
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
        tx.rollback().await.map_err(MigrateError::from_driver)?;
        Ok(Plan { rows, bytes: table.total_bytes, create_extension, steps })
    }
}

/// Without it no exclusion can be there, nor be tried.
pub(super) async fn lacks_extension(client: &Client, guard: &Guard) -> Result<bool, MigrateError> {
    let sql = "SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'btree_gist')";
    let row = client.query_typed_one(sql, &[]).await.map_err(MigrateError::from_driver)?;
    let needed = guard.rules.iter().any(|rule| matches!(rule, super::Rule::NoOverlap(_)));
    Ok(needed && row.get(0))
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
