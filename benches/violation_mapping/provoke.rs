//! One driver error of each kind, from a real server.

use slotkeeper::Constraint;
use tokio_postgres::{Client, Error};

pub struct Provoked {
    pub id: &'static str,
    pub error: Error,
    pub known: Option<Constraint>,
}

/// A tenant, a table of it, one live allocation; a shard's copy of the table under a worker's names; a host's table.
const SET_UP: &str = "
    INSERT INTO slotkeeper.resources (tenant_id, id, kind, name, capacity, min_party, attributes, active, revision)
    VALUES (uuid_nil(), uuid_nil(), 'table', 'table', 4, 1, '{}', true, 1);
    INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id)
    VALUES (uuid_nil(), uuid_nil(), uuid_nil(), '[2026-12-01, 2026-12-02)', 'booked', uuid_nil());
    CREATE TABLE slotkeeper.allocations_102034 (resource_id uuid, during tstzrange,
        CONSTRAINT allocations_resource_during_excl_102034 EXCLUDE USING gist (resource_id WITH =, during WITH &&));
    INSERT INTO slotkeeper.allocations_102034 VALUES (uuid_nil(), '[2026-12-01, 2026-12-02)');
    CREATE SCHEMA app;
    CREATE TABLE app.visits (party int CONSTRAINT visits_party_check CHECK (party > 0));";

/// The statement that fails, the constraint it is about, and what the library calls that.
const STATEMENTS: &[(&str, &str, Option<Constraint>)] = &[
    (
        "exclusion",
        "INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id)
         VALUES (uuid_nil(), gen_random_uuid(), uuid_nil(), '[2026-12-01, 2026-12-02)', 'booked', uuid_nil())",
        Some(Constraint::AllocationsResourceDuringExcl),
    ),
    (
        "unique",
        "INSERT INTO slotkeeper.resources
                (tenant_id, id, kind, name, capacity, min_party, attributes, active, revision)
         VALUES (uuid_nil(), uuid_nil(), 'table', 'table', 4, 1, '{}', true, 1)",
        Some(Constraint::ResourcesPkey),
    ),
    (
        "foreign_key",
        "INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id)
         VALUES (uuid_nil(), gen_random_uuid(), gen_random_uuid(), '[2026-12-01, 2026-12-02)', 'booked', uuid_nil())",
        Some(Constraint::AllocationsResourceFkey),
    ),
    (
        "check",
        "INSERT INTO slotkeeper.outbox (tenant_id, id, event, subject_id, body, rows)
         VALUES (uuid_nil(), uuid_nil(), 'e', uuid_nil(), '{}', -1)",
        Some(Constraint::ClaimedRowsCheck),
    ),
    (
        "suffixed",
        "INSERT INTO slotkeeper.allocations_102034 VALUES (uuid_nil(), '[2026-12-01, 2026-12-02)')",
        Some(Constraint::AllocationsResourceDuringExcl),
    ),
    ("unknown", "INSERT INTO app.visits VALUES (0)", None),
];

/// `uuid_nil` of uuid-ossp is not there; the same in plain SQL.
const NIL: &str = "'00000000-0000-0000-0000-000000000000'::uuid";

pub async fn all(db: &kit::Database) -> Vec<Provoked> {
    let client = db.client().await.expect("a client");
    client.batch_execute(&SET_UP.replace("uuid_nil()", NIL)).await.expect("tables");
    let mut provoked = Vec::new();
    for (id, sql, known) in STATEMENTS {
        let error = client.batch_execute(&sql.replace("uuid_nil()", NIL)).await.expect_err(id);
        provoked.push(Provoked { id, error, known: *known });
    }
    provoked.push(Provoked { id: "transient_40P01", error: deadlock(db, &client).await, known: None });
    provoked
}

/// Two sessions that lock two rows in opposite orders; the server ends one of them.
async fn deadlock(db: &kit::Database, one: &Client) -> Error {
    let two = db.client().await.expect("a client");
    one.batch_execute("CREATE TABLE app.t (n int); INSERT INTO app.t VALUES (1), (2)")
        .await
        .expect("a table");
    let lock = |n| format!("BEGIN; SELECT FROM app.t WHERE n = {n} FOR UPDATE");
    one.batch_execute(&lock(1)).await.expect("a lock");
    two.batch_execute(&lock(2)).await.expect("a lock");
    let cross = |n| format!("SELECT FROM app.t WHERE n = {n} FOR UPDATE; COMMIT");
    let (first, second) = (cross(2), cross(1));
    let first = async {
        let done = one.batch_execute(&first).await;
        one.batch_execute("ROLLBACK").await.expect("an end");
        done
    };
    let second = async {
        let done = two.batch_execute(&second).await;
        two.batch_execute("ROLLBACK").await.expect("an end");
        done
    };
    let (first, second) = tokio::join!(first, second);
    let error = first.and(second).expect_err("one of two");
    assert_eq!(error.code().map(|code| code.code()), Some("40P01"));
    error
}
