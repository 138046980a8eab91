//! A database of one test's own.

use std::{fmt, sync::Arc, time::Duration};

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio_postgres::{Client, Config, NoTls};

use crate::{
    Error, Server,
    guard::{self, Guard},
};

/// A database nobody else uses; it is dropped, connections and all, when this handle is.
pub struct Database {
    guard: Guard,
    /// Only held: a template must outlive the databases copied from it on a server that outlives us.
    _template: Option<Arc<Guard>>,
    server: Server,
}

impl Database {
    pub(crate) fn new(guard: Guard, template: Option<Arc<Guard>>, server: Server) -> Self {
        Self { guard, _template: template, server }
    }

    /// Its name on the server: unique, so also good for naming other things.
    pub fn name(&self) -> &str {
        &self.guard.name
    }

    /// Connects as the owner, for drivers and pools other than those made here.
    pub fn config(&self) -> Config {
        let mut config = self.guard.admin.clone();
        config.dbname(self.name());
        config
    }

    /// A connection of its own, driven by a task on the calling runtime.
    ///
    /// # Errors
    /// If the server refuses the connection.
    pub async fn client(&self) -> Result<Client, Error> {
        connect(&self.config()).await
    }

    /// Connects as a role that owns nothing and may do nothing but log in: the application's role, before any grant.
    ///
    /// Made on the first call and dropped with the database; its name is the configuration's user.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn stranger(&self) -> Result<Config, Error> {
        let role = guard::stranger_of(self.name());
        let mut config = self.config();
        let client = self.client().await?;
        let known =
            client.query_one("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", &[&role]).await;
        if !known.map_err(Error::on("look for a role"))?.get::<_, bool>(0) {
            // A server that asks for passwords asks this role too, so it gets the one we have.
            let password =
                config.get_password().map(|text| String::from_utf8_lossy(text).replace('\'', "''"));
            let password = password.map(|text| format!(" PASSWORD '{text}'")).unwrap_or_default();
            let sql = format!("CREATE ROLE {role} LOGIN{password}");
            client.batch_execute(&sql).await.map_err(Error::on("create a role"))?;
        }
        config.user(&role);
        Ok(config)
    }

    /// A pool as a host would have: a connection that comes back is taken on trust.
    pub fn pool(&self, max_size: usize) -> Pool {
        pool(self.config(), max_size)
    }

    /// The server it is on.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// How many deadlocks the server has broken in this database so far.
    ///
    /// A session reports its counters late (up to 10 s) but always when it ends. So this **ends the idle sessions** of
    /// this database first and the figure is exact for all work done before; pools reconnect, single clients do not.
    /// What runs meanwhile is not counted for certain. Before version 15 the figure arrives by another road, which is
    /// given 0.6 s.
    ///
    /// # Errors
    /// If the server does not answer, or the sessions do not end within ten seconds.
    pub async fn deadlocks(&self) -> Result<i64, Error> {
        let action = "read the count of deadlocks";
        let maintenance = connect(&self.guard.admin).await?;
        let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                   WHERE datname = $1 AND backend_type = 'client backend' AND state = 'idle'";
        let mut tries = 0;
        while maintenance.query_one(end, &[&self.name()]).await.map_err(Error::on(action))?.get::<_, i64>(0)
            > 0
        {
            tries += 1;
            if tries > 1000 {
                return Err(Error::new(format!("{action}: the idle sessions do not end")));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        if self.server.version_num() < 150_000 {
            tokio::time::sleep(Duration::from_millis(600)).await;
        }
        let read = "SELECT deadlocks FROM pg_stat_database WHERE datname = $1";
        Ok(maintenance.query_one(read, &[&self.name()]).await.map_err(Error::on(action))?.get(0))
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("name", &self.name()).finish_non_exhaustive()
    }
}

/// A connection driven by a task on the calling runtime; the task ends with the client.
pub(crate) async fn connect(config: &Config) -> Result<Client, Error> {
    let (client, connection) = config.connect(NoTls).await.map_err(Error::on("connect to PostgreSQL"))?;
    tokio::spawn(connection);
    Ok(client)
}

#[allow(
    clippy::expect_used,
    reason = "cannot fail: a runtime is named, the only thing the builder checks for"
)]
pub(crate) fn pool(config: Config, max_size: usize) -> Pool {
    let manager_config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(config, NoTls, manager_config);
    Pool::builder(manager).max_size(max_size).runtime(Runtime::Tokio1).build().expect("a runtime is set")
}
