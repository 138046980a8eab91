//! What `up` would do and `down` would destroy is said first, and is what happens.

use crate::support::house;
use slotkeeper::{
    SchemaName, TenantId,
    migrate::{Migrator, Repair},
};

#[tokio::test]
async fn a_plan_says_what_up_does_and_does_nothing() {
    let database = kit::empty_database().await.unwrap();
    let mut client = database.client().await.unwrap();
    let migrator = Migrator::new().in_schema(SchemaName::new("other").unwrap());
    client.batch_execute("SET default_transaction_read_only = on").await.unwrap();
    let plan = migrator.plan(&mut client).await.unwrap();
    client.batch_execute("RESET default_transaction_read_only").await.unwrap();
    assert!(plan.creates_schema && plan.creates_extension, "{plan}");
    assert_eq!(plan.steps.len(), migrator.migrations().len());
    assert_eq!(plan.steps[0].locks, [], "new tables are nobody else's");
    // The statements are the ones: run by hand they make the same schema.
    client.batch_execute("CREATE SCHEMA other; CREATE EXTENSION btree_gist").await.unwrap();
    for statement in plan.steps.iter().flat_map(|step| &step.statements) {
        client.batch_execute(statement).await.unwrap();
    }
    let drift = migrator.verify(&mut client).await.unwrap().drift;
    assert!(drift.iter().all(|drift| drift.object.contains("migration")), "{drift:?}");
    client.batch_execute("DROP SCHEMA other CASCADE").await.unwrap();
    migrator.up(&mut client).await.unwrap();
    assert_eq!(migrator.plan(&mut client).await.unwrap().to_string(), "nothing to do\n");
    assert_eq!(migrator.repair(&mut client, &Repair::dry_run()).await.unwrap().repaired, []);
}

#[tokio::test]
async fn losses_are_counted_by_table() {
    let database = kit::database().await.unwrap();
    let mut client = database.client().await.unwrap();
    house::fill(&client, TenantId::SINGLE).await;
    let mut lost = 0;
    let losses = Migrator::new().losses(&mut client).await.unwrap();
    assert_eq!(losses.version, Migrator::new().migrations().last().map(|last| last.version));
    for loss in &losses.tables {
        let sql = format!("SELECT count(*) FROM slotkeeper.{}", loss.table);
        let rows: i64 = client.query_one(&sql, &[]).await.unwrap().get(0);
        assert_eq!(loss.rows, rows as u64, "{}", loss.table);
        lost += loss.rows;
    }
    assert_eq!(losses.rows(), lost);
    assert!(losses.to_string().contains("would destroy"), "{losses}");
}
