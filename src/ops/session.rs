//! Statements on a table in use: in short transactions that give way, or outside of any.

use std::time::{Duration, Instant};

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::ops::server;
use crate::ops::transaction::{ALL_ROWS, NO_TIMEOUTS, PRINTED, QUIET, READING, Transaction, WRITING};
use crate::ops::{DriverResult, OpsError, Pace, TableName};

/// For how long a step in one transaction waited for its locks, and held them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LockTimes {
    /// The longest wait of an attempt. Sessions that asked for the table later waited behind it.
    pub(crate) waited: Duration,
    /// From taking the last lock to the end of the commit.
    pub(crate) locked: Duration,
}

/// A transaction that may write. The search path stays the session's: the host's expressions are read with it.
pub(crate) async fn begin(client: &mut Client, lock_timeout: Duration) -> Result<Transaction<'_>, OpsError> {
    begin_in(client, WRITING, lock_timeout, "").await
}

/// As [`begin`], in another mode or with further settings.
pub(crate) async fn begin_in<'a>(
    client: &'a mut Client,
    mode: &str,
    lock_timeout: Duration,
    settings: &str,
) -> Result<Transaction<'a>, OpsError> {
    Transaction::begin(client, mode, &[&waiting(lock_timeout), NO_TIMEOUTS, QUIET, ALL_ROWS, settings]).await
}

/// One snapshot to read definitions from, as the catalog prints them; no older server than supported.
pub(crate) async fn reading<'a>(client: &'a mut Client, settings: &str) -> Result<Transaction<'a>, OpsError> {
    let tx = Transaction::begin(client, READING, &[NO_TIMEOUTS, PRINTED, settings]).await?;
    server::expect_supported(&tx).await?;
    Ok(tx)
}

/// How long a statement waits for a lock, in whole milliseconds; 0 would mean without limit.
fn waiting(lock_timeout: Duration) -> String {
    format!("SET LOCAL lock_timeout = {};", lock_timeout.as_millis().clamp(1, 3_600_000))
}

/// Locks the table, runs `sql`, commits. If others hold the lock it gives way and tries again, as the pace says.
pub(crate) async fn brief(
    client: &mut Client,
    pace: &Pace,
    table: &TableName,
    mode: &str,
    sql: &str,
) -> Result<LockTimes, Failure> {
    beside(client, pace, &[table.quoted()], mode, sql).await
}

/// As [`brief`] when `sql` locks several tables: they are locked in the order given.
///
/// Autovacuum gives up its lock only to a session that has waited for `deadlock_timeout` (1 s), and no user of the table
/// should wait that long. So the tables are first locked in `SHARE UPDATE EXCLUSIVE` mode, which conflicts with autovacuum
/// and with other changes of the table, but not with readers and writers: this wait may be long. Then the lock is raised
/// to `mode`.
pub(crate) async fn beside(
    client: &mut Client,
    pace: &Pace,
    tables: &[String],
    mode: &str,
    sql: &str,
) -> Result<LockTimes, Failure> {
    let gentle: Vec<String> =
        tables.iter().map(|table| format!("LOCK TABLE {table} IN SHARE UPDATE EXCLUSIVE MODE")).collect();
    let lock = format!("{} LOCK TABLE {} IN {mode} MODE", waiting(pace.lock_timeout), tables.join(", "));
    let mut waited = Duration::ZERO;
    let mut attempts = 1;
    loop {
        let tx = begin(client, pace.patience()).await.map_err(Failure::Kept)?;
        match tx.batch_execute(&gentle.join("; ")).await {
            Err(error) if is_contended(&error) => {
                return Err(Failure::Kept(OpsError::Contended { attempts }));
            }
            locked => locked.map_err(Failure::Refused)?,
        }
        let started = Instant::now();
        let locked = tx.batch_execute(&lock).await;
        waited = waited.max(started.elapsed());
        let had = Instant::now();
        let done = match locked {
            Ok(()) => tx.batch_execute(sql).await,
            Err(error) => Err(error),
        };
        match done {
            Ok(()) => {
                tx.commit().await.map_err(Failure::Refused)?;
                return Ok(LockTimes { waited, locked: had.elapsed() });
            }
            Err(error) if is_contended(&error) && attempts < pace.attempts => attempts += 1,
            Err(error) if is_contended(&error) => {
                return Err(Failure::Kept(OpsError::Contended { attempts }));
            }
            Err(error) => return Err(Failure::Refused(error)),
        }
        tx.rollback().await.map_err(Failure::Refused)?;
        tokio::time::sleep(pace.pause).await;
    }
}

/// Waits until no transaction can still see row versions deleted before now; at most [`Pace::patience`].
pub(crate) async fn wait_for_old_snapshots(client: &Client, pace: &Pace) -> Result<(), OpsError> {
    let now = "SELECT pg_catalog.pg_current_xact_id()::pg_catalog.xid::pg_catalog.text";
    let now: String = client.query_typed_one(now, &[]).await.driver()?.get(0);
    // Whatever keeps dead rows from being removed: snapshots, open transactions, standbys, prepared ones, slots.
    let older = "WITH now AS (SELECT pg_catalog.age($1::pg_catalog.text::pg_catalog.xid) AS age)
        SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_activity, now
                WHERE (datname = pg_catalog.current_database() OR backend_type = 'walsender')
                AND pid <> pg_catalog.pg_backend_pid()
                AND greatest(pg_catalog.age(backend_xmin), pg_catalog.age(backend_xid)) > now.age)
            OR EXISTS (SELECT FROM pg_catalog.pg_prepared_xacts, now
                WHERE database = pg_catalog.current_database() AND pg_catalog.age(transaction) > now.age)
            OR EXISTS (SELECT FROM pg_catalog.pg_replication_slots, now WHERE pg_catalog.age(xmin) > now.age)";
    for _ in 0..pace.attempts {
        let row = client.query_typed_one(older, &[(&now, Type::TEXT)]).await;
        if !row.driver()?.get::<_, bool>(0) {
            return Ok(());
        }
        tokio::time::sleep(pace.lock_timeout + pace.pause).await;
    }
    Err(OpsError::Contended { attempts: pace.attempts })
}

/// Why a step failed: an error of ours already, or the server's, which may mean that a row breaks the rule.
#[derive(Debug)]
pub(crate) enum Failure {
    Kept(OpsError),
    Refused(tokio_postgres::Error),
}

impl From<Failure> for OpsError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Kept(error) => error,
            Failure::Refused(error) => Self::from_driver(error),
        }
    }
}

fn is_contended(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| matches!(code.code(), "55P03" | "40P01"))
}

/// Runs one statement that cannot stand in a transaction (`… CONCURRENTLY`). It may wait for old transactions for up to
/// [`Pace::patience`]: no other session waits behind it.
///
/// Its time-outs are set for the session, because there is no transaction to set them for, and set back afterwards. If
/// the future is dropped, they stay with the connection.
pub(crate) async fn outside(client: &mut Client, pace: &Pace, sql: &str) -> Result<(), Failure> {
    let millis = pace.patience().as_millis().clamp(1, 3_600_000).to_string();
    let mut settings = vec![("lock_timeout", millis), ("statement_timeout", "0".into())];
    if has_transaction_timeout(client).await.map_err(Failure::Kept)? {
        settings.push(("transaction_timeout", "0".into()));
    }
    let before = set(client, &settings).await;
    let before = before.map_err(Failure::Refused)?;
    let done = client.batch_execute(sql).await.map_err(Failure::Refused);
    let after = set(client, &before).await.map_err(Failure::Refused);
    done?;
    after.map(|_| ())
}

/// Whether the session has a `transaction_timeout`, known from version 17 on. It ends the session, not the statement.
async fn has_transaction_timeout(client: &Client) -> Result<bool, OpsError> {
    let sql = "SELECT coalesce(pg_catalog.current_setting('transaction_timeout', true), '0') <> '0'";
    Ok(client.query_typed_one(sql, &[]).await.driver()?.get(0))
}

/// Sets settings of the session and returns what they were.
async fn set(
    client: &Client,
    settings: &[(&'static str, String)],
) -> Result<Vec<(&'static str, String)>, tokio_postgres::Error> {
    let mut before = Vec::with_capacity(settings.len());
    for (name, value) in settings {
        let params = [(name as _, Type::TEXT), (value as _, Type::TEXT)];
        let old = client.query_typed_one("SELECT pg_catalog.current_setting($1)", &params[..1]).await?;
        client.query_typed_one("SELECT pg_catalog.set_config($1, $2, false)", &params).await?;
        before.push((*name, old.get(0)));
    }
    Ok(before)
}

/// The error of a statement on `table`: if the table or its schema does not exist, that is named.
pub(crate) fn missing_table(error: tokio_postgres::Error, table: &TableName) -> OpsError {
    match error.code().map(|code| code.code()) {
        Some("42P01" | "3F000") => OpsError::MissingTable { table: table.to_string() },
        _ => OpsError::from_driver(error),
    }
}
