//! How pools, clients and transactions give a call its connection.

use super::Session;
use crate::error::Error;
use async_trait::async_trait;

/// The hidden half of [`Executor`](super::Executor), which seals it.
#[async_trait]
pub trait Open: Send + Sync {
    /// A connection for one call.
    async fn open(&self) -> Result<Session<'_>, Error>;
}

#[async_trait]
impl Open for deadpool_postgres::Pool {
    async fn open(&self) -> Result<Session<'_>, Error> {
        let client = self.get().await.map_err(|error| Error::no_connection(&error))?;
        Ok(Session::pooled(client))
    }
}

#[async_trait]
impl Open for deadpool_postgres::Client {
    async fn open(&self) -> Result<Session<'_>, Error> {
        Ok(Session::lent(self, Some(&self.statement_cache), false))
    }
}

#[async_trait]
impl Open for deadpool_postgres::ClientWrapper {
    async fn open(&self) -> Result<Session<'_>, Error> {
        Ok(Session::lent(self, Some(&self.statement_cache), false))
    }
}

#[async_trait]
impl Open for deadpool_postgres::Transaction<'_> {
    async fn open(&self) -> Result<Session<'_>, Error> {
        Ok(Session::lent(self.client(), Some(&self.statement_cache), true))
    }
}

#[async_trait]
impl Open for tokio_postgres::Client {
    async fn open(&self) -> Result<Session<'_>, Error> {
        Ok(Session::lent(self, None, false))
    }
}

#[async_trait]
impl Open for tokio_postgres::Transaction<'_> {
    async fn open(&self) -> Result<Session<'_>, Error> {
        Ok(Session::lent(self.client(), None, true))
    }
}
