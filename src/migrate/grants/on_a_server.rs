//! Whether the server asks for exactly what was derived, statement by statement.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::error::Error as StdError;

use tokio_postgres::types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked};
use tokio_postgres::{Client, Transaction};

use crate::migrate::grants::privilege::{Grant, Privilege};
use crate::migrate::grants::{needs, reading};
use crate::schema::SchemaName;
use crate::sql::{self, Sql};

/// Null, of whatever type.
#[derive(Debug)]
struct Null;

impl ToSql for Null {
    fn to_sql(&self, _: &Type, _: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        Ok(IsNull::Yes)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Sends the statement without a row to work on, as a role with these privileges; all of it is rolled back. Privileges are
/// checked as execution begins, so an error about a missing value comes after them. The plan must not know the nulls: it
/// would leave out what can never be true, and the privileges for it.
async fn refused(client: &mut Client, role: &str, statement: (Sql, &str), grants: &[Grant]) -> bool {
    let (sql, text) = statement;
    let tx = client.transaction().await.unwrap();
    let mut setting = format!("GRANT USAGE ON SCHEMA slotkeeper TO {role};");
    for grant in grants {
        setting += &format!("GRANT {} ON slotkeeper.{} TO {role};", grant.clause(), grant.table);
    }
    tx.batch_execute(&format!(
        "{setting} SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL ROLE {role}"
    ))
    .await
    .unwrap();
    let denied = send(&tx, sql, text).await;
    tx.rollback().await.unwrap();
    denied
}

async fn send(tx: &Transaction<'_>, sql: Sql, text: &str) -> bool {
    let params: Vec<_> = sql.types().iter().map(|ty| (&Null as &(dyn ToSql + Sync), ty.clone())).collect();
    match tx.query_typed(text, &params).await {
        Ok(_) => false,
        Err(error) if error.code().unwrap().code() == "42501" => true,
        Err(error) => {
            let code = error.code().unwrap().code();
            assert_eq!(&code[..2], "23", "{sql:?} fails for another reason than a null: {error:?}");
            false
        }
    }
}

#[tokio::test]
async fn every_statement_needs_what_was_derived_from_it_and_no_more() {
    let database = kit::database().await.unwrap();
    let role = database.stranger().await.unwrap().get_user().unwrap().to_owned();
    let mut client = database.client().await.unwrap();
    let mut tried = 0;
    for (&sql, text) in Sql::ALL.iter().zip(sql::texts(&SchemaName::default())) {
        let derived = needs::grants(&reading::uses(&text));
        assert!(!derived.is_empty(), "{sql:?}");
        assert!(!refused(&mut client, &role, (sql, &text), &derived).await, "{sql:?}: something is missing");
        for one in &derived {
            let others: Vec<_> = derived.iter().filter(|grant| *grant != one).cloned().collect();
            assert!(refused(&mut client, &role, (sql, &text), &others).await, "{sql:?}: not needed: {one:?}");
            tried += 1;
        }
    }
    assert!(tried > 2 * Sql::ALL.len());
}

/// The right to lock a record is not a right to change it.
#[tokio::test]
async fn the_columns_of_locks_let_nobody_change_a_record_or_a_count() {
    let database = kit::database().await.unwrap();
    let role = database.stranger().await.unwrap().get_user().unwrap().to_owned();
    let mut client = database.client().await.unwrap();
    let tx = client.transaction().await.unwrap();
    let retention = needs::needs(&std::collections::BTreeSet::from([super::Duty::Retention]));
    let grants: String = retention
        .iter()
        .map(|grant| format!("GRANT {} ON slotkeeper.{} TO {role};", grant.clause(), grant.table))
        .collect();
    assert!(
        retention.iter().any(|grant| grant.privilege == Privilege::Update && grant.table == "confirmations")
    );
    let record =
        "INSERT INTO slotkeeper.confirmations (tenant_id, id, operation, key, checksum, outcome, rows,
            snapshot) VALUES (gen_random_uuid(), gen_random_uuid(), 'book', 'k', '', 'conflict', 0, '{}');";
    let role = format!("{record} GRANT USAGE ON SCHEMA slotkeeper TO {role}; {grants} SET LOCAL ROLE {role}");
    tx.batch_execute(&role).await.unwrap();
    for (change, code) in [
        ("UPDATE slotkeeper.confirmations SET rows = -1", "23514"),
        ("UPDATE slotkeeper.confirmations SET rows = rows, outcome = outcome", "42501"),
        ("UPDATE slotkeeper.confirmations SET outcome = 'confirmed'", "42501"),
        ("UPDATE slotkeeper.holds SET expires_at = now()", "42501"),
    ] {
        tx.batch_execute("SAVEPOINT s").await.unwrap();
        let error = tx.batch_execute(change).await.unwrap_err();
        assert_eq!(error.code().unwrap().code(), code, "{change}");
        tx.batch_execute("ROLLBACK TO SAVEPOINT s").await.unwrap();
    }
    let lock = "SELECT FROM slotkeeper.confirmations FOR UPDATE";
    assert_eq!(tx.query(lock, &[]).await.unwrap().len(), 1, "the record is there, and it is locked");
}
