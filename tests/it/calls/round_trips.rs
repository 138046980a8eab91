//! What a call costs: how often it waits for the server. The modules' tables, counted.
//!
//! On one thread: on several, the driver may send a flight's first message before the last is queued, and an answer may
//! come in between that nobody waits for.

use super::{
    act::Answer,
    refusals::all_refusals,
    stage::Stage,
    state::Saved,
    successes::{reads, writes},
};
use crate::support::*;
use kit::proxy::Proxy;
use slotkeeper::{Executor, Slotkeeper};
use std::time::Duration;

/// The driver hands an error on before the end of the answer has come, and what is sent then counts as pipelined: a
/// read, which waits for the end, comes in between.
async fn settle(stage: &Stage, db: &dyn Executor) {
    stage.keeper.holds().find(db, stage.tenant, stage.hold).await.unwrap();
}

/// Every call with this handle, and what each cost.
async fn count(h: &House, keeper: &Slotkeeper, proxy: &Proxy, db: &dyn Executor) {
    let stage = Stage::of(h, keeper, "slotkeeper").await;
    let saved = Saved::of(h).await;
    for write in writes() {
        saved.restore().await;
        proxy.reset();
        assert_eq!((write.act)(&stage, db).await, Answer::Done, "{}", write.name);
        assert_eq!(proxy.round_trips(), write.round_trips, "{}", write.name);
    }
    saved.restore().await;
    for read in reads() {
        proxy.reset();
        assert_eq!((read.act)(&stage, db).await, Answer::Done, "{}", read.name);
        assert_eq!(proxy.round_trips(), 1, "{}", read.name);
    }
    for refusal in all_refusals() {
        settle(&stage, db).await;
        proxy.reset();
        assert_eq!((refusal.act)(&stage, db).await, refusal.answer, "{}", refusal.name);
        assert!(refusal.round_trips().contains(&proxy.round_trips()), "{}", refusal.name);
    }
}

#[tokio::test]
async fn warming_is_one_round_trip_and_then_so_is_every_call() {
    let h = House::open().await;
    let proxy = Proxy::start(&h.db).await.unwrap();
    let pool = proxy.pool(1);
    drop(pool.get().await.unwrap());
    proxy.reset();
    h.keeper.warm(&pool).await.unwrap();
    assert_eq!(proxy.round_trips(), 1);
    assert!(proxy.messages()[&'P'] > 30, "it prepares every statement");
    count(&h, &h.keeper, &proxy, &pool).await;
    assert_eq!(proxy.messages().get(&'P'), None, "nothing is parsed again");
}

#[tokio::test]
async fn a_call_on_a_cold_connection_costs_one_more() {
    let h = House::open().await;
    let proxy = Proxy::start(&h.db).await.unwrap();
    let pool = proxy.pool(1);
    drop(pool.get().await.unwrap());
    let stage = Stage::open(&h).await;
    for (n, trips) in [(0, 2), (30, 1)] {
        proxy.reset();
        h.keeper.holds().place(&pool, &stage.place(one(stage.free[0], n, n + 30))).await.unwrap();
        assert_eq!(proxy.round_trips(), trips);
    }
}

#[tokio::test]
async fn a_bare_client_costs_one_round_trip_and_keeps_no_statement() {
    let h = House::open().await;
    let proxy = Proxy::start(&h.db).await.unwrap();
    let (client, connection) = proxy.config().connect(tokio_postgres::NoTls).await.unwrap();
    let driver = tokio::spawn(connection);
    h.keeper.warm(&client).await.unwrap();
    count(&h, &h.keeper, &proxy, &client).await;
    let kept = client.query_typed("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''", &[]).await;
    assert_eq!(kept.unwrap()[0].get::<_, i64>(0), 0);
    drop(client);
    driver.await.unwrap().unwrap();
}

#[tokio::test]
async fn settings_travel_in_the_same_flight() {
    let h = House::open().await;
    let proxy = Proxy::start(&h.db).await.unwrap();
    let pool = proxy.pool(1);
    let keeper = h.keeper.clone().with_lock_timeout(Duration::from_secs(5)).with_row_security(true);
    keeper.warm(&pool).await.unwrap();
    count(&h, &keeper, &proxy, &pool).await;
    let left =
        "SELECT current_setting('lock_timeout') || nullif(current_setting('slotkeeper.tenant_id'), '')";
    let left = pool.get().await.unwrap().query_one(left, &[]).await.unwrap();
    assert_eq!(left.get::<_, Option<String>>(0), None, "and nothing of them stays");
}

#[tokio::test]
async fn a_call_in_a_transaction_is_one_flight_with_a_savepoint_only_where_it_may_fail() {
    let h = House::open().await;
    let proxy = Proxy::start(&h.db).await.unwrap();
    let mut client = proxy.pool(1).get().await.unwrap();
    let stage = Stage::open(&h).await;
    h.keeper.warm(&client).await.unwrap();
    let queries = |proxy: &Proxy| proxy.messages().get(&'Q').copied().unwrap_or_default();
    for call in writes().into_iter().chain(reads()) {
        let tx = client.transaction().await.unwrap();
        proxy.reset();
        assert_eq!((call.act)(&stage, &tx).await, Answer::Done, "{}", call.name);
        assert_eq!(proxy.round_trips(), call.round_trips, "{}", call.name);
        assert_eq!(queries(&proxy), if call.savepoint { 2 } else { 0 }, "{}", call.name);
        tx.rollback().await.unwrap();
    }
    for refusal in all_refusals() {
        let tx = client.transaction().await.unwrap();
        settle(&stage, &tx).await;
        proxy.reset();
        assert_eq!((refusal.act)(&stage, &tx).await, refusal.answer, "{}", refusal.name);
        assert!(refusal.round_trips_inside().contains(&proxy.round_trips()), "{}", refusal.name);
        tx.rollback().await.unwrap();
    }
}

#[tokio::test]
async fn placing_again_under_the_same_id_costs_one_more_to_read_the_first_answer() {
    let h = House::open().await;
    let proxy = Proxy::start(&h.db).await.unwrap();
    let pool = proxy.pool(1);
    h.keeper.warm(&pool).await.unwrap();
    let t = h.tables(2).await;
    for claim in [one(t[0], 0, 30), all(&t, 30, 60)] {
        let place = slotkeeper::hold::PlaceHold::new(h.tenant, claim);
        let first = h.keeper.holds().place(&pool, &place).await.unwrap();
        proxy.reset();
        assert_eq!(h.keeper.holds().place(&pool, &place).await.unwrap(), first);
        assert_eq!(proxy.round_trips(), 2);
    }
}

/// So many holds of a minute each, one after the other, whose time is over and that nobody has swept.
fn expired_holds(h: &House, table: slotkeeper::ResourceId, rows: i64) -> String {
    format!(
        "INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id, expires_at)
         SELECT '{}', gen_random_uuid(), '{table}', tstzrange(start, start + interval '1 min'), 'held',
                gen_random_uuid(), now() - interval '1 ms'
           FROM generate_series(0, {rows} - 1) n, LATERAL (
                SELECT timestamptz '{}' + n * interval '1 min' AS start) w",
        h.tenant,
        at(0)
    )
}

/// The statement for one resource takes no expired row over; with any in its way, the one for several follows it.
#[tokio::test]
async fn a_claim_of_one_resource_over_expired_rows_costs_one_more_and_a_savepoint() {
    let h = House::open().await;
    let proxy = Proxy::start(&h.db).await.unwrap();
    let mut client = proxy.pool(1).get().await.unwrap();
    h.keeper.warm(&client).await.unwrap();
    let queries = |proxy: &Proxy| proxy.messages().get(&'Q').copied().unwrap_or_default();
    for call in ["place", "book"] {
        for (rows, trips, savepoint) in [(0, 1, 0), (1, 2, 2), (2, 2, 2), (1_000, 2, 2)] {
            let table = h.table().await;
            h.sql(&expired_holds(&h, table, rows)).await;
            let place = slotkeeper::hold::PlaceHold::new(h.tenant, one(table, 0, 1_000));
            let book = slotkeeper::booking::BookPlaces::new(h.tenant, one(table, 0, 1_000), fresh_key());
            let run = async |db: &dyn Executor| {
                proxy.reset();
                if call == "place" {
                    h.keeper.holds().place(db, &place).await.unwrap();
                } else {
                    h.keeper.bookings().book(db, &book).await.unwrap().into_result().unwrap();
                }
            };
            let tx = client.transaction().await.unwrap();
            run(&tx).await;
            assert_eq!((proxy.round_trips(), queries(&proxy)), (trips, savepoint), "{call} over {rows}");
            tx.rollback().await.unwrap();
            run(&client).await;
            assert_eq!((proxy.round_trips(), queries(&proxy)), (trips, 0), "{call} over {rows}");
        }
    }
}
