//! The statements that build, replace or remove one object, run one after the other.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::constraint::NEW;
use crate::ops::object::{Action, Ddl, Found, Lock, ObjectKind, script};
use crate::ops::session::{Failure, Held};
use crate::ops::{DriverResult, Ident, OpsError, Pace, session};

/// How often an exclusion is tried when it meets versions of rows that are gone: once the old snapshots are waited for,
/// the next try meets none.
const OLD_VERSIONS: u32 = 3;

/// The building of one object.
pub(super) struct Job<'a> {
    pub(super) client: &'a mut Client,
    pub(super) ddl: &'a Ddl,
    pub(super) pace: &'a Pace,
    pub(super) held: Held,
}

impl Job<'_> {
    pub(super) async fn find(&mut self, name: &Ident) -> Result<Found, OpsError> {
        Found::look_up(self.client, self.pace, &self.ddl.table, name).await
    }

    /// Drops what a run that was killed while replacing left under the temporary name.
    pub(super) async fn clear_leftover(&mut self) -> Result<(), OpsError> {
        let new = self.ddl.name.with_suffix(NEW);
        let found = self.find(&new).await?;
        if found.is_constraint() || found.is_index() {
            self.run(&script::removal(self.ddl, &new, found.is_constraint())).await?;
        }
        Ok(())
    }

    /// Whoever builds an index concurrently holds this lock from beginning to end, whether or not we may see the session.
    pub(super) async fn wait_for_builder(&mut self) -> Result<(), OpsError> {
        let mode = Lock::ShareUpdateExclusive.as_sql();
        let waited = session::brief(self.client, self.pace, &self.ddl.table, mode, "SELECT 1").await;
        waited.map(|_| ()).map_err(OpsError::from)
    }

    pub(super) async fn run(&mut self, action: &Action) -> Result<(), OpsError> {
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
