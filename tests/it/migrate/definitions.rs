//! What counts as a difference between two definitions, and how it is told.

use slotkeeper::SchemaName;
use slotkeeper::migrate::Migrator;

use super::db::empty;

#[tokio::test]
async fn constraints_that_version_18_can_weaken_are_found() {
    let db = empty().await;
    let mut client = db.client().await;
    if db.version() < 18 {
        return;
    }
    let migrator = Migrator::new();
    migrator.up(&mut client).await.unwrap();
    let damage = "ALTER TABLE slotkeeper.allocations ALTER COLUMN during DROP NOT NULL;
        ALTER TABLE slotkeeper.allocations ADD CONSTRAINT n NOT NULL during NOT VALID;
        ALTER TABLE slotkeeper.allocations ALTER CONSTRAINT allocations_resource_fkey NOT ENFORCED;
        ALTER TABLE slotkeeper.holds DROP CONSTRAINT holds_expires_check;
        ALTER TABLE slotkeeper.holds ADD CONSTRAINT holds_expires_check CHECK (expires_at <= latest_expires_at) NOT ENFORCED";
    client.batch_execute(damage).await.unwrap();
    let found = migrator.verify(&mut client).await.unwrap();
    let objects: Vec<_> = found.drift.iter().map(|d| d.object.as_str()).collect();
    assert_eq!(
        objects,
        [
            "column allocations.during",
            "constraint allocations.allocations_resource_fkey",
            "constraint holds.holds_expires_check"
        ]
    );
    assert!(!found.is_ok());
}

#[tokio::test]
async fn a_foreign_key_into_the_same_table_of_another_schema_is_found() {
    let db = empty().await;
    let mut client = db.client().await;
    Migrator::new().up(&mut client).await.unwrap();
    for name in ["other", "order"] {
        let migrator = Migrator::new().in_schema(SchemaName::new(name).unwrap());
        migrator.up(&mut client).await.unwrap();
        let damage = format!(
            "ALTER TABLE \"{name}\".allocations DROP CONSTRAINT allocations_resource_fkey;
            ALTER TABLE \"{name}\".allocations ADD CONSTRAINT allocations_resource_fkey
                FOREIGN KEY (tenant_id, resource_id) REFERENCES slotkeeper.resources (tenant_id, id)"
        );
        client.batch_execute(&damage).await.unwrap();
        let found = migrator.verify(&mut client).await.unwrap();
        assert_eq!(found.drift.len(), 1, "{found:?}");
        assert_eq!(found.drift[0].object, "constraint allocations.allocations_resource_fkey");
    }
    assert_eq!(Migrator::new().verify(&mut client).await.unwrap().drift, []);
}

#[tokio::test]
async fn a_change_shows_both_definitions() {
    let db = empty().await;
    let mut client = db.client().await;
    let migrator = Migrator::new();
    migrator.up(&mut client).await.unwrap();
    let damage = "ALTER TABLE slotkeeper.holds ALTER COLUMN status DROP NOT NULL";
    client.batch_execute(damage).await.unwrap();
    let found = migrator.verify(&mut client).await.unwrap();
    assert_eq!(
        found.drift[0].to_string(),
        "column holds.status is `slotkeeper.hold_status`, not `slotkeeper.hold_status not null`"
    );
}

#[tokio::test]
async fn the_session_s_settings_do_not_show_as_drift() {
    let db = empty().await;
    let mut client = db.client().await;
    let settings = "SET TimeZone = 'Asia/Kathmandu'; SET DateStyle = 'German'; SET IntervalStyle = 'iso_8601';
        SET search_path = slotkeeper, public; SET quote_all_identifiers = on; SET default_transaction_read_only = on";
    client.batch_execute(settings).await.unwrap();
    Migrator::new().up(&mut client).await.unwrap();
    assert_eq!(Migrator::new().verify(&mut client).await.unwrap().drift, []);
    let zone: String = client.query_one("SHOW TimeZone", &[]).await.unwrap().get(0);
    assert_eq!(zone, "Asia/Kathmandu");
}
