//! Who asks, and what that role may do.

use super::counts;
use crate::support::visits::{self, TENANT_A};
use kit::Database;
use slotkeeper::rollout::{Extension, FindingKind, Obstacle};
use tokio_postgres::{Client, NoTls};

/// A table with one overlap, and a role that may do nothing.
async fn open() -> (Database, Client, Client, String) {
    let database = kit::empty_database().await.unwrap();
    let client = database.client().await.unwrap();
    visits::create(&client).await;
    client
        .batch_execute(&format!(
            "INSERT INTO app.tables VALUES ('{TENANT_A}', 1);
             INSERT INTO app.visits (id, restaurant_id, table_id, starts_at, ends_at)
             SELECT n, '{TENANT_A}', 1, '2030-01-01', '2030-01-02' FROM generate_series(1, 2) AS n"
        ))
        .await
        .unwrap();
    let config = database.stranger().await.unwrap();
    let role = config.get_user().unwrap().to_owned();
    let (stranger, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    (database, client, stranger, role)
}

fn table(name: &str) -> String {
    format!("app.{name}")
}

#[tokio::test]
async fn a_role_that_may_only_select_sees_all_findings_and_what_it_lacks() {
    let (_database, client, mut stranger, role) = open().await;
    client
        .batch_execute(&format!(
            "GRANT USAGE ON SCHEMA app TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA app TO {role}"
        ))
        .await
        .unwrap();
    let preflight = visits::guard().build().unwrap().preflight(&mut stranger).await.unwrap();
    assert_eq!(counts(&preflight), [(FindingKind::Overlap, 1, 1)]);
    let lacks = [
        Obstacle::NotOwner { table: table("visits") },
        Obstacle::MayNotCreate { schema: "app".into() },
        Obstacle::MayNotReference { table: table("tables") },
    ];
    assert_eq!(preflight.obstacles, lacks);
    assert_eq!((preflight.server.role.as_str(), preflight.server.sees_sessions), (role.as_str(), false));
    assert!(!preflight.server.may_create_schema);
}

#[tokio::test]
async fn a_role_that_may_not_read_is_told_so_and_gets_no_answer_that_looks_like_one() {
    let (_database, client, mut stranger, role) = open().await;
    let guard = visits::guard().build().unwrap();
    let preflight = guard.preflight(&mut stranger).await.unwrap();
    assert!(preflight.obstacles.contains(&Obstacle::MayNotRead { table: table("visits") }));
    assert_eq!((preflight.tables[0].rows, preflight.tables[0].unchecked.len()), (None, 5));
    // The parent alone is closed: the rules without it are checked.
    client
        .batch_execute(&format!("GRANT USAGE ON SCHEMA app TO {role}; GRANT SELECT ON app.visits TO {role}"))
        .await
        .unwrap();
    let preflight = guard.preflight(&mut stranger).await.unwrap();
    assert!(preflight.obstacles.contains(&Obstacle::MayNotRead { table: table("tables") }));
    assert_eq!(preflight.tables[0].unchecked, ["visits_table_fkey"]);
    assert_eq!(counts(&preflight), [(FindingKind::Overlap, 1, 1)]);
}

#[tokio::test]
async fn rows_hidden_by_a_policy_do_not_look_like_none() {
    let (_database, client, mut stranger, role) = open().await;
    client
        .batch_execute(&format!(
            "GRANT USAGE ON SCHEMA app TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA app TO {role};
             ALTER TABLE app.visits ENABLE ROW LEVEL SECURITY"
        ))
        .await
        .unwrap();
    let preflight = visits::guard().build().unwrap().preflight(&mut stranger).await.unwrap();
    assert!(preflight.obstacles.contains(&Obstacle::MayNotRead { table: table("visits") }), "{preflight}");
    assert!(!preflight.is_clean());
}

#[tokio::test]
async fn a_session_that_takes_no_writes_is_looked_at_all_the_same() {
    let (_database, mut client, _, _) = open().await;
    client.batch_execute("SET default_transaction_read_only = on").await.unwrap();
    let preflight = visits::guard().build().unwrap().preflight(&mut client).await.unwrap();
    assert_eq!(preflight.obstacles, [Obstacle::ReadOnlyServer]);
    assert!(preflight.server.read_only && !preflight.server.standby);
    assert_eq!(counts(&preflight), [(FindingKind::Overlap, 1, 1)]);
}

#[tokio::test]
async fn the_extension_is_in_the_way_only_of_a_role_that_may_not_create_it() {
    let (_database, client, mut stranger, role) = open().await;
    client.batch_execute("DROP EXTENSION btree_gist").await.unwrap();
    let guard = visits::guard().build().unwrap();
    let preflight = guard.preflight(&mut stranger).await.unwrap();
    assert_eq!(preflight.server.extension, Extension::Available);
    assert!(preflight.obstacles.contains(&Obstacle::MissingExtension));
    let database: String = client.query_one("SELECT current_database()::text", &[]).await.unwrap().get(0);
    client.batch_execute(&format!("GRANT CREATE ON DATABASE {database} TO {role}")).await.unwrap();
    let preflight = guard.preflight(&mut stranger).await.unwrap();
    assert_eq!(preflight.server.extension, Extension::Creatable);
    assert!(!preflight.obstacles.contains(&Obstacle::MissingExtension));
}
