//! The proxy counts what a caller waits for, and loses what it is told to lose.

use std::time::{Duration, Instant};

use kit::{Database, proxy::Proxy};

async fn start() -> (Database, Proxy, deadpool_postgres::Object) {
    let database = kit::empty_database().await.unwrap();
    let proxy = Proxy::start(&database).await.unwrap();
    let client = proxy.pool(1).get().await.unwrap();
    client.batch_execute("CREATE TABLE t (n int)").await.unwrap();
    proxy.reset();
    (database, proxy, client)
}

async fn rows(database: &Database) -> i64 {
    let client = database.client().await.unwrap();
    client.query_one("SELECT count(*) FROM t", &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn executing_what_is_prepared_is_one_round_trip() {
    let (_database, proxy, client) = start().await;
    let prepared = client.prepare("SELECT 1").await.unwrap();
    assert_eq!(proxy.round_trips(), 1, "preparing is one too");
    proxy.reset();
    client.query(&prepared, &[]).await.unwrap();
    assert_eq!(proxy.round_trips(), 1);
    assert_eq!((proxy.messages()[&'B'], proxy.messages()[&'E']), (1, 1));
}

#[tokio::test]
async fn pipelined_queries_are_one_round_trip_and_sequential_ones_two() {
    let (_database, proxy, client) = start().await;
    let prepared = client.prepare("SELECT 1").await.unwrap();
    // Without it the second may come after the answer to the first.
    proxy.delay(Duration::from_millis(20));
    proxy.reset();
    let (one, two) = tokio::join!(client.query(&prepared, &[]), client.query(&prepared, &[]));
    one.and(two).unwrap();
    assert_eq!((proxy.round_trips(), proxy.messages()[&'E']), (1, 2));
    proxy.delay(Duration::ZERO);
    proxy.reset();
    client.query(&prepared, &[]).await.unwrap();
    client.query(&prepared, &[]).await.unwrap();
    assert_eq!(proxy.round_trips(), 2);
}

#[tokio::test]
async fn a_transaction_of_one_statement_is_three_and_dropping_a_statement_is_none() {
    let (_database, proxy, mut client) = start().await;
    let prepared = client.prepare("INSERT INTO t VALUES (1)").await.unwrap();
    proxy.reset();
    let transaction = client.transaction().await.unwrap();
    transaction.execute(&prepared, &[]).await.unwrap();
    transaction.commit().await.unwrap();
    drop(prepared);
    client.batch_execute("SELECT 1").await.unwrap();
    assert_eq!(proxy.round_trips(), 4);
}

#[tokio::test]
async fn a_message_larger_than_any_buffer_is_one_round_trip() {
    let (_database, proxy, client) = start().await;
    let text = "x".repeat(3_000_000);
    let prepared = client.prepare("SELECT $1::text").await.unwrap();
    proxy.reset();
    let back: String = client.query_one(&prepared, &[&text]).await.unwrap().get(0);
    assert_eq!((proxy.round_trips(), back.len()), (1, text.len()));
}

#[tokio::test]
async fn a_delay_is_paid_once_each_way_and_round_trip() {
    let (_database, proxy, client) = start().await;
    let prepared = client.prepare("SELECT 1").await.unwrap();
    proxy.delay(Duration::from_millis(50));
    let begun = Instant::now();
    let (one, two) = tokio::join!(client.query(&prepared, &[]), client.query(&prepared, &[]));
    one.and(two).unwrap();
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(100) && took < Duration::from_millis(190), "{took:?}");
}

#[tokio::test]
async fn a_delay_of_half_a_millisecond_is_no_full_one() {
    let (_database, proxy, client) = start().await;
    let prepared = client.prepare("SELECT 1").await.unwrap();
    // The fastest of many: the other tests of this binary are starting servers meanwhile.
    let fastest = async |each_way: u64| {
        proxy.delay(Duration::from_micros(each_way));
        let mut times = Vec::new();
        for _ in 0..300 {
            let begun = Instant::now();
            client.query(&prepared, &[]).await.unwrap();
            times.push(begun.elapsed());
        }
        times.into_iter().min().unwrap()
    };
    let (none, half, two) = (fastest(0).await, fastest(500).await, fastest(2_000).await);
    let paid = |took: Duration| took.saturating_sub(none).as_micros();
    assert!((900..1_300).contains(&paid(half)), "{none:?} {half:?}");
    assert!((3_900..4_300).contains(&paid(two)), "{none:?} {two:?}");
}

#[tokio::test]
async fn a_cut_reply_is_of_something_done() {
    let (database, proxy, client) = start().await;
    proxy.cut_next_reply();
    let lost = client.execute("INSERT INTO t VALUES (1)", &[]).await;
    assert!(lost.is_err(), "preparing was cut");
    assert_eq!(rows(&database).await, 0);

    let client = proxy.pool(1).get().await.unwrap();
    proxy.cut_reply(2);
    client.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap_err();
    assert_eq!(rows(&database).await, 1, "the second flight was the one that inserts");
    let client = proxy.pool(1).get().await.unwrap();
    client.batch_execute("SELECT 1").await.expect("only one flight is cut");
}

#[tokio::test]
async fn a_cut_request_is_of_something_not_done() {
    let (database, proxy, client) = start().await;
    let prepared = client.prepare("INSERT INTO t VALUES (1)").await.unwrap();
    proxy.cut_next_request();
    client.execute(&prepared, &[]).await.unwrap_err();
    assert_eq!(rows(&database).await, 0);
}

#[tokio::test]
async fn a_query_can_be_cancelled_through_the_proxy() {
    let (_database, _proxy, client) = start().await;
    let token = client.cancel_token();
    let (slept, cancelled) = tokio::join!(client.batch_execute("SELECT pg_sleep(30)"), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        token.cancel_query(tokio_postgres::NoTls).await
    });
    cancelled.unwrap();
    assert_eq!(slept.unwrap_err().code().unwrap().code(), "57014");
}
