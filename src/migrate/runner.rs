//! The migrator.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use tokio_postgres::Client;

use crate::migrate::migration::MIGRATIONS;
use crate::migrate::step::Direction;
use crate::migrate::{Migration, Role, Status, history, step};
use crate::ops::OpsError;
use crate::schema::SchemaName;

/// Applies migrations, takes them back, and lists them.
///
/// It needs a connection of its own for as long as a call lasts. Each migration is one transaction, settings last no longer
/// than it, and nothing stays behind in the session.
///
/// ```no_run
/// # async fn deploy(client: &mut tokio_postgres::Client) -> Result<(), slotkeeper::migrate::OpsError> {
/// use slotkeeper::migrate::Migrator;
///
/// for step in Migrator::new().up(client).await? {
///     println!("applied {} {} in {:?}", step.version, step.name, step.duration);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Migrator {
    pub(super) schema: SchemaName,
    pub(super) migrations: &'static [Migration],
    pub(super) create_schema: bool,
    pub(super) create_extension: bool,
    pub(super) lock_wait: Duration,
    pub(super) lock_timeout: Duration,
    pub(super) role: Option<Role>,
}

/// One step that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Applied {
    /// The migration.
    pub version: i32,
    /// Its name.
    pub name: &'static str,
    /// How long its statements took, and writing the export.
    #[serde(serialize_with = "crate::serde_seconds::serialize")]
    pub duration: Duration,
    /// The file with every row that the step destroyed, if an export was asked for.
    pub exported: Option<Exported>,
}

/// A file with the rows of dropped tables, whole and on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Exported {
    /// The file. Readable by its owner only: it holds personal data.
    pub path: PathBuf,
    /// Its rows.
    pub rows: u64,
    /// SHA-256 of its rows, as its last line has it.
    pub sha256: String,
}

/// What a step down may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Down {
    pub(super) destroying_data: bool,
    pub(super) export: Option<PathBuf>,
}

impl Down {
    /// A step that refuses to drop a table with rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether tables are dropped together with their rows. They cannot be brought back.
    pub fn destroying_data(self, destroying_data: bool) -> Self {
        Self { destroying_data, ..self }
    }

    /// Writes every row of the tables the step drops to a new file before it drops them, under the lock that keeps them
    /// as they are. [`Migrator::restore`] brings them back. The file is synced before anything is dropped, and there is
    /// none if the step fails.
    pub fn export(self, path: impl Into<PathBuf>) -> Self {
        Self { export: Some(path.into()), ..self }
    }
}

impl Default for Migrator {
    fn default() -> Self {
        Self::new()
    }
}

impl Migrator {
    /// A migrator for the schema `slotkeeper`.
    #[must_use]
    pub fn new() -> Self {
        Self {
            schema: SchemaName::default(),
            migrations: MIGRATIONS,
            create_schema: true,
            create_extension: true,
            lock_wait: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(5),
            role: None,
        }
    }

    /// Uses another schema.
    #[must_use]
    pub fn in_schema(self, schema: SchemaName) -> Self {
        Self { schema, ..self }
    }

    /// Whether [`up`](Self::up) creates the schema where it is missing (it does). Off, a missing schema is an error.
    #[must_use]
    pub fn create_schema(self, create_schema: bool) -> Self {
        Self { create_schema, ..self }
    }

    /// Whether [`up`](Self::up) creates the extension `btree_gist` where it is missing (it does). Off, that is an error.
    #[must_use]
    pub fn create_extension(self, create_extension: bool) -> Self {
        Self { create_extension, ..self }
    }

    /// How long a step waits for another migrator of the same schema: 30 seconds unless set.
    #[must_use]
    pub fn lock_wait(self, lock_wait: Duration) -> Self {
        Self { lock_wait, ..self }
    }

    /// How long a statement waits for a table that another session uses: 5 seconds unless set, 1 ms to 1 hour.
    ///
    /// While it waits, later users of that table queue behind it. A step that meets the limit is tried 3 times.
    #[must_use]
    pub fn lock_timeout(self, lock_timeout: Duration) -> Self {
        Self { lock_timeout, ..self }
    }

    /// The role the application connects as: [`verify`](Self::verify) notes the privileges it lacks for its
    /// [duties](crate::migrate::Duty) and those it has beyond. A name alone is the service's role.
    #[must_use]
    pub fn for_role(self, role: impl Into<Role>) -> Self {
        Self { role: Some(role.into()), ..self }
    }

    /// The migrations of this release, in order.
    #[must_use]
    pub fn migrations(&self) -> &'static [Migration] {
        self.migrations
    }

    /// Applies every pending migration and returns those that this call applied.
    ///
    /// # Errors
    /// [`Locked`](OpsError::Locked) and [`Contended`](OpsError::Contended) if other sessions held locks for too long;
    /// [`ChecksumChanged`](OpsError::ChecksumChanged), [`NewerSchema`](OpsError::NewerSchema) and
    /// [`HistoryGap`](OpsError::HistoryGap) if the database was migrated by another release;
    /// [`MissingSchema`](OpsError::MissingSchema), [`MissingExtension`](OpsError::MissingExtension),
    /// [`PermissionDenied`](OpsError::PermissionDenied) and
    /// [`UnsupportedServer`](OpsError::UnsupportedServer) if the database is not prepared; otherwise what the
    /// connection or the server reports.
    ///
    /// # Transactions
    /// One for each migration, its row in the history included. An error undoes the migration it met and keeps those
    /// before it. Dropping the future rolls the current one back, unless its commit was already sent.
    pub async fn up(&self, client: &mut Client) -> Result<Vec<Applied>, OpsError> {
        let mut applied = Vec::new();
        // Another process may have taken a step that was ours, so the history says when it is enough, not a count.
        while let Some(step) = step::take(self, client, Direction::Up).await? {
            applied.push(step);
        }
        Ok(applied)
    }

    /// Takes the last applied migration back, and returns it, or `None` if nothing is applied.
    ///
    /// # Errors
    /// [`DataWouldBeLost`](OpsError::DataWouldBeLost) if it would drop a table with rows, unless `options` say
    /// otherwise; [`Artifact`](OpsError::Artifact) if they cannot be exported; otherwise as [`up`](Self::up).
    ///
    /// # Transactions
    /// One. The tables are locked against every other use before they are looked at, until they are gone.
    pub async fn down(&self, client: &mut Client, options: Down) -> Result<Option<Applied>, OpsError> {
        step::take(self, client, Direction::Down(&options)).await
    }

    /// Lists the migrations of this release and of the database. It neither locks nor writes.
    ///
    /// # Errors
    /// [`PermissionDenied`](OpsError::PermissionDenied) if the role may not read the history; otherwise what the
    /// connection or the server reports.
    pub async fn status(&self, client: &Client) -> Result<Status, OpsError> {
        Ok(history::status(history::read(client, &self.schema).await?, self.migrations))
    }
}
