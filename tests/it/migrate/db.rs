//! A database of its own for each test. The one place that knows where databases come from.

use slotkeeper::migrate::{Down, Migrator};
use tokio_postgres::{Client, NoTls};

/// How many migrations this release has.
pub(crate) const STEPS: usize = slotkeeper::migrate::SCHEMA_VERSION as usize;

/// Takes back all migrations but the first, whose tables hold nothing here.
pub(crate) async fn down_to_first(client: &mut Client) {
    for _ in 1..STEPS {
        assert!(Migrator::new().down(client, Down::new()).await.unwrap().is_some());
    }
}

/// An empty database.
pub(crate) struct Db(kit::Database);

pub(crate) async fn empty() -> Db {
    Db(kit::empty_database().await.expect("a database"))
}

impl Db {
    pub(crate) async fn client(&self) -> Client {
        self.0.client().await.expect("a client")
    }

    /// A client of a role that owns nothing, and the role's name.
    pub(crate) async fn client_of_new_role(&self) -> (Client, String) {
        let config = self.0.stranger().await.expect("a role");
        let (client, connection) = config.connect(NoTls).await.expect("a client");
        tokio::spawn(connection);
        (client, config.get_user().expect("the role's name").to_owned())
    }

    /// The server's major version.
    pub(crate) fn version(&self) -> i32 {
        self.0.server().version_num() / 10_000
    }
}
