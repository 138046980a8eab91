//! What a call runs on: three ways of autocommit on a pool, a bare client, and two kinds of transaction.

use super::{
    act::Answer,
    stage::Stage,
    state::Saved,
    successes::{reads, writes},
};
use crate::support::*;
use futures_util::future::join_all;
use kit::proxy::Proxy;
use slotkeeper::{Executor, deadpool_postgres::ClientWrapper, migrate::Duty};

/// Every call as a role with what the product prints for it, each write on a stage as it was opened.
async fn every_call(house: &House, db: &dyn Executor) {
    let stage = Stage::open(house).await;
    let saved = Saved::of(house).await;
    for write in writes() {
        saved.restore().await;
        assert_eq!((write.act)(&stage, db).await, Answer::Done, "{}", write.name);
    }
    saved.restore().await;
    for read in reads() {
        assert_eq!((read.act)(&stage, db).await, Answer::Done, "{}", read.name);
    }
    stage.keeper.warm(db).await.unwrap();
}

#[tokio::test]
async fn every_call_works_on_a_pool() {
    let h = House::open().await;
    every_call(&h, &h.role(Duty::ALL).await).await;
}

#[tokio::test]
async fn every_call_works_on_a_pooled_client() {
    let h = House::open().await;
    every_call(&h, &h.role(Duty::ALL).await.get().await.unwrap()).await;
}

#[tokio::test]
async fn every_call_works_on_a_wrapped_client() {
    let h = House::open().await;
    let _granted = h.role(Duty::ALL).await;
    let config = h.db.stranger().await.unwrap();
    let (client, connection) = config.connect(slotkeeper::tokio_postgres::NoTls).await.expect("a connection");
    let driver = tokio::spawn(async move { connection.await.expect("a connection") });
    every_call(&h, &ClientWrapper::new(client, driver)).await;
}

#[tokio::test]
async fn every_call_works_on_a_bare_client() {
    let h = House::open().await;
    let _granted = h.role(Duty::ALL).await;
    let config = h.db.stranger().await.unwrap();
    let (client, connection) = config.connect(slotkeeper::tokio_postgres::NoTls).await.expect("a connection");
    tokio::spawn(connection);
    every_call(&h, &client).await;
}

/// Spawned, so the futures are `Send`; for any executor, so `&dyn Executor` is all they need.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_can_be_spawned() {
    let h = House::open().await;
    let stage = std::sync::Arc::new(Stage::open(&h).await);
    let bare = std::sync::Arc::new(h.db.client().await.unwrap());
    let tasks = (0..8).map(|n| {
        let (stage, pool, bare) = (stage.clone(), h.pool.clone(), bare.clone());
        tokio::spawn(async move {
            let db: &dyn Executor = if n % 2 == 0 { &pool } else { &*bare };
            stage.keeper.holds().place(db, &stage.place(one(stage.free[0], n * 10, n * 10 + 10))).await
        })
    });
    for task in join_all(tasks).await {
        task.unwrap().unwrap();
    }
}

#[tokio::test]
async fn independent_calls_on_one_client_share_a_round_trip() {
    let h = House::open().await;
    let proxy = Proxy::start(&h.db).await.unwrap();
    let stage = Stage::open(&h).await;
    let client = proxy.pool(1).get().await.unwrap();
    h.keeper.warm(&client).await.unwrap();
    let requests: Vec<_> = (0..20).map(|n| stage.place(one(stage.free[0], n * 10, n * 10 + 10))).collect();
    proxy.reset();
    let holds = h.keeper.holds();
    let placed = join_all(requests.iter().map(|new| holds.place(&client, new))).await;
    assert!(placed.iter().all(Result::is_ok), "{placed:?}");
    assert_eq!(proxy.round_trips(), 1);
    // One after the other they are as many as there are calls: the count can tell.
    proxy.reset();
    for request in &requests[..3] {
        h.keeper.holds().find(&client, h.tenant, request.id()).await.unwrap();
    }
    assert_eq!(proxy.round_trips(), 3);
}
