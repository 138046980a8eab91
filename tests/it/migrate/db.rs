//! A database of its own for each test. The one place that knows where databases come from.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio_postgres::{Client, Config, NoTls};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// An empty database.
pub(crate) struct Db {
    config: Config,
}

/// Creates one. Needs `MIGRATE_TEST_DSN`: a superuser on a server whose databases may be thrown away.
pub(crate) async fn empty() -> Db {
    let dsn = std::env::var("MIGRATE_TEST_DSN").expect("MIGRATE_TEST_DSN names a server");
    let mut config: Config = dsn.parse().unwrap();
    let name = format!("migrate_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let admin = connect(&config).await;
    admin.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).await.unwrap();
    config.dbname(&name);
    Db { config }
}

impl Db {
    pub(crate) async fn client(&self) -> Client {
        connect(&self.config).await
    }

    /// A client of a role that owns nothing: created on the spot, with a name of its own.
    pub(crate) async fn client_of_new_role(&self) -> (Client, String) {
        let name = format!("role_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        self.client().await.batch_execute(&format!("CREATE ROLE {name} LOGIN")).await.unwrap();
        let mut config = self.config.clone();
        config.user(&name);
        (connect(&config).await, name)
    }
}

async fn connect(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
