//! Tables in a schema of another name, whatever the search path.

use super::{
    act::Answer,
    refusals::all_refusals,
    stage::Stage,
    state::State,
    successes::{reads, writes},
};
use crate::support::*;
use slotkeeper::{SchemaName, Slotkeeper, migrate::Migrator};

#[tokio::test]
async fn every_call_works_in_a_schema_of_another_name_and_touches_no_other() {
    let h = House::open().await;
    let schema = SchemaName::new("the_other_one").unwrap();
    let mut owner = h.db.client().await.unwrap();
    Migrator::new().in_schema(schema.clone()).up(&mut owner).await.unwrap();
    let keeper = Slotkeeper::in_schema(schema);
    // Something in the default schema that could be found by mistake.
    Stage::open(&h).await;
    let before = State::read(&h).await;
    keeper.warm(&h.pool).await.unwrap();
    let stage = Stage::of(&h, &keeper, "the_other_one").await;
    let mut client = h.pool.get().await.unwrap();
    for call in writes().into_iter().chain(reads()) {
        let tx = client.transaction().await.unwrap();
        assert_eq!((call.act)(&stage, &tx).await, Answer::Done, "{}", call.name);
        tx.rollback().await.unwrap();
    }
    for refusal in all_refusals() {
        assert_eq!((refusal.act)(&stage, &client).await, refusal.answer, "{}", refusal.name);
    }
    assert_eq!(State::read(&h).await, before);
}

/// A search path that leads to tables of the same names, and one that leads nowhere.
#[tokio::test]
async fn no_call_depends_on_the_search_path() {
    let h = House::open().await;
    let mut owner = h.db.client().await.unwrap();
    Migrator::new().in_schema(SchemaName::new("decoy").unwrap()).up(&mut owner).await.unwrap();
    let stage = Stage::open(&h).await;
    let mut client = h.pool.get().await.unwrap();
    for path in ["decoy", "''"] {
        client.batch_execute(&format!("SET search_path = {path}")).await.unwrap();
        client.statement_cache.clear();
        h.keeper.warm(&client).await.unwrap();
        for call in writes().into_iter().chain(reads()) {
            let tx = client.transaction().await.unwrap();
            assert_eq!((call.act)(&stage, &tx).await, Answer::Done, "{path} {}", call.name);
            tx.rollback().await.unwrap();
        }
    }
    assert_eq!(h.count("SELECT count(*) FROM decoy.resources").await, 0);
}
