//! One call's connection: statements prepared where they are kept, and several messages in one flight.

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
    /// A call dropped in the middle leaves its statement running, perhaps waiting for a lock: the pool must not hand
    /// that wait to its next user, so the connection is closed instead.
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

impl<'a> Session<'a> {
    /// On a connection of a pool's.
    pub(super) fn pooled(client: deadpool_postgres::Client) -> Self {
        let connection = Connection::Pooled(Borrowed(Some(Box::new(client))));
        Self { connection, in_transaction: false, awaited: AtomicUsize::new(0) }
    }

    /// On the caller's connection.
    pub(super) fn lent(
        client: &'a tokio_postgres::Client,
        cache: Option<&'a StatementCache>,
        in_transaction: bool,
    ) -> Self {
        Self { connection: Connection::Lent { client, cache }, in_transaction, awaited: AtomicUsize::new(0) }
    }
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
