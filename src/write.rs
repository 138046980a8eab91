//! Sends one statement and repeats it while it answers `repeat`.
//!
//! A write ends in one of three ways: settled; `repeat`, nothing of ours written (expired rows may have been released)
//! because we met a row our snapshot cannot see; or a violated check, which rolled back a claim that lost part of its
//! rows. Both of the latter are answered by repeating the identical statement: it now sees the winner, and names it,
//! replays it, or wins. So is the first violation of a reference, because `ON CONFLICT` guards only the id: a twin's
//! reference may be met before its id.

use crate::{
    constraint::{Constraint, OnViolation},
    error::{Cause, Error, Result},
    executor::{Executor, Failed, Flight, Session},
    failure::Failure,
    handle::Slotkeeper,
    metrics::WriteMetrics,
    sql::Sql,
    value::TenantId,
};
use futures_util::future::try_join_all;
use tokio_postgres::{Error as PgError, Row, types::ToSql};

/// A lost race is settled in the second pass unless the winner vanishes meanwhile; four in a row mean contention that
/// the caller should know of.
const PASSES: usize = 4;

/// Whether a statement can fail on a refusal, and so needs a savepoint in a caller's transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Savepoint {
    Never,
    Needed,
}

/// A parameter of a statement.
pub(crate) type Param<'a> = &'a (dyn ToSql + Sync);

/// One write, ready to send.
pub(crate) struct Call<'a> {
    pub(crate) sql: Sql,
    pub(crate) tenant: TenantId,
    pub(crate) savepoint: Savepoint,
    pub(crate) params: &'a [Param<'a>],
}

impl Slotkeeper {
    /// Prepares every statement on a connection, all in one flight, so that no later call pays for it. Also the
    /// cheapest check that the tables fit and the role may use their schema; its rights on each table are judged when a
    /// call runs, see [`Migrator::verify`](crate::migrate::Migrator::verify). On a bare `tokio_postgres` client there
    /// is nothing to keep.
    ///
    /// # Errors
    /// [`Error::Misconfigured`](crate::Error::Misconfigured) if a table, or the right to use the schema, is missing,
    /// [`Error::Unavailable`](crate::Error::Unavailable).
    pub async fn warm(&self, db: &dyn Executor) -> Result<()> {
        let session = db.open().await?;
        let prepare = Sql::ALL.iter().map(|&sql| session.prepare(self.text(sql), sql.types()));
        let done = try_join_all(prepare).await;
        done.map(drop).map_err(|error| refused(&error, false, false))
    }

    /// Runs a write to its end. The row's `outcome` is never `repeat`.
    pub(crate) async fn write(&self, db: &dyn Executor, call: &Call<'_>) -> Result<Row> {
        let watch = WriteMetrics::start(call.sql);
        let result = self.settle(db, call, &watch).await;
        watch.end(&result);
        result
    }

    /// Sends the fast form of a write, once. It answers what is common; `None` if it does not, or raised what repeating
    /// cures: nothing is written then, and the general form is to be sent.
    pub(crate) async fn attempt(&self, db: &dyn Executor, call: &Call<'_>) -> Result<Option<Row>> {
        let watch = WriteMetrics::start(call.sql);
        // The general form that follows settles the write, and is counted as it.
        let Some(result) = self.send_once(db, call, &watch).await.transpose() else {
            watch.lost_race();
            return Ok(None);
        };
        watch.end(&result);
        result.map(Some)
    }

    /// One pass of a fast form.
    async fn send_once(
        &self,
        db: &dyn Executor,
        call: &Call<'_>,
        watch: &WriteMetrics,
    ) -> Result<Option<Row>> {
        let session = open(db).await?;
        watch.pass();
        match self.send(&session, call).await {
            Ok(mut rows) => Ok(rows.pop().filter(|row| row.get::<_, Option<&str>>("outcome").is_some())),
            Err(failed) => match self.repeat_or_refuse(&session, call, &failed) {
                Err(Error::ReferenceTaken) if intact(&session, call) => Ok(None),
                again => again.map(|_| None),
            },
        }
    }

    /// Passes until the statement has settled.
    async fn settle(&self, db: &dyn Executor, call: &Call<'_>, watch: &WriteMetrics) -> Result<Row> {
        let session = open(db).await?;
        let mut last = Cause::NONE;
        let mut taken = false;
        for _ in 0..PASSES {
            watch.pass();
            match self.send(&session, call).await {
                Ok(rows) => {
                    let row = one_row(rows);
                    if row.get::<_, &str>("outcome") != "repeat" {
                        return Ok(row);
                    }
                    watch.lost_race();
                }
                Err(failed) => match self.repeat_or_refuse(&session, call, &failed) {
                    // May be a concurrent copy of this call. Send it once more: it then finds that copy's row, or the
                    // reference belongs to someone else.
                    Err(Error::ReferenceTaken) if !taken && intact(&session, call) => taken = true,
                    decided => last = decided?,
                },
            }
        }
        Err(Error::Busy(last))
    }

    /// Runs a read.
    pub(crate) async fn read(
        &self,
        db: &dyn Executor,
        sql: Sql,
        tenant: TenantId,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>> {
        let session = db.open().await?;
        let mut tries = 2;
        loop {
            tries -= 1;
            let prologue = self.prologue(tenant, session.in_transaction());
            let before = begin(&prologue, session.in_transaction());
            let flight = Flight { before: before.as_deref(), after: before.as_ref().and(commit(&session)) };
            match session.query(self.text(sql), sql.types(), params, flight).await {
                Ok(rows) => return Ok(rows),
                Err(failed) if tries > 0 && self.replan(&session, sql, &failed.error) => {}
                // A read decides nothing, so a lost answer is merely a failed read.
                Err(failed) => return Err(refused(&failed.error, false, session.in_transaction())),
            }
        }
    }

    async fn send(&self, session: &Session<'_>, call: &Call<'_>) -> std::result::Result<Vec<Row>, Failed> {
        let inside = session.in_transaction();
        let prologue = self.prologue(call.tenant, inside);
        let savepoint = inside && call.savepoint == Savepoint::Needed;
        let (before, after) = if savepoint {
            (
                Some(format!("{prologue}SAVEPOINT slotkeeper_write")),
                Some("RELEASE SAVEPOINT slotkeeper_write"),
            )
        } else {
            let before = begin(&prologue, inside);
            let after = before.as_ref().and(commit(session));
            (before, after)
        };
        let flight = Flight { before: before.as_deref(), after };
        let sent = session.query(self.text(call.sql), call.sql.types(), call.params, flight).await;
        match sent {
            Ok(rows) => Ok(rows),
            Err(failed) => {
                if savepoint && failed.sent {
                    // If this fails too, the connection is gone, and the first error says so.
                    let undo = "ROLLBACK TO SAVEPOINT slotkeeper_write; RELEASE SAVEPOINT slotkeeper_write";
                    drop(session.batch(undo).await);
                }
                Err(failed)
            }
        }
    }

    /// Whether a failed statement is sent again as it is: `Ok` with what failed it, or the error the caller gets.
    fn repeat_or_refuse(&self, session: &Session<'_>, call: &Call<'_>, failed: &Failed) -> Result<Cause> {
        let inside = session.in_transaction();
        let cause = Cause::of(&failed.error);
        let repeat = match Failure::classify(&failed.error) {
            Failure::Violation(violation) => {
                WriteMetrics::violation(&violation);
                match violation.known_in(self.schema()).map(Constraint::on_violation) {
                    Some(OnViolation::Repeat) => true,
                    Some(OnViolation::ReferenceTaken) => return Err(Error::ReferenceTaken),
                    Some(OnViolation::Defect) => return Err(Error::Internal(cause)),
                    None => return Err(Error::UnknownConstraint(violation)),
                }
            }
            // The snapshot of a stricter isolation level does not move: the caller repeats the whole transaction.
            Failure::Serialization | Failure::Deadlock => !inside,
            Failure::StalePlan => {
                session.forget(self.text(call.sql), call.sql.types());
                !inside
            }
            _ => return Err(refused(&failed.error, failed.sent, inside)),
        };
        if repeat && intact(session, call) { Ok(cause) } else { Err(Error::Busy(cause)) }
    }

    /// Forgets a plan the server no longer accepts; outside a transaction the read can then be repeated.
    fn replan(&self, session: &Session<'_>, sql: Sql, error: &PgError) -> bool {
        let stale = Failure::classify(error) == Failure::StalePlan;
        if stale {
            session.forget(self.text(sql), sql.types());
        }
        stale && !session.in_transaction()
    }
}

/// A session to write in. One that is known to be closed is not tried: then nothing was sent, for certain.
async fn open(db: &dyn Executor) -> Result<Session<'_>> {
    let session = db.open().await?;
    if session.is_closed() { Err(Error::Unavailable(Cause::NONE)) } else { Ok(session) }
}

/// Whether a failed statement took nothing else with it, so that it can be sent again.
fn intact(session: &Session<'_>, call: &Call<'_>) -> bool {
    !session.in_transaction() || call.savepoint == Savepoint::Needed
}

/// What precedes a statement that needs settings: they last as long as a transaction, so one is opened for it.
fn begin(prologue: &str, in_transaction: bool) -> Option<String> {
    match (prologue.is_empty(), in_transaction) {
        (true, _) => None,
        (false, true) => Some(prologue.to_owned()),
        (false, false) => Some(format!("BEGIN;{prologue}")),
    }
}

/// What follows it. If the statement failed, the server answers this COMMIT with a rollback.
const fn commit(session: &Session<'_>) -> Option<&'static str> {
    if session.in_transaction() { None } else { Some("COMMIT") }
}

/// The general form of a write answers with exactly one row, by its shape.
fn one_row(mut rows: Vec<Row>) -> Row {
    debug_assert_eq!(rows.len(), 1);
    rows.swap_remove(0)
}

/// A failure that repeating the statement cannot mend.
pub(crate) fn refused(error: &PgError, sent: bool, in_transaction: bool) -> Error {
    let cause = Cause::of(error);
    let failure = Failure::classify(error);
    if failure.may_have_written(sent && !in_transaction) {
        return Error::OutcomeUnknown(cause);
    }
    match failure {
        Failure::Serialization
        | Failure::Deadlock
        | Failure::LockTimeout
        | Failure::Cancelled
        | Failure::TooBusy
        | Failure::StalePlan => Error::Busy(cause),
        Failure::AbortedTransaction => Error::TransactionAborted,
        Failure::ReadOnly => Error::ReadOnly,
        Failure::Misconfigured => Error::Misconfigured(cause),
        Failure::Connection => Error::Unavailable(cause),
        Failure::Violation(violation) => Error::UnknownConstraint(violation),
        Failure::InvalidData | Failure::Encoding | Failure::Decoding | Failure::Other(_) => {
            Error::Internal(cause)
        }
    }
}

/// Which of the resources asked for a statement did not find.
pub(crate) fn missing(row: &Row) -> Error {
    Error::ResourceNotFound { resources: row.get::<_, Option<_>>("missing").unwrap_or_default() }
}

/// Who stood in the way when a statement began.
pub(crate) fn conflict(row: &Row) -> Error {
    let json: Option<serde_json::Value> = row.get("blockers");
    // Our own statement wrote it; an unreadable list is a refusal all the same.
    let blockers = json.and_then(|json| serde_json::from_value(json).ok()).unwrap_or_default();
    Error::Conflict { blockers }
}
