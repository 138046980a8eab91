//! What a call runs on: a pool, a client, or the caller's own open transaction.
//!
//! Every method takes `&dyn Executor`, so `&pool`, `&client` and `&transaction` all fit, of `tokio_postgres` and
//! `deadpool_postgres` alike. A shared reference, so that independent calls may be pipelined on one connection.
//!
//! | executor | prepared statements | one call is |
//! |---|---|---|
//! | `deadpool_postgres::{Pool, Client, ClientWrapper}` | cached on the connection | one autocommit statement |
//! | `deadpool_postgres::Transaction` | cached on the connection | part of the caller's transaction |
//! | `tokio_postgres::Client` | none: parsed and planned in the same flight | one autocommit statement |
//! | `tokio_postgres::Transaction` | none: parsed and planned in the same flight | part of the caller's transaction |
//!
//! A bare `tokio_postgres` connection has nowhere to keep a statement, so each call pays for planning (about a
//! millisecond, no further round trip). To keep plans, wrap it in [`deadpool_postgres::ClientWrapper::new`]. The bare
//! form leaves no named statement behind, which suits a transaction-mode pooler.
//!
//! A call's future may be dropped at any await: what it was about to write is written whole or not at all, and repeating
//! the call settles which. On a pool its connection is then closed, so that nobody inherits the wait. In the caller's
//! transaction the statement stays part of it: roll back, unless its effect is wanted.
//!
//! A `BEGIN` sent as text on a client is invisible here; open transactions through the driver's `transaction()`.

use crate::error::Error;
use async_trait::async_trait;
use deadpool_postgres::StatementCache;
use futures_util::future::{OptionFuture, join3};
use std::{
    ops::Deref,
    sync::atomic::{AtomicUsize, Ordering},
};
use tokio_postgres::{
    Error as PgError, Row, Statement,
    types::{ToSql, Type},
};

/// Something a call can run on. Sealed: implemented for the pools, clients and transactions of `deadpool_postgres` and
/// `tokio_postgres`.
pub trait Executor: private::Open {}

impl<T: private::Open> Executor for T {}

pub(crate) mod private {
    use super::{Error, Session, async_trait};

    /// The hidden half of [`super::Executor`].
    #[async_trait]
    pub trait Open: Send + Sync {
        async fn open(&self) -> Result<Session<'_>, Error>;
    }
}

/// A connection for the length of one call.
#[derive(Debug)]
pub struct Session<'a> {
    connection: Connection<'a>,
    in_transaction: bool,
    /// Answers that somebody still waits for.
    awaited: AtomicUsize,
}

#[derive(Debug)]
enum Connection<'a> {
    Pooled(Borrowed),
    Lent { client: &'a tokio_postgres::Client, cache: Option<&'a StatementCache> },
}

/// A pool's connection: given back when dropped.
#[derive(Debug)]
struct Borrowed(Option<Box<deadpool_postgres::Client>>);

impl Deref for Borrowed {
    type Target = deadpool_postgres::Client;

    #[allow(clippy::expect_used, reason = "cannot fail because only dropping the session takes it")]
    fn deref(&self) -> &Self::Target {
        self.0.as_ref().expect("a connection")
    }
}

impl Drop for Session<'_> {
    /// A call dropped in the middle leaves its statement running, perhaps waiting for a lock: the pool must not hand that
    /// wait to its next user, so the connection is closed instead.
    fn drop(&mut self) {
        if let (1.., Connection::Pooled(Borrowed(client))) = (*self.awaited.get_mut(), &mut self.connection) {
            drop(client.take().map(|client| deadpool_postgres::Client::take(*client)));
        }
    }
}

/// A statement as the server knows it, or as text to be parsed on the way.
enum Prepared<'a> {
    Named(Statement),
    Typed(&'a str, &'a [Type]),
}

/// What goes before and after a statement in the same flight.
#[derive(Clone, Copy, Default)]
pub(crate) struct Flight<'a> {
    pub(crate) before: Option<&'a str>,
    pub(crate) after: Option<&'a str>,
}

/// A driver error, and whether the statement had left for the server.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) error: PgError,
    pub(crate) sent: bool,
}

impl Session<'_> {
    pub(crate) const fn in_transaction(&self) -> bool {
        self.in_transaction
    }

    /// Notes that an answer is waited for, until it is there.
    async fn awaited<T>(&self, answer: impl Future<Output = T>) -> T {
        self.awaited.fetch_add(1, Ordering::Relaxed);
        let answer = answer.await;
        self.awaited.fetch_sub(1, Ordering::Relaxed);
        answer
    }

    fn client(&self) -> &tokio_postgres::Client {
        match &self.connection {
            Connection::Pooled(client) => client,
            Connection::Lent { client, .. } => client,
        }
    }

    fn cache(&self) -> Option<&StatementCache> {
        match &self.connection {
            Connection::Pooled(client) => Some(&client.statement_cache),
            Connection::Lent { cache, .. } => *cache,
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.client().is_closed()
    }

    /// Drops a cached plan, so that the next use prepares anew.
    pub(crate) fn forget(&self, text: &str, types: &[Type]) {
        if let Some(cache) = self.cache() {
            drop(cache.remove(text, types));
        }
    }

    /// Prepares a statement where the connection keeps them; sent at the first poll.
    pub(crate) async fn prepare(&self, text: &str, types: &[Type]) -> Result<(), PgError> {
        if let Some(cache) = self.cache() {
            drop(self.awaited(cache.prepare_typed(self.client(), text, types)).await?);
        }
        Ok(())
    }

    /// Sends `flight.before`, the statement and `flight.after` without waiting in between: one round trip.
    pub(crate) async fn query(
        &self,
        text: &str,
        types: &[Type],
        params: &[&(dyn ToSql + Sync)],
        flight: Flight<'_>,
    ) -> Result<Vec<Row>, Failed> {
        let prepared = match self.cache() {
            Some(cache) => {
                let prepare = self.awaited(cache.prepare_typed(self.client(), text, types)).await;
                Prepared::Named(prepare.map_err(|error| Failed { error, sent: false })?)
            }
            None => Prepared::Typed(text, types),
        };
        let sent = |error| Failed { error, sent: true };
        if flight.before.is_none() && flight.after.is_none() {
            return self.run(&prepared, params).await.map_err(sent);
        }
        // Polled in this order, and each is queued at its first poll.
        let before = OptionFuture::from(flight.before.map(|text| self.batch(text)));
        let after = OptionFuture::from(flight.after.map(|text| self.batch(text)));
        let (before, rows, after) = join3(before, self.run(&prepared, params), after).await;
        if let Some(Err(error)) = before {
            return Err(sent(error));
        }
        let rows = rows.map_err(sent)?;
        match after {
            Some(Err(error)) => Err(sent(error)),
            _ => Ok(rows),
        }
    }

    async fn run(
        &self,
        prepared: &Prepared<'_>,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, PgError> {
        match prepared {
            Prepared::Named(statement) => self.awaited(self.client().query(statement, params)).await,
            Prepared::Typed(text, types) => {
                let params: Vec<_> = params.iter().copied().zip(types.iter().cloned()).collect();
                self.awaited(self.client().query_typed(text, &params)).await
            }
        }
    }

    /// Runs text that returns nothing.
    pub(crate) async fn batch(&self, text: &str) -> Result<(), PgError> {
        self.awaited(self.client().batch_execute(text)).await
    }
}

fn lent<'a>(
    client: &'a tokio_postgres::Client,
    cache: Option<&'a StatementCache>,
    in_transaction: bool,
) -> Result<Session<'a>, Error> {
    let connection = Connection::Lent { client, cache };
    Ok(Session { connection, in_transaction, awaited: AtomicUsize::new(0) })
}

#[async_trait]
impl private::Open for deadpool_postgres::Pool {
    async fn open(&self) -> Result<Session<'_>, Error> {
        let client = self.get().await.map_err(|error| Error::no_connection(&error))?;
        let connection = Connection::Pooled(Borrowed(Some(Box::new(client))));
        Ok(Session { connection, in_transaction: false, awaited: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl private::Open for deadpool_postgres::Client {
    async fn open(&self) -> Result<Session<'_>, Error> {
        lent(self, Some(&self.statement_cache), false)
    }
}

#[async_trait]
impl private::Open for deadpool_postgres::ClientWrapper {
    async fn open(&self) -> Result<Session<'_>, Error> {
        lent(self, Some(&self.statement_cache), false)
    }
}

#[async_trait]
impl private::Open for deadpool_postgres::Transaction<'_> {
    async fn open(&self) -> Result<Session<'_>, Error> {
        lent(self.client(), Some(&self.statement_cache), true)
    }
}

#[async_trait]
impl private::Open for tokio_postgres::Client {
    async fn open(&self) -> Result<Session<'_>, Error> {
        lent(self, None, false)
    }
}

#[async_trait]
impl private::Open for tokio_postgres::Transaction<'_> {
    async fn open(&self) -> Result<Session<'_>, Error> {
        lent(self.client(), None, true)
    }
}
