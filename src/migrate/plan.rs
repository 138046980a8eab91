//! What `up` would do.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::migrate::{Migration, Migrator, history};
use crate::ops::session;
use crate::ops::transaction::{ALL_ROWS, Transaction};
use crate::ops::{DriverResult, OpsError, TableInfo, TableName};

/// What [`Migrator::up`] would do to this database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// Whether the schema would be created.
    pub creates_schema: bool,
    /// Whether the extension `btree_gist` would be created.
    pub creates_extension: bool,
    /// The pending migrations, in order, each a transaction of its own.
    pub steps: Vec<PlannedStep>,
}

/// One pending migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlannedStep {
    /// Its number.
    pub version: i32,
    /// Its name.
    pub name: &'static str,
    /// Its statements, for this schema.
    pub statements: Vec<String>,
    /// The locks it takes on tables that are there already, until it commits. New tables are not in use yet.
    pub locks: Vec<PlannedLock>,
}

/// A lock on a table in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlannedLock {
    /// The table, without the schema.
    pub table: String,
    /// The lock's mode.
    pub mode: &'static str,
    /// What others cannot do meanwhile.
    pub blocks: &'static str,
    /// Rows of the table, as the planner's statistics have it.
    pub estimated_rows: u64,
    /// Its size with indexes.
    pub bytes: u64,
}

impl Migrator {
    /// Says what [`up`](Self::up) would do, without doing it.
    ///
    /// # Errors
    /// As [`up`](Self::up) for a history it cannot continue, or what the connection or the server reports.
    ///
    /// # Transactions
    /// One, read only, rolled back.
    pub async fn plan(&self, client: &mut Client) -> Result<Plan, OpsError> {
        let tx = session::reading(client, ALL_ROWS).await?;
        let sql = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1),
            EXISTS (SELECT FROM pg_extension WHERE extname = 'btree_gist')";
        let schema = self.schema.as_str();
        let row = tx.query_typed_one(sql, &[(&schema, Type::TEXT)]).await.driver()?;
        let (has_schema, has_extension): (bool, bool) = (row.get(0), row.get(1));
        let applied = history::applied(&history::read(&tx, &self.schema).await?, self.migrations)?;
        let mut created = BTreeSet::new();
        let mut steps = Vec::new();
        for migration in &self.migrations[applied..] {
            steps.push(self.planned(&tx, migration, &mut created).await?);
        }
        let pending = !steps.is_empty();
        Ok(Plan {
            creates_schema: pending && !has_schema,
            creates_extension: pending && !has_extension,
            steps,
        })
    }

    async fn planned(
        &self,
        tx: &Transaction<'_>,
        migration: &Migration,
        created: &mut BTreeSet<String>,
    ) -> Result<PlannedStep, OpsError> {
        let statements = statements(migration.up);
        let mut locks: Vec<PlannedLock> = Vec::new();
        for statement in &statements {
            for (table, mode, blocks) in locks_of(statement, created) {
                if locks.iter().any(|lock| lock.table == table && lock.mode == mode) {
                    continue;
                }
                // Cannot fail: it is a name of ours.
                let Ok(name) = TableName::new(self.schema.as_str(), &table) else { continue };
                let info = TableInfo::read(tx, &name).await?;
                let (estimated_rows, bytes) =
                    info.map_or((0, 0), |info| (info.estimated_rows, info.total_bytes));
                locks.push(PlannedLock { table, mode, blocks, estimated_rows, bytes });
            }
        }
        let statements = statements.iter().map(|statement| self.schema.qualify(statement)).collect();
        Ok(PlannedStep { version: migration.version, name: migration.name, statements, locks })
    }
}

/// Without comments, one statement each, white space made single.
fn statements(text: &str) -> Vec<String> {
    let code: Vec<_> = text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
    let code = code.join(" ");
    let tidy = code.split(';').map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    tidy.filter(|statement| !statement.is_empty()).collect()
}

/// Which tables that were there before a statement locks, and how.
fn locks_of(statement: &str, created: &mut BTreeSet<String>) -> Vec<(String, &'static str, &'static str)> {
    let tables_after = |word: &str| -> Vec<String> {
        let name = |rest: &str| rest.split([' ', '(']).next().unwrap_or_default().to_owned();
        statement.split(word).skip(1).map(name).collect()
    };
    let mut locks = Vec::new();
    if let Some(table) = tables_after("CREATE TABLE slotkeeper.").pop() {
        created.insert(table);
    } else if statement.starts_with("CREATE ") {
        let on = tables_after(" ON slotkeeper.").into_iter();
        locks.extend(on.map(|table| (table, "SHARE", "writes")));
    } else if let Some(table) = tables_after("ALTER TABLE slotkeeper.").pop() {
        locks.push((table, "ACCESS EXCLUSIVE", "every use"));
    }
    let parents = tables_after("REFERENCES slotkeeper.").into_iter();
    locks.extend(parents.map(|table| (table, "SHARE ROW EXCLUSIVE", "writes")));
    locks.retain(|(table, ..)| !created.contains(table));
    locks
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.steps.is_empty() {
            return writeln!(f, "nothing to do");
        }
        if self.creates_schema {
            writeln!(f, "creates the schema")?;
        }
        if self.creates_extension {
            writeln!(f, "creates the extension btree_gist")?;
        }
        for step in &self.steps {
            writeln!(f, "migration {} {}: {} statements", step.version, step.name, step.statements.len())?;
            for PlannedLock { table, mode, blocks, estimated_rows, bytes } in &step.locks {
                writeln!(
                    f,
                    "  locks {table} {mode}, which blocks {blocks} ({estimated_rows} rows, {bytes} bytes)"
                )?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tables_that_were_there_are_locked() {
        let mut created = BTreeSet::new();
        let mut of = |statement: &str| {
            let locks = locks_of(statement, &mut created).into_iter();
            locks.map(|(table, mode, _)| format!("{table} {mode}")).collect::<Vec<_>>()
        };
        assert_eq!(
            of("CREATE TABLE slotkeeper.new (a uuid, FOREIGN KEY (a) REFERENCES slotkeeper.old (a))"),
            ["old SHARE ROW EXCLUSIVE"]
        );
        assert_eq!(of("CREATE INDEX i ON slotkeeper.new (a)"), [""; 0]);
        assert_eq!(of("CREATE UNIQUE INDEX i ON slotkeeper.old (a)"), ["old SHARE"]);
        assert_eq!(of("ALTER TABLE slotkeeper.old ADD COLUMN b text"), ["old ACCESS EXCLUSIVE"]);
    }
}
