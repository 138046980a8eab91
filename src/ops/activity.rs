//! What other sessions do with tables.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

/// A session with a transaction that has been open for long, or with a lock on one of the tables that a change of the
/// table would have to wait for, or that would have to wait for the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Session {
    /// Its process; none of a prepared transaction.
    pub pid: Option<i32>,
    /// For how long its transaction has been open; none if this role may not see it.
    pub seconds: Option<u64>,
    /// What it does.
    pub work: Activity,
    /// Its locks on the tables, held or waited for.
    pub locks: Vec<TableLock>,
}

/// What a session does, as far as this role can see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Activity {
    /// VACUUM, by hand or automatic.
    Vacuum,
    /// An index is built.
    IndexBuild,
    /// Some other change of a table, or an explicit lock.
    Change,
    /// A transaction, prepared and not yet decided.
    Prepared,
    /// A transaction.
    Transaction,
}

/// A lock on a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TableLock {
    /// The table, with its schema.
    pub table: String,
    /// As the server calls it: `AccessShareLock`.
    pub mode: String,
    /// Held, or still waited for.
    pub granted: bool,
}

// $1 int8[] the tables, $2 float8 seconds that are long. What reads and writes take does not keep a table from changing
// for long, unless its transaction is long; the other modes are those of changes. A backend whose transaction this
// role may not see is listed for its locks only.
const QUERY: &str = "
WITH locks AS (
    SELECT l.pid, l.virtualtransaction, l.relation::int8 AS relation, l.mode, l.granted,
        l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock') AS strong
    FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database
    WHERE l.locktype = 'relation' AND d.datname = current_database() AND l.relation::int8 = ANY ($1)
), transactions AS (
    SELECT a.pid, NULL AS prepared, extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS seconds,
        a.backend_type = 'client backend' AS by_client,
        CASE WHEN EXISTS (SELECT FROM pg_stat_progress_vacuum AS v WHERE v.pid = a.pid) THEN 'vacuum'
             WHEN EXISTS (SELECT FROM pg_stat_progress_create_index AS i WHERE i.pid = a.pid) THEN 'index build'
             ELSE '' END AS work
    FROM pg_stat_activity AS a
    WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.leader_pid IS NULL
    UNION ALL
    SELECT NULL, '-1/' || p.transaction, extract(epoch FROM clock_timestamp() - p.prepared)::float8, true, 'prepared'
    FROM pg_prepared_xacts AS p WHERE p.database = current_database()
)
SELECT t.pid, t.seconds, t.work, coalesce(l.strong, false), l.relations, l.modes, l.granted
FROM transactions AS t
LEFT JOIN LATERAL (
    SELECT bool_or(strong) AS strong, array_agg(relation) AS relations, array_agg(mode) AS modes,
        array_agg(granted) AS granted
    FROM locks WHERE locks.pid = t.pid OR (locks.pid IS NULL AND locks.virtualtransaction = t.prepared)
) AS l ON true
WHERE l.strong OR t.by_client AND t.seconds >= $2
ORDER BY t.seconds DESC NULLS LAST, t.pid";

/// The sessions that matter for `tables`, which are given by their object identifiers.
pub(crate) async fn read(
    tx: &Client,
    tables: &BTreeMap<i64, String>,
    long: Duration,
) -> Result<Vec<Session>, tokio_postgres::Error> {
    let oids: Vec<i64> = tables.keys().copied().collect();
    let params = [(&oids as _, Type::INT8_ARRAY), (&long.as_secs_f64() as _, Type::FLOAT8)];
    tx.query_typed(QUERY, &params).await?.iter().map(|row| session(row, tables)).collect()
}

fn session(row: &Row, tables: &BTreeMap<i64, String>) -> Result<Session, tokio_postgres::Error> {
    let seconds: Option<f64> = row.try_get(1)?;
    let work = match (row.try_get(2)?, row.try_get(3)?) {
        ("vacuum", _) => Activity::Vacuum,
        ("index build", _) => Activity::IndexBuild,
        ("prepared", _) => Activity::Prepared,
        (_, true) => Activity::Change,
        _ => Activity::Transaction,
    };
    let relations: Option<Vec<i64>> = row.try_get(4)?;
    let (modes, granted): (Option<Vec<String>>, Option<Vec<bool>>) = (row.try_get(5)?, row.try_get(6)?);
    let locks = relations.unwrap_or_default().into_iter().zip(modes.unwrap_or_default());
    let locks = locks.zip(granted.unwrap_or_default()).map(|((relation, mode), granted)| TableLock {
        table: tables.get(&relation).cloned().unwrap_or_default(),
        mode,
        granted,
    });
    let seconds = seconds.map(|seconds| Duration::from_secs_f64(seconds.max(0.0)).as_secs());
    Ok(Session { pid: row.try_get(0)?, seconds, work, locks: locks.collect() })
}

/// `pid 4711: index build, open for 80 s, holds ShareLock on app.visits`
impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let work = match self.work {
            Activity::Vacuum => "vacuum",
            Activity::IndexBuild => "index build",
            Activity::Change => "change of a table",
            Activity::Prepared => "prepared transaction",
            Activity::Transaction => "transaction",
        };
        match self.pid {
            Some(pid) => write!(f, "pid {pid}: {work}")?,
            None => write!(f, "{work}")?,
        }
        if let Some(seconds) = self.seconds {
            write!(f, ", open for {seconds} s")?;
        }
        for TableLock { table, mode, granted } in &self.locks {
            write!(f, ", {} {mode} on {table}", if *granted { "holds" } else { "waits for" })?;
        }
        Ok(())
    }
}
