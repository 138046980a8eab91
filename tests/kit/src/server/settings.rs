//! The two flavours, and what a server really has.

use tokio_postgres::Config;

use crate::{Error, database, template};

/// How much a server of our own cares for what it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settings {
    /// Forgets everything in a crash, which no test notices, and is several times faster.
    Test,
    /// Keeps what it has confirmed, as in production: figures are taken on this one.
    Durable,
}

impl Settings {
    /// What the two differ in.
    pub(super) fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Test => {
                &["fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=64MB"]
            }
            Self::Durable => {
                &["fsync=on", "synchronous_commit=on", "full_page_writes=on", "shared_buffers=256MB"]
            }
        }
    }

    /// What every server of ours has. 300 connections: some tests race that many callers.
    pub(super) const COMMON: &'static [&'static str] =
        &["listen_addresses=", "max_connections=300", "timezone=UTC", "log_timezone=UTC", "jit=off"];
}

/// Asked of the running server, never assumed from the flags.
pub(super) struct Found {
    pub(super) version: String,
    pub(super) version_num: i32,
    pub(super) describe: String,
}

/// Also sweeps what earlier runs left, where anything can be left.
pub(super) async fn read(admin: &Config, origin: &str, sweep: bool) -> Result<Found, Error> {
    let client = database::connect(admin).await?;
    if sweep {
        template::sweep(&client).await?;
    }
    let sql = "SELECT split_part(current_setting('server_version'), ' ', 1), \
               current_setting('server_version_num')::int, \
               (SELECT string_agg(s || '=' || current_setting(s), ' ' ORDER BY n) FROM unnest(ARRAY['fsync', \
               'synchronous_commit', 'full_page_writes', 'shared_buffers', 'max_connections', 'jit']) \
               WITH ORDINALITY AS t (s, n))";
    let row = client.query_one(sql, &[]).await.map_err(Error::on("ask the server for its settings"))?;
    let (version, version_num, settings): (String, i32, String) = (row.get(0), row.get(1), row.get(2));
    let describe = format!("PostgreSQL {version} ({origin}), {settings}");
    Ok(Found { version, version_num, describe })
}
