//! What prevents a table from getting its rules, looked up before anything is changed.

mod inspection;
mod page;
mod report;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio_postgres::Client;

use self::inspection::Inspection;
use crate::ops::server::OLDEST_SERVER;
use crate::ops::transaction::{NO_TIMEOUTS, READING, Transaction};
use crate::ops::{DriverResult, Extension, OpsError, ServerFacts, activity, server};
use crate::rollout::guard::Guard;
use crate::rollout::rule::Rule;

pub use report::{Obstacle, Preflight, TableFacts};

/// How closely a preflight looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct PreflightOptions {
    pub(crate) samples: usize,
    pub(crate) long_transaction: Duration,
}

impl Default for PreflightOptions {
    fn default() -> Self {
        Self { samples: 20, long_transaction: Duration::from_secs(60) }
    }
}

impl PreflightOptions {
    /// 20 examples a rule; a transaction is long after a minute.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many examples of each broken rule are kept. They are held in memory; counts are exact without them.
    pub fn samples(self, samples: usize) -> Self {
        Self { samples, ..self }
    }

    /// From which age on an open transaction is reported.
    pub fn long_transaction(self, long_transaction: Duration) -> Self {
        Self { long_transaction, ..self }
    }
}

impl Guard {
    /// Looks at the server, the role's rights, the table, the sessions that use it, and every row that breaks a rule.
    ///
    /// It needs `SELECT` on the table and its parents and works on a standby too. What is missing is
    /// [reported](Preflight::obstacles), and everything else is checked all the same.
    ///
    /// # Errors
    /// What the connection or the server reports. A finding is not an error.
    ///
    /// # Transactions
    /// One, repeatable read and read only, rolled back: all figures are of one moment. While it lasts, it keeps vacuum
    /// from removing rows that died since, and a session that alters the table waits for it as for any reader. Each rule
    /// takes one or two passes over the table.
    pub async fn preflight(&self, client: &mut Client) -> Result<Preflight, OpsError> {
        self.preflight_with(client, PreflightOptions::new()).await
    }

    /// As [`preflight`](Self::preflight), with options.
    ///
    /// # Errors
    /// As [`preflight`](Self::preflight).
    ///
    /// # Transactions
    /// As [`preflight`](Self::preflight).
    pub async fn preflight_with(
        &self,
        client: &mut Client,
        options: PreflightOptions,
    ) -> Result<Preflight, OpsError> {
        let needs_extension = self.rules.iter().any(|rule| matches!(rule, Rule::NoOverlap(_)));
        let plan = Plan {
            guards: std::slice::from_ref(self),
            schema: self.table.schema.as_str(),
            needs_extension,
            creates_extension: true,
            creates: None,
        };
        run(client, &plan, options).await
    }
}

/// What is to be looked at.
pub(crate) struct Plan<'a> {
    pub(crate) guards: &'a [Guard],
    pub(crate) schema: &'a str,
    pub(crate) needs_extension: bool,
    pub(crate) creates_extension: bool,
    /// Set where missing tables are created; and whether the schema may be, too.
    pub(crate) creates: Option<bool>,
}

pub(crate) async fn run(
    client: &mut Client,
    plan: &Plan<'_>,
    options: PreflightOptions,
) -> Result<Preflight, OpsError> {
    let started = Instant::now();
    // Row level security stays on: a role that cannot see all rows gets an obstacle.
    let mut tx =
        Transaction::begin(client, READING, &["SET LOCAL lock_timeout = '5s';", NO_TIMEOUTS]).await?;
    let (server, version) = server::facts(&tx, plan.schema).await.driver()?;
    let mut inspection =
        Inspection { obstacles: of_server(plan, &server, version), oids: BTreeMap::new(), options };
    let mut tables = Vec::new();
    for guard in plan.guards {
        tables.push(inspection.table(&mut tx, guard, plan.creates.is_some()).await?);
    }
    let sessions = activity::read(&tx, &inspection.oids, options.long_transaction).await;
    let sessions = sessions.driver()?;
    tx.rollback().await.driver()?;
    let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Preflight { server, tables, sessions, obstacles: inspection.obstacles, took_ms })
}

fn of_server(plan: &Plan<'_>, server: &ServerFacts, version: i32) -> Vec<Obstacle> {
    let creatable = match server.extension {
        Extension::Installed => true,
        Extension::Creatable => plan.creates_extension,
        Extension::Available | Extension::Unavailable => false,
    };
    let schema_creatable = plan.creates.is_none_or(|allowed| allowed && server.may_create_schema);
    let missing_schema = Obstacle::MissingSchema { schema: plan.schema.to_owned() };
    let obstacles = [
        (version < OLDEST_SERVER, Obstacle::UnsupportedServer),
        (server.read_only, Obstacle::ReadOnlyServer),
        (plan.needs_extension && !creatable, Obstacle::MissingExtension),
        (!server.schema_exists && !schema_creatable, missing_schema),
        (plan.creates.is_none() && !server.may_create_temp, Obstacle::MayNotCreateTemp),
    ];
    obstacles.into_iter().filter(|(there, _)| *there).map(|(_, obstacle)| obstacle).collect()
}
