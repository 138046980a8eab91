//! What a call runs on: a pool, a client, or the caller's own open transaction.

mod open;
mod session;

pub(crate) use session::{Failed, Flight, Session};

/// What a call runs on: a pool, a client, or the caller's own open transaction. Sealed: implemented for the pools,
/// clients and transactions of `deadpool_postgres` and `tokio_postgres`.
///
/// Every method takes `&dyn Executor`, so `&pool`, `&client` and `&transaction` all fit, of `tokio_postgres` and
/// `deadpool_postgres` alike. A shared reference, so that independent calls may be pipelined on one connection.
///
/// | executor | prepared statements | one call is |
/// |---|---|---|
/// | `deadpool_postgres::{Pool, Client, ClientWrapper}` | cached on the connection | one autocommit statement |
/// | `deadpool_postgres::Transaction` | cached on the connection | part of the caller's transaction |
/// | `tokio_postgres::Client` | none: parsed and planned in the same flight | one autocommit statement |
/// | `tokio_postgres::Transaction` | none: parsed and planned in the same flight | part of the caller's transaction |
///
/// A bare `tokio_postgres` connection has nowhere to keep a statement, so each call pays for planning (about a
/// millisecond, no further round trip). To keep plans, wrap it in [`deadpool_postgres::ClientWrapper::new`]. The bare
/// form leaves no named statement behind, which suits a transaction-mode pooler.
///
/// A call's future may be dropped at any await: what it was about to write is written whole or not at all, and
/// repeating the call settles which. On a pool its connection is then closed, so that nobody inherits the wait. In the
/// caller's transaction the statement stays part of it: roll back, unless its effect is wanted.
///
/// A `BEGIN` sent as text on a client is invisible here; open transactions through the driver's `transaction()`.
pub trait Executor: open::Open {}

impl<T: open::Open> Executor for T {}
