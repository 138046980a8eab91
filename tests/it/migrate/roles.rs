//! Roles with few rights.

use slotkeeper::migrate::{Down, Migrator, OpsError};

use super::db::{STEPS, empty};

#[tokio::test]
async fn a_restricted_role_migrates_a_prepared_schema() {
    let db = empty().await;
    let (mut client, role) = db.client_of_new_role().await;
    let admin = db.client().await;
    let migrator = Migrator::new().create_schema(false).create_extension(false);

    let missing = migrator.up(&mut client).await.unwrap_err();
    assert_eq!(missing.to_string(), "schema slotkeeper does not exist");
    assert_eq!(Migrator::new().up(&mut client).await, Err(OpsError::PermissionDenied));
    admin.batch_execute(&format!("CREATE SCHEMA slotkeeper AUTHORIZATION {role}")).await.unwrap();
    assert_eq!(migrator.up(&mut client).await, Err(OpsError::MissingExtension));
    admin.batch_execute("CREATE EXTENSION btree_gist").await.unwrap();

    assert_eq!(migrator.up(&mut client).await.unwrap().len(), STEPS);
    assert_eq!(migrator.verify(&mut client).await.unwrap().drift, []);
    assert!(migrator.down(&mut client, Down::new()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_role_that_owns_nothing_verifies_and_finds_nothing_to_apply() {
    let db = empty().await;
    let (mut client, role) = db.client_of_new_role().await;
    let mut admin = db.client().await;
    let migrator = Migrator::new();
    migrator.up(&mut admin).await.unwrap();

    let found = migrator.verify(&mut client).await.unwrap();
    assert!(found.is_ok() && !found.history_read, "{found:?}");
    assert_eq!(migrator.status(&client).await, Err(OpsError::PermissionDenied));

    let grant = format!(
        "GRANT USAGE ON SCHEMA slotkeeper TO {role}; GRANT SELECT ON slotkeeper.migrations TO {role}"
    );
    admin.batch_execute(&grant).await.unwrap();
    let found = migrator.verify(&mut client).await.unwrap();
    assert!(found.is_ok() && found.history_read, "{found:?}");
    assert!(migrator.status(&client).await.unwrap().is_current());
    assert_eq!(migrator.up(&mut client).await, Ok(vec![]), "nothing to do needs no right");

    admin.batch_execute("ALTER TABLE slotkeeper.holds DROP CONSTRAINT holds_claimed_check").await.unwrap();
    assert!(!migrator.verify(&mut client).await.unwrap().is_ok());
    assert_eq!(migrator.down(&mut client, Down::new()).await, Err(OpsError::PermissionDenied));
}
