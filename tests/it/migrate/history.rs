//! A history that another release wrote.

use slotkeeper::migrate::{Down, DriftKind, Migrator, OpsError};

use super::db::empty;

#[tokio::test]
async fn another_text_of_an_applied_migration_is_refused() {
    let db = empty().await;
    let mut client = db.client().await;
    let migrator = Migrator::new();
    migrator.up(&mut client).await.unwrap();
    client.batch_execute("UPDATE slotkeeper.migrations SET checksum = md5(checksum)").await.unwrap();
    let changed = OpsError::ChecksumChanged { version: 1 };
    assert_eq!(migrator.up(&mut client).await, Err(changed.clone()));
    assert_eq!(migrator.down(&mut client, Down::new()).await, Err(changed));
    assert!(migrator.status(&client).await.unwrap().migrations[0].changed);
    let found = migrator.verify(&mut client).await.unwrap();
    assert!(!found.is_ok());
    assert_eq!(found.drift[0].object, "migration 1");
    assert!(matches!(found.drift[0].kind, DriftKind::Changed { .. }), "{found:?}");
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_reported() {
    let db = empty().await;
    let mut client = db.client().await;
    let migrator = Migrator::new();
    migrator.up(&mut client).await.unwrap();
    let newer = "INSERT INTO slotkeeper.migrations (version, name, checksum, duration_ms) VALUES (99, 'later', '', 0)";
    client.batch_execute(newer).await.unwrap();
    let error = OpsError::NewerSchema { found: 99, known: slotkeeper::migrate::SCHEMA_VERSION };
    assert_eq!(migrator.up(&mut client).await, Err(error.clone()));
    assert_eq!(migrator.down(&mut client, Down::new()).await, Err(error));
    let status = migrator.status(&client).await.unwrap();
    let last = status.migrations.last().unwrap();
    assert_eq!((last.version, last.name.as_str(), last.known), (99, "later", false));
    assert!(last.applied_at.is_some() && !status.is_current());
    let found = migrator.verify(&mut client).await.unwrap();
    assert_eq!(found.drift[0].object, "migration 99");
    assert!(!found.is_ok());
}

#[tokio::test]
async fn an_unmigrated_database_does_not_verify() {
    let db = empty().await;
    let mut client = db.client().await;
    let found = Migrator::new().verify(&mut client).await.unwrap();
    assert!(!found.is_ok());
    assert_eq!(found.drift[0].to_string(), "migration 1 is missing");
    assert!(found.drift.iter().all(|drift| drift.kind == DriftKind::Missing));
}
