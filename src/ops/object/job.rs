//! The statements that build, replace or remove one object, run one after the other.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::constraint::NEW;
use crate::ops::object::{Action, Ddl, Found, Lock, ObjectKind, script};
use crate::ops::session::{Failure, LockTimes};
use crate::ops::{DriverResult, Ident, OpsError, Pace, session};

/// How often an exclusion is tried when its build meets dead row versions. Between two tries it waits for the snapshots
/// that still see them.
const OLD_VERSIONS: u32 = 3;

/// The building of one object, and how long its locks were waited for and held.
pub(super) struct Job<'a> {
    pub(super) client: &'a mut Client,
    pub(super) ddl: &'a Ddl,
    pub(super) pace: &'a Pace,
    pub(super) times: LockTimes,
}

impl Job<'_> {
    pub(super) async fn find(&mut self, name: &Ident) -> Result<Found, OpsError> {
        Found::look_up(self.client, self.pace, &self.ddl.table, name).await
    }

    /// Drops what a run that was killed while it replaced the object left under the temporary name.
    pub(super) async fn clear_leftover(&mut self) -> Result<(), OpsError> {
        let new = self.ddl.name.with_suffix(NEW);
        let found = self.find(&new).await?;
        if found.is_constraint() || found.is_index() {
            self.run(&script::removal(self.ddl, &new, found.is_constraint())).await?;
        }
        Ok(())
    }

    /// Waits until no other session builds an index of the table. A concurrent build holds this lock from beginning to end,
    /// and the lock is seen even where the session is hidden from our role.
    pub(super) async fn wait_for_builder(&mut self) -> Result<(), OpsError> {
        let mode = Lock::ShareUpdateExclusive.as_sql();
        let waited = session::brief(self.client, self.pace, &self.ddl.table, mode, "SELECT 1").await;
        waited.map(|_| ()).map_err(OpsError::from)
    }

    pub(super) async fn run(&mut self, action: &Action) -> Result<(), OpsError> {
        let Err(failure) = self.attempt_past_old_versions(action).await else { return Ok(()) };
        let error = self.refused(failure);
        // If the name is taken, the object is not ours: do not undo it.
        if let (Some(undo), false) = (&action.undo, matches!(error, OpsError::NameTaken { .. })) {
            // If even this fails, the next run finds what is left and drops it.
            let _ = self.attempt(undo).await;
        }
        Err(error)
    }

    /// The tables to lock, in this order: the parent of a foreign key first, because transactions that write a parent and
    /// its child lock them in that order. Locked the other way round, they and we would deadlock.
    async fn tables(&self, lock: Lock) -> Result<Vec<String>, OpsError> {
        let mut tables = Vec::with_capacity(2);
        // A validation only reads the parent; and without UPDATE on it only the statement itself may lock it.
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

    /// The build of an exclusion also reads dead row versions that an old snapshot still sees. One whose bounds were
    /// reversed before the row was quarantined makes no range, and the build fails. So wait for the old snapshots, which
    /// keeps no other session waiting, and try again.
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

    /// Whether a dead row version made the build fail. A live row cannot: the check that goes with the exclusion holds.
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
        let LockTimes { waited, locked } =
            session::beside(self.client, self.pace, &tables, mode, &action.sql).await?;
        // The weakest of the locks keeps no reader and no writer waiting.
        if action.lock != Lock::ShareUpdateExclusive {
            self.times =
                LockTimes { waited: self.times.waited.max(waited), locked: self.times.locked.max(locked) };
        }
        Ok(())
    }

    /// The server's error as one that names this object.
    fn refused(&self, failure: Failure) -> OpsError {
        let error = match failure {
            Failure::Kept(error) => return error,
            Failure::Refused(error) => error,
        };
        let (table, rule) = (self.ddl.table.to_string(), self.ddl.name.to_string());
        let code = error.code().map(|code| code.code()).unwrap_or_default();
        match code {
            // Data exceptions too, such as reversed bounds or a division by zero: a row is at fault.
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
