//! The recipes without the library, as Rust services write them: prepared statements, one awaited call a step.

use super::{Answer, Recipe, Wish};
use deadpool_postgres::{Client, GenericClient};
use slotkeeper::{AllocationId, ClaimId, ResourceId};
use tokio_postgres::{Error, IsolationLevel, error::SqlState};

/// Repeats of a SERIALIZABLE transaction before its caller is told to come back later.
const TRIES: usize = 10;

/// One row, prepared once a connection.
async fn insert(
    db: &impl GenericClient,
    table: &str,
    wish: &Wish,
    resource: &ResourceId,
    claim: ClaimId,
) -> Result<(), Error> {
    let sql = format!(
        "INSERT INTO {table} (tenant_id, id, resource_id, during, kind, claim_id, expires_at)
         VALUES ($1, $2, $3, $4::tstzrange, 'held', $5, statement_timestamp() + interval '180 s')"
    );
    let statement = db.prepare_cached(&sql).await?;
    let done = db
        .execute(&statement, &[&wish.tenant, &AllocationId::generate(), resource, &wish.window, &claim])
        .await?;
    assert_eq!(done, 1);
    Ok(())
}

/// One table: one autocommit statement. Several: one transaction, row by row in the caller's order.
pub(super) async fn insert_catch(client: &mut Client, table: &str, wish: &Wish) -> Answer {
    let claim = ClaimId::generate();
    let inserted = if let [resource] = wish.tables[..] {
        insert(&*client, table, wish, &resource, claim).await
    } else {
        insert_all(client, table, wish, claim).await
    };
    match inserted {
        Ok(()) => Answer::Won,
        Err(error) if error.code() == Some(&SqlState::EXCLUSION_VIOLATION) => Answer::Refused,
        Err(error) => undecided(&error),
    }
}

async fn insert_all(client: &mut Client, table: &str, wish: &Wish, claim: ClaimId) -> Result<(), Error> {
    let tx = client.transaction().await?;
    for resource in &wish.tables {
        if let Err(error) = insert(&tx, table, wish, resource, claim).await {
            tx.rollback().await?;
            return Err(error);
        }
    }
    tx.commit().await
}

/// One transaction: for each table in the caller's order lock, look, insert.
pub(super) async fn look_then_insert(client: &mut Client, recipe: Recipe, wish: &Wish) -> Answer {
    for _ in 0..TRIES {
        match once(client, recipe, wish).await {
            Ok(true) => return Answer::Won,
            Ok(false) => return Answer::Refused,
            Err(error) if error.code() == Some(&SqlState::T_R_SERIALIZATION_FAILURE) => {}
            Err(error) => return undecided(&error),
        }
    }
    Answer::Busy
}

async fn once(client: &mut Client, recipe: Recipe, wish: &Wish) -> Result<bool, Error> {
    let level = match recipe {
        Recipe::Serializable | Recipe::SerializableGist => IsolationLevel::Serializable,
        _ => IsolationLevel::ReadCommitted,
    };
    let tx = client.build_transaction().isolation_level(level).start().await?;
    let claim = ClaimId::generate();
    for resource in &wish.tables {
        lock(&tx, recipe, wish, resource).await?;
        if is_taken(&tx, recipe, wish, resource).await? {
            // The decision ends when its transaction has: the next caller waits for that.
            tx.rollback().await?;
            return Ok(false);
        }
        insert(&tx, recipe.table(), wish, resource, claim).await?;
    }
    tx.commit().await?;
    Ok(true)
}

async fn lock(
    db: &impl GenericClient,
    recipe: Recipe,
    wish: &Wish,
    resource: &ResourceId,
) -> Result<(), Error> {
    let sql = match recipe {
        Recipe::LockedLook => {
            "SELECT FROM slotkeeper.resources WHERE tenant_id = $1 AND id = $2 AND active FOR UPDATE"
        }
        Recipe::Advisory => {
            "SELECT pg_advisory_xact_lock(hashtextextended($1::uuid::text || $2::uuid::text, 0))"
        }
        _ => return Ok(()),
    };
    let statement = db.prepare_cached(sql).await?;
    db.query_one(&statement, &[&wish.tenant, resource]).await.map(drop)
}

/// The look. A statement of its own, so that at READ COMMITTED it sees what was committed while the lock was waited for.
pub(super) fn look(recipe: Recipe) -> String {
    let bound = match recipe {
        // For the b-tree: nobody stays longer than a day.
        Recipe::Serializable => {
            "AND lower(during) < upper($3::tstzrange) AND lower(during) > lower($3::tstzrange) - interval '1 day'"
        }
        _ => "",
    };
    format!(
        "SELECT EXISTS (SELECT FROM {} WHERE tenant_id = $1 AND resource_id = $2 AND during && $3::tstzrange {bound}
            AND released_at IS NULL)",
        recipe.table()
    )
}

async fn is_taken(
    db: &impl GenericClient,
    recipe: Recipe,
    wish: &Wish,
    resource: &ResourceId,
) -> Result<bool, Error> {
    let statement = db.prepare_cached(&look(recipe)).await?;
    Ok(db.query_one(&statement, &[&wish.tenant, resource, &wish.window]).await?.get(0))
}

fn undecided(error: &Error) -> Answer {
    match error.code() {
        Some(code) if *code == SqlState::T_R_DEADLOCK_DETECTED => Answer::Deadlocked,
        _ => panic!("{error:?}"),
    }
}
