//! Up and down.

use slotkeeper::Constraint;
use slotkeeper::SchemaName;
use slotkeeper::migrate::{Down, Migrator, OpsError};

use super::db::{STEPS, down_to_first, empty};

const RESOURCE: &str = "INSERT INTO slotkeeper.resources
    (tenant_id, id, kind, name, capacity, min_party, attributes, active, revision)
    VALUES (gen_random_uuid(), gen_random_uuid(), 'table', 't', 4, 1, '{}', true, 1)";

const NAMES: [(i32, &str); STEPS] = [(1, "create_core"), (2, "create_offers"), (3, "create_archive")];

#[tokio::test]
async fn up_applies_everything_once() {
    let db = empty().await;
    let mut client = db.client().await;
    let applied = Migrator::new().up(&mut client).await.unwrap();
    assert_eq!(applied.iter().map(|a| (a.version, a.name)).collect::<Vec<_>>(), NAMES);
    assert_eq!(Migrator::new().up(&mut client).await, Ok(vec![]));
    let status = Migrator::new().status(&client).await.unwrap();
    assert!(status.is_current(), "{status:?}");
    client.batch_execute(RESOURCE).await.unwrap();
}

#[tokio::test]
async fn status_and_down_of_an_empty_database_find_nothing() {
    let db = empty().await;
    let mut client = db.client().await;
    let status = Migrator::new().status(&client).await.unwrap();
    assert_eq!(status.pending().map(|m| m.version).collect::<Vec<_>>(), NAMES.map(|(version, _)| version));
    assert_eq!(Migrator::new().down(&mut client, Down::new()).await, Ok(None));
}

#[tokio::test]
async fn down_refuses_while_a_table_holds_a_row_and_obeys_when_told() {
    let db = empty().await;
    let mut client = db.client().await;
    let migrator = Migrator::new();
    migrator.up(&mut client).await.unwrap();
    client.batch_execute(RESOURCE).await.unwrap();
    let offer =
        "INSERT INTO slotkeeper.offered_slots VALUES (gen_random_uuid(), 'default', now(), 1, now(), now())";
    client.batch_execute(offer).await.unwrap();
    let archive = migrator.down(&mut client, Down::new()).await.unwrap().unwrap();
    assert_eq!(archive.name, "create_archive", "it is empty");
    let refused = migrator.down(&mut client, Down::new()).await;
    assert_eq!(refused, Err(OpsError::DataWouldBeLost { table: "offered_slots" }));
    client.batch_execute("DELETE FROM slotkeeper.offered_slots").await.unwrap();
    migrator.down(&mut client, Down::new()).await.unwrap();

    let refused = migrator.down(&mut client, Down::new()).await;
    assert_eq!(refused, Err(OpsError::DataWouldBeLost { table: "resources" }));
    let rows = client.query_one("SELECT count(*) FROM slotkeeper.resources", &[]).await.unwrap();
    assert_eq!(rows.get::<_, i64>(0), 1);
    assert_eq!(migrator.status(&client).await.unwrap().pending().count(), STEPS - 1);

    let step = migrator.down(&mut client, Down::new().destroying_data(true)).await.unwrap().unwrap();
    assert_eq!((step.version, step.name), (1, "create_core"));
    assert_eq!(migrator.status(&client).await.unwrap().pending().count(), STEPS);
}

#[tokio::test]
async fn down_sees_rows_that_a_policy_hides() {
    let db = empty().await;
    let (mut client, role) = db.client_of_new_role().await;
    let admin = db.client().await;
    let prepare = format!("CREATE EXTENSION btree_gist; CREATE SCHEMA slotkeeper AUTHORIZATION {role}");
    admin.batch_execute(&prepare).await.unwrap();
    let migrator = Migrator::new();
    migrator.up(&mut client).await.unwrap();
    client.batch_execute(RESOURCE).await.unwrap();
    down_to_first(&mut client).await;
    let hide = "ALTER TABLE slotkeeper.resources ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY";
    client.batch_execute(hide).await.unwrap();
    let seen = client.query_one("SELECT count(*) FROM slotkeeper.resources", &[]).await.unwrap();
    assert_eq!(seen.get::<_, i64>(0), 0, "the policy hides the row from its owner");

    assert_eq!(migrator.down(&mut client, Down::new()).await, Err(OpsError::PermissionDenied));
    let seen = admin.query_one("SELECT count(*) FROM slotkeeper.resources", &[]).await.unwrap();
    assert_eq!(seen.get::<_, i64>(0), 1);
}

#[tokio::test]
async fn up_down_up_ends_where_up_does() {
    let db = empty().await;
    let mut client = db.client().await;
    let migrator = Migrator::new();
    migrator.up(&mut client).await.unwrap();
    let first = super::catalog::dump(&client, "slotkeeper").await;
    down_to_first(&mut client).await;
    let core = super::catalog::dump(&client, "slotkeeper").await;
    assert!(core.contains("\tallocations\t") && !core.contains("offered_slots"), "one step at a time");
    assert!(migrator.down(&mut client, Down::new()).await.unwrap().is_some());
    let between = super::catalog::dump(&client, "slotkeeper").await;
    assert!(between.lines().all(|line| line.split('\t').nth(1) == Some("migrations")), "{between}");
    migrator.up(&mut client).await.unwrap();
    assert_eq!(super::catalog::dump(&client, "slotkeeper").await, first);
}

#[tokio::test]
async fn two_schemas_live_side_by_side_whatever_their_names() {
    let db = empty().await;
    let mut client = db.client().await;
    Migrator::new().up(&mut client).await.unwrap();
    let reference = super::catalog::dump(&client, "slotkeeper").await;
    // A keyword that must be quoted, and a name that occurs within other names.
    for name in ["order", "s", "during", "public", "myslotkeeper"] {
        let migrator = Migrator::new().in_schema(SchemaName::new(name).unwrap());
        assert_eq!(migrator.up(&mut client).await.unwrap().len(), STEPS, "{name}");
        assert_eq!(migrator.verify(&mut client).await.unwrap().drift, [], "{name}");
        assert_eq!(super::catalog::dump(&client, name).await, reference, "{name}");
        assert!(migrator.down(&mut client, Down::new()).await.unwrap().is_some(), "{name}");
    }
    assert!(Migrator::new().verify(&mut client).await.unwrap().is_ok());
}

#[tokio::test]
async fn a_failing_step_leaves_nothing_and_the_connection_clean() {
    let db = empty().await;
    let mut client = db.client().await;
    client.batch_execute("CREATE SCHEMA slotkeeper; CREATE TABLE slotkeeper.outbox (x int)").await.unwrap();
    let failed = Migrator::new().up(&mut client).await;
    assert_eq!(failed, Err(OpsError::Database { sqlstate: Some("42P07".into()) }));
    let sql = "SELECT string_agg(relname, ',') FROM pg_class WHERE relnamespace = 'slotkeeper'::regnamespace";
    let left = client.query_one(sql, &[]).await.unwrap();
    assert_eq!(left.get::<_, Option<&str>>(0), Some("outbox"));
    let sql = "SELECT current_setting('lock_timeout'), current_setting('search_path'), \
        (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())";
    let row = client.query_one(sql, &[]).await.unwrap();
    let state: (&str, &str, i64) = (row.get(0), row.get(1), row.get(2));
    assert_eq!(state, ("0", "\"$user\", public", 0));
}

#[tokio::test]
async fn the_constraint_list_is_the_database_s_in_both_directions() {
    const NAMES: &str = "SELECT conname::text,
            CASE contypid WHEN 0 THEN conrelid::regclass::text ELSE contypid::regtype::text END FROM pg_constraint
        WHERE connamespace = 'slotkeeper'::regnamespace AND contype NOT IN ('n', 't')
        UNION SELECT indexrelid::regclass::text, indrelid::regclass::text FROM pg_index JOIN pg_class c ON c.oid = indrelid
        WHERE relnamespace = 'slotkeeper'::regnamespace AND indisunique";
    let db = empty().await;
    let mut client = db.client().await;
    Migrator::new().up(&mut client).await.unwrap();
    client.batch_execute("SET search_path = slotkeeper").await.unwrap();
    let mut listed: Vec<_> = Constraint::ALL.iter().map(|c| (c.name().into(), c.table().into())).collect();
    listed.sort();
    let found = async |extra: &str| {
        client.batch_execute(extra).await.unwrap();
        let rows = client.query(NAMES, &[]).await.unwrap();
        let mut found: Vec<(String, String)> = rows.iter().map(|r| (r.get(0), r.get(1))).collect();
        found.sort();
        found
    };
    assert_eq!(found("").await, listed);
    // Negative controls: the comparison sees one too many and one too few.
    assert_ne!(found("ALTER TABLE holds ADD CONSTRAINT holds_new_check CHECK (rows > 0)").await, listed);
    assert_eq!(found("ALTER TABLE holds DROP CONSTRAINT holds_new_check").await, listed);
    assert_ne!(found("DROP INDEX holds_actor_seq_key").await, listed);
}
