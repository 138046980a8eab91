//! One constraint or index onto a table in use.
//!
//! | kind | how | while it is built, others can |
//! |---|---|---|
//! | check, foreign key | `NOT VALID`, then `VALIDATE` | read and write |
//! | unique key, index | `CONCURRENTLY`, then attached | read and write |
//! | exclusion | in one transaction, there is no other way | not use the table |
//!
//! Every lock that is in somebody's way is waited for briefly and given back at once, but for the exclusion's. What is
//! there with another definition is replaced, and kept until the new one holds. A failure leaves the table at least as
//! protected as before: a constraint that old rows break stays `NOT VALID` if it is new, because new rows obey it, and
//! the next run validates it.

use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::constraint::NEW;
use crate::ops::lock::RunLock;
use crate::ops::object::{Action, Ddl, Found, Lock, ObjectKind, Printed, State, Work, probe, script};
use crate::ops::session::{Failure, Held};
use crate::ops::transaction::PRINTED;
use crate::ops::{DriverResult, Ident, OpsError, Pace, TableName, session};

/// How often an exclusion is tried when it meets versions of rows that are gone: once the old snapshots are waited for,
/// the next try meets none.
const OLD_VERSIONS: u32 = 3;

/// One object that should be there, and what was done about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Built {
    /// The constraint, index or column.
    pub name: String,
    /// What it is.
    pub kind: ObjectKind,
    /// What was done.
    pub work: Work,
    /// How long all of it took, pauses included.
    #[serde(serialize_with = "crate::serde_seconds::serialize")]
    pub duration: Duration,
    /// The longest wait for a lock that users of the table had to wait behind.
    #[serde(serialize_with = "crate::serde_seconds::serialize")]
    pub waited: Duration,
    /// The longest time for which users of the table were locked out, in whole or for writing.
    #[serde(serialize_with = "crate::serde_seconds::serialize")]
    pub locked: Duration,
}

/// Adds one missing object, or replaces one that is not as it should be. Nothing is done about one that is.
///
/// # Errors
/// [`StillViolated`](OpsError::StillViolated) if rows break it; [`NameTaken`](OpsError::NameTaken),
/// [`InUse`](OpsError::InUse), [`PartitionedTable`](OpsError::PartitionedTable),
/// [`Unevaluable`](OpsError::Unevaluable) if it cannot be; [`Contended`](OpsError::Contended) and
/// [`RolloutRunning`](OpsError::RolloutRunning) if others were in the way.
///
/// # Transactions
/// Several, and statements outside of any; see the module. A dropped future leaves the lock of [`lock`] and two
/// time-outs of the session with the connection, and the object half built: the next call completes it.
pub(crate) async fn build(client: &mut Client, ddl: &Ddl, pace: &Pace) -> Result<Built, OpsError> {
    RunLock::Table(&ddl.table)
        .while_locked(client, pace.patience(), async |client| {
            let printed = probe::printed(client, &ddl.table, std::slice::from_ref(ddl), None, pace).await?;
            match printed.as_slice() {
                [expected] => ensure(client, ddl, expected, pace).await,
                _ => Err(OpsError::Database { sqlstate: None }),
            }
        })
        .await
}

/// As [`build`], for a caller who has the lock and asked how the server prints the definition.
pub(crate) async fn ensure(
    client: &mut Client,
    ddl: &Ddl,
    expected: &Printed,
    pace: &Pace,
) -> Result<Built, OpsError> {
    let started = Instant::now();
    let mut job = Job { client, ddl, pace, held: Held::default() };
    job.clear_leftover().await?;
    let mut found = job.find(&ddl.name).await?;
    let mut state = found.compare(ddl, expected);
    if state == State::InvalidIndex && !found.is_constraint() {
        // It is invalid, too, while somebody else builds it; then what has come of it counts.
        job.wait_for_builder().await?;
        found = job.find(&ddl.name).await?;
        state = found.compare(ddl, expected);
    }
    if let State::NameTaken { by } = state {
        let (table, rule) = (ddl.table.to_string(), ddl.name.to_string());
        return Err(OpsError::NameTaken { table, rule, by });
    }
    let (work, actions) = script(ddl, &state, found.is_constraint());
    for action in &actions {
        job.run(action).await?;
    }
    let Held { waited, held } = job.held;
    let (name, duration) = (ddl.name.to_string(), started.elapsed());
    Ok(Built { name, kind: ddl.kind, work, duration, waited, locked: held })
}

/// Drops one object that is there: an index while the table is used, a constraint under a short lock.
pub(crate) async fn remove(client: &mut Client, ddl: &Ddl, pace: &Pace) -> Result<(), OpsError> {
    let removal = script::removal(ddl, &ddl.name, ddl.kind.is_constraint());
    Job { client, ddl, pace, held: Held::default() }.run(&removal).await
}

/// The building of one object.
struct Job<'a> {
    client: &'a mut Client,
    ddl: &'a Ddl,
    pace: &'a Pace,
    held: Held,
}

impl Job<'_> {
    async fn find(&mut self, name: &Ident) -> Result<Found, OpsError> {
        find(self.client, self.pace, &self.ddl.table, name).await
    }

    /// Drops what a run that was killed while replacing left under the temporary name.
    async fn clear_leftover(&mut self) -> Result<(), OpsError> {
        let new = self.ddl.name.with_suffix(NEW);
        let found = self.find(&new).await?;
        if found.is_constraint() || found.is_index() {
            self.run(&script::removal(self.ddl, &new, found.is_constraint())).await?;
        }
        Ok(())
    }

    /// Whoever builds an index concurrently holds this lock from beginning to end, whether or not we may see the session.
    async fn wait_for_builder(&mut self) -> Result<(), OpsError> {
        let mode = Lock::ShareUpdateExclusive.as_sql();
        let waited = session::brief(self.client, self.pace, &self.ddl.table, mode, "SELECT 1").await;
        waited.map(|_| ()).map_err(OpsError::from)
    }

    async fn run(&mut self, action: &Action) -> Result<(), OpsError> {
        let Err(failure) = self.attempt_past_old_versions(action).await else { return Ok(()) };
        let error = self.refused(failure);
        // What has the name by now is somebody else's.
        if let (Some(undo), false) = (&action.undo, matches!(error, OpsError::NameTaken { .. })) {
            // If even this fails, the next run finds what is left and drops it.
            let _ = self.attempt(undo).await;
        }
        Err(error)
    }

    /// What is locked, in this order: the parent of a foreign key first, because that is the order of those who write a
    /// parent and its child. The other way round each would wait for the other, until we give way, again and again.
    async fn tables(&self, lock: Lock) -> Result<Vec<String>, OpsError> {
        let mut tables = Vec::with_capacity(2);
        // To validate, the parent is only read; and without the privilege only the statement itself may lock it.
        if let (Some(parent), true) = (self.ddl.parent(), lock != Lock::ShareUpdateExclusive) {
            let sql = "SELECT coalesce(has_table_privilege(to_regclass($1), 'UPDATE'), false)";
            let row = self.client.query_typed_one(sql, &[(&parent, Type::TEXT)]).await;
            if row.driver()?.get(0) {
                tables.push(parent.to_owned());
            }
        }
        tables.push(self.ddl.table.quoted());
        Ok(tables)
    }

    /// An exclusion also reads versions of rows that only an old snapshot still sees. One that had its bounds the wrong
    /// way round before it was quarantined makes no range, which the server calls an error. So the old snapshots are
    /// waited for, in nobody's way.
    async fn attempt_past_old_versions(&mut self, action: &Action) -> Result<(), Failure> {
        for _ in 1..OLD_VERSIONS {
            match self.attempt(action).await {
                Err(failure) if self.met_old_version(&failure) => {
                    session::wait_for_old_snapshots(self.client, self.pace).await.map_err(Failure::Kept)?;
                }
                done => return done,
            }
        }
        match self.attempt(action).await {
            Err(failure) if self.met_old_version(&failure) => {
                Err(Failure::Kept(OpsError::Contended { attempts: OLD_VERSIONS }))
            }
            done => done,
        }
    }

    /// Of rows that are still there none is left that makes no range: the check that goes with the exclusion holds.
    fn met_old_version(&self, failure: &Failure) -> bool {
        let code = match failure {
            Failure::Refused(error) => error.code().map(|code| code.code()).unwrap_or_default(),
            Failure::Kept(_) => "",
        };
        self.ddl.kind == ObjectKind::Exclusion && code == "22000"
    }

    async fn attempt(&mut self, action: &Action) -> Result<(), Failure> {
        if action.concurrently {
            return session::outside(self.client, self.pace, &action.sql).await;
        }
        let tables = self.tables(action.lock).await.map_err(Failure::Kept)?;
        let mode = action.lock.as_sql();
        let Held { waited, held } =
            session::beside(self.client, self.pace, &tables, mode, &action.sql).await?;
        // Under the weakest of the locks others go on as if nothing were.
        if action.lock != Lock::ShareUpdateExclusive {
            self.held = Held { waited: self.held.waited.max(waited), held: self.held.held.max(held) };
        }
        Ok(())
    }

    /// What the server's refusal means for this object.
    fn refused(&self, failure: Failure) -> OpsError {
        let error = match failure {
            Failure::Kept(error) => return error,
            Failure::Refused(error) => error,
        };
        let (table, rule) = (self.ddl.table.to_string(), self.ddl.name.to_string());
        let code = error.code().map(|code| code.code()).unwrap_or_default();
        match code {
            // A bound that makes no range, a division by zero: the row breaks the rule in its own way.
            code if code.starts_with("22") || code.starts_with("23") => {
                OpsError::StillViolated { table, rule }
            }
            "2BP01" => OpsError::InUse { table, object: rule },
            "42P07" | "42710" => OpsError::NameTaken { table, rule, by: "another relation".into() },
            "0A000" | "42809" => OpsError::PartitionedTable { table, rule },
            "42P01" | "3F000" => {
                OpsError::MissingTable { table: self.ddl.parent().map_or(table, |p| p.replace('"', "")) }
            }
            // The parent has no key of these columns.
            "42830" | "42703" => OpsError::Unevaluable { table, rule, sqlstate: code.to_owned() },
            _ => OpsError::from_driver(error),
        }
    }
}

/// What the catalog has under a name of a table.
pub(crate) async fn find(
    client: &mut Client,
    pace: &Pace,
    table: &TableName,
    name: &Ident,
) -> Result<Found, OpsError> {
    let tx = session::begin(client, pace.lock_timeout).await?;
    tx.batch_execute(PRINTED).await.driver()?;
    let sql = "SELECT c.oid::int8 FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')";
    let params = [(&table.schema.as_str() as _, Type::TEXT), (&table.name.as_str() as _, Type::TEXT)];
    let row = tx.query_typed_opt(sql, &params).await.driver()?;
    let missing = || OpsError::MissingTable { table: table.to_string() };
    let found = Found::read(&tx, row.ok_or_else(missing)?.get(0), name).await?;
    tx.rollback().await.driver()?;
    Ok(found)
}

impl Work {
    /// As it is called in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AlreadyThere => "already there",
            Self::Validated => "validated",
            Self::Built => "built",
            Self::Rebuilt => "rebuilt after a failed build",
            Self::Replaced => "replaced",
        }
    }
}

impl fmt::Display for Built {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, kind, work, duration, waited, locked } = self;
        write!(f, "{} {name}: {}", kind.as_str(), work.as_str())?;
        if *work != Work::AlreadyThere {
            write!(f, " in {duration:.1?} (waited {waited:.1?}, locked for {locked:.1?})")?;
        }
        Ok(())
    }
}
