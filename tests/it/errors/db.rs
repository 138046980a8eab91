//! A database with one connection in hand.

use std::time::Duration;

use tokio_postgres::{Client, Error};

use crate::support::House;

/// Sessions of this database that wait for another's lock.
const WAITING: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";

/// Ends them, and tells how many there were.
pub(crate) const END_WAITING: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'";

/// Until a call waits for another transaction.
pub(crate) async fn until_one_waits(h: &House) {
    while h.count(WAITING).await == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(crate) struct Db {
    pub(crate) client: Client,
    database: kit::Database,
}

/// With nothing in it.
pub(crate) async fn empty() -> Db {
    of(kit::empty_database().await.expect("a database")).await
}

/// With the library's tables.
pub(crate) async fn migrated() -> Db {
    of(kit::database().await.expect("a database")).await
}

async fn of(database: kit::Database) -> Db {
    Db { client: database.client().await.expect("a client"), database }
}

impl Db {
    pub(crate) async fn another(&self) -> Client {
        self.database.client().await.expect("a client")
    }

    pub(crate) async fn run(&self, sql: &str) {
        self.client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// The error of the last statement; the ones before it succeed.
    pub(crate) async fn error(&self, sql: &str) -> Error {
        error(&self.client, sql).await
    }

    /// The server's major version.
    pub(crate) fn version(&self) -> i32 {
        self.database.server().version_num() / 10_000
    }
}

pub(crate) async fn error(client: &Client, sql: &str) -> Error {
    client.batch_execute(sql).await.expect_err(sql)
}
