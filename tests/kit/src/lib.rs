//! An ephemeral PostgreSQL, and a database of its own for each test.
//!
//! Tests, examples, doc tests and benches of this workspace need a server that needs no set-up, refuses nothing that a
//! real one accepts, and is gone afterwards. One call is all they make:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), kit::Error> {
//! let database = kit::database().await?; // migrated, nobody else's
//! let client = database.client().await?;
//! # drop(client);
//! # Ok(())
//! # }
//! ```
//!
//! # Where the server comes from
//!
//! The first of these that is there. One line on stderr says which, and with what settings.
//!
//! | | how | remark |
//! |---|---|---|
//! | 1 | `DATABASE_URL` | databases named `slotkeeper_kit_…` are made there and dropped; no other is touched; without TLS |
//! | 2 | `PG_BIN` | the folder of `initdb` and `postgres`; wrong is an error, never passed over |
//! | 3 | `pg_config --bindir`, `PATH`, well-known folders | with `btree_gist`, 14 or later; in folders the newest first |
//! | 4 | a pinned, checked package through `npm pack` | 24 MB, once; `NO_DOWNLOAD=1` refuses it |
//!
//! `KIT_SKIP_LOCAL=1` passes over 2 and 3: it is how the order itself is tested, and how to try the newest version.
//!
//! `KIT_UNDER` names a command to run the server under, `valgrind --tool=callgrind` say; its working folder is the server's.
//!
//! # What is left behind
//!
//! Of a server started here nothing, however the process ends: a watchdog outlives it, stops the server and removes its
//! folder. The package stays in the temp folder. On a server given by `DATABASE_URL` each database is dropped with its
//! handle; what a killed process left there is swept by a later one.
//!
//! Unix only: on other systems the server's privacy would need another design (there are no socket folders to close).

#![forbid(unsafe_code)]

mod database;
mod error;
mod guard;
mod offload;
pub mod proxy;
mod server;
mod template;

pub use database::Database;
pub use error::Error;
pub use server::{Server, Settings};

/// A database of the caller's own, migrated, on the process's fast and forgetful server.
///
/// # Errors
/// If no server is found or it refuses; the text says what to do.
pub async fn database() -> Result<Database, Error> {
    Server::shared(Settings::Test).await?.database().await
}

/// A database of the caller's own with nothing in it, not even `btree_gist`: for tests of migrating.
///
/// # Errors
/// As [`database()`].
pub async fn empty_database() -> Result<Database, Error> {
    Server::shared(Settings::Test).await?.empty_database().await
}

/// A migrated database on a second server that keeps what it confirms: figures taken without `fsync` mean nothing.
///
/// # Errors
/// As [`database()`].
pub async fn durable_database() -> Result<Database, Error> {
    Server::shared(Settings::Durable).await?.database().await
}
