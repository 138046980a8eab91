//! The schema and the files of a drill: made under a lock, marked as ours, swept before and after.

use std::path::PathBuf;

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::migrate::Migrator;
use crate::migrate::ceremony::CeremonyOptions;
use crate::ops::artifact::part_of;
use crate::ops::{DriverResult, OpsError, TableName};
use crate::schema::SchemaName;

const SUFFIX: &str = "_drill";
/// Says that the schema is ours to drop.
const MARK: &str = "scratch copy of a slotkeeper drill: it may be dropped";
/// More steps than there are migrations.
const FILES: usize = 100;

pub(super) struct Scratch {
    pub(super) schema: SchemaName,
    /// One drill of this schema at a time.
    pub(super) lock: TableName,
    /// What its files' names begin with.
    stem: PathBuf,
}

impl Scratch {
    pub(super) async fn of(
        migrator: &Migrator,
        client: &Client,
        options: &CeremonyOptions,
    ) -> Result<Self, OpsError> {
        let base: String = migrator.schema.as_str().chars().take(SchemaName::LIMIT - SUFFIX.len()).collect();
        let invalid = || OpsError::UnsupportedName { name: format!("{base}{SUFFIX}") };
        let schema = SchemaName::new(format!("{base}{SUFFIX}")).map_err(|_| invalid())?;
        let lock = TableName::new(schema.as_str(), "drill").map_err(|_| invalid())?;
        let sql = "SELECT oid::pg_catalog.int8 FROM pg_catalog.pg_database
            WHERE datname = pg_catalog.current_database()";
        let row = client.query_typed_one(sql, &[]).await.driver()?;
        let stem = options.folder.join(format!("slotkeeper-{}-{schema}", row.get::<_, i64>(0)));
        Ok(Self { schema, lock, stem })
    }

    pub(super) async fn create(&self, client: &Client) -> Result<(), OpsError> {
        let schema = &self.schema;
        // One message, so one transaction: there is never such a schema without its mark.
        let sql = format!("CREATE SCHEMA \"{schema}\"; COMMENT ON SCHEMA \"{schema}\" IS '{MARK}'");
        client.batch_execute(&sql).await.driver()
    }

    /// Drops the schema and removes the files, if they are there.
    pub(super) async fn sweep(&self, client: &Client) -> Result<(), OpsError> {
        for n in 0..FILES {
            let file = self.file(n);
            for path in [part_of(&file), file] {
                // Nothing to remove is the usual case; what cannot be removed stops the export that follows.
                let _ = std::fs::remove_file(path);
            }
        }
        let sql = "SELECT pg_catalog.obj_description(oid, 'pg_namespace') IS NOT DISTINCT FROM $2
            FROM pg_catalog.pg_namespace WHERE nspname = $1";
        let schema = self.schema.as_str();
        let params = [(&schema as _, Type::TEXT), (&MARK as _, Type::TEXT)];
        let row = client.query_typed_opt(sql, &params).await.driver()?;
        match row.map(|row| row.get::<_, bool>(0)) {
            None => Ok(()),
            Some(false) => Err(OpsError::ScratchTaken { schema: self.schema.clone() }),
            Some(true) => {
                let drop = format!(
                    "BEGIN; SET LOCAL client_min_messages = warning; DROP SCHEMA \"{schema}\" CASCADE; COMMIT"
                );
                let done = client.batch_execute(&drop).await;
                if done.is_err() {
                    // The transaction of the message is still open; a lost connection has ended it.
                    let _ = client.batch_execute("ROLLBACK").await;
                }
                done.driver()
            }
        }
    }

    /// The export of the `n`th step down.
    pub(super) fn file(&self, n: usize) -> PathBuf {
        let mut name = self.stem.clone().into_os_string();
        name.push(format!("-{n}.jsonl"));
        name.into()
    }
}
