//! The committed definitions, `src/migrate/catalog.txt`.

use slotkeeper::Constraint;
use slotkeeper::migrate::Migrator;
use tokio_postgres::Client;

use super::db::empty;

/// What `verify` reads, as text.
pub(crate) async fn dump(client: &Client, schema: &str) -> String {
    let mut tables: Vec<&str> = Constraint::ALL.iter().map(|c| c.table()).collect();
    tables.dedup();
    let settings = "SET search_path = pg_catalog; SET TimeZone = 'UTC'; SET DateStyle = 'ISO, MDY';
        SET IntervalStyle = 'postgres'";
    client.batch_execute(settings).await.unwrap();
    let rows =
        client.query(include_str!("../../../src/migrate/catalog.sql"), &[&schema, &tables]).await.unwrap();
    client.batch_execute("RESET ALL").await.unwrap();
    let line = |row: &tokio_postgres::Row| {
        let fields: [&str; 4] = [row.get(0), row.get(1), row.get(2), row.get(3)];
        fields.join("\t") + "\n"
    };
    rows.iter().map(line).collect()
}

/// `UPDATE_CATALOG=1 cargo test committed_definitions` writes the file after a migration was added.
#[tokio::test]
async fn committed_definitions_are_those_of_a_fresh_database() {
    let db = empty().await;
    let mut client = db.client().await;
    Migrator::new().up(&mut client).await.unwrap();
    let fresh = dump(&client, "slotkeeper").await;
    if std::env::var_os("UPDATE_CATALOG").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/migrate/catalog.txt"), &fresh).unwrap();
        return;
    }
    let committed = include_str!("../../../src/migrate/catalog.txt");
    assert_eq!(committed, fresh, "run this test with UPDATE_CATALOG=1");
}
