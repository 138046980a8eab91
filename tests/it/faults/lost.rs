//! A request or its reply is lost on the way, for every write and every kind of connection: repeating settles it.

use super::{act::*, state::*, wait::*};
use crate::support::*;
use kit::proxy::Proxy;
use slotkeeper::{Error, ErrorKind, Executor, Retry, Slotkeeper};
use std::time::Duration;

/// What a service may run on. The second makes each write a transaction of its own: BEGIN, settings, COMMIT.
#[derive(Clone, Copy, Debug)]
enum Over {
    Pool,
    PoolWithSettings,
    BareClient,
}

const ALL: [Over; 3] = [Over::Pool, Over::PoolWithSettings, Over::BareClient];

struct Line {
    house: House,
    proxy: Proxy,
}

impl Line {
    async fn open() -> Self {
        let house = House::open().await;
        let proxy = Proxy::start(&house.db).await.unwrap();
        Self { house, proxy }
    }

    fn keeper(over: Over) -> Slotkeeper {
        match over {
            Over::PoolWithSettings => Slotkeeper::new().with_lock_timeout(Duration::from_secs(5)),
            _ => Slotkeeper::new(),
        }
    }

    /// A connection through the proxy with every statement prepared: the write is then one flight.
    async fn connect(&self, over: Over) -> Box<dyn Executor> {
        match over {
            Over::BareClient => {
                let (client, connection) = self.proxy.config().connect(tokio_postgres::NoTls).await.unwrap();
                tokio::spawn(connection);
                Box::new(client)
            }
            _ => {
                let pool = self.proxy.pool(1);
                Self::keeper(over).warm(&pool).await.unwrap();
                Box::new(pool)
            }
        }
    }
}

fn unknown(name: &str, error: &Error) {
    assert!(matches!(error, Error::OutcomeUnknown(_)), "{name}: {error:?}");
    assert_eq!((error.retry(), error.kind()), (Retry::Now, ErrorKind::OutcomeUnknown), "{name}");
}

/// Scenarios 44 and 50.
#[tokio::test]
async fn a_write_whose_reply_is_lost_has_happened_and_the_repeat_says_so() {
    let line = Line::open().await;
    let h = &line.house;
    for over in ALL {
        let keeper = Line::keeper(over);
        for write in WRITES {
            let act = Act::prepare(h, write).await;
            let db = line.connect(over).await;
            let before = state(h).await;
            line.proxy.cut_next_reply();
            unknown(write, &act.run(&keeper, &*db).await.unwrap_err());
            let after = state(h).await;
            assert_ne!(before.0, after.0, "{write} over {over:?}: it had happened");
            assert_eq!(added(before.1, after.1), act.rows, "{write} over {over:?}");

            // On another connection, as a pool would give one.
            let repeated = act.run(&keeper, &h.pool).await.unwrap();
            assert_ne!(repeated.replay, Some(false), "{write} over {over:?}");
            assert_eq!(act.run(&keeper, &h.pool).await.unwrap().body, repeated.body, "{write}");
            assert_eq!(state(h).await, after, "{write} over {over:?}: the repeats changed nothing");
        }
    }
}

#[tokio::test]
async fn a_write_whose_request_is_lost_has_not_happened_and_the_repeat_does_it_once() {
    let line = Line::open().await;
    let h = &line.house;
    for over in ALL {
        let keeper = Line::keeper(over);
        for write in WRITES {
            let act = Act::prepare(h, write).await;
            let db = line.connect(over).await;
            let before = state(h).await;
            line.proxy.cut_next_request();
            // The bytes had been handed to the driver: it cannot know.
            unknown(write, &act.run(&keeper, &*db).await.unwrap_err());
            assert_eq!(state(h).await, before, "{write} over {over:?}");

            let done = act.run(&keeper, &h.pool).await.unwrap();
            assert_ne!(done.replay, Some(true), "{write} over {over:?}");
            let after = state(h).await;
            assert_eq!(added(before.1, after.1), act.rows, "{write} over {over:?}");
            assert_eq!(act.run(&keeper, &h.pool).await.unwrap().body, done.body, "{write}");
            assert_eq!(state(h).await, after, "{write} over {over:?}: once");
        }
    }
}

#[tokio::test]
async fn a_connection_that_breaks_while_preparing_is_unavailable_not_unknown() {
    let line = Line::open().await;
    let h = &line.house;
    let act = Act::prepare(h, "book many").await;
    let before = state(h).await;
    let cold = line.proxy.pool(1);
    drop(cold.get().await.unwrap());
    line.proxy.cut_next_reply();
    let error = act.run(&h.keeper, &cold).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    assert_eq!(error.retry(), Retry::After);
    assert_eq!(state(h).await, before);
}

#[tokio::test]
async fn a_connection_known_to_be_closed_is_unavailable_for_every_write() {
    let h = House::open().await;
    let bare = h.db.client().await.unwrap();
    let pooled = h.db.pool(1).get().await.unwrap();
    kill(&h, pid(&bare).await).await;
    kill(&h, pid(&pooled).await).await;
    until("both drivers notice", async || (bare.is_closed() && pooled.is_closed()).then_some(())).await;
    for write in WRITES {
        let act = Act::prepare(&h, write).await;
        let before = state(&h).await;
        for db in [&bare as &dyn Executor, &pooled] {
            let error = act.run(&h.keeper, db).await.unwrap_err();
            assert!(matches!(error, Error::Unavailable(_)), "{write}: {error:?}");
        }
        assert_eq!(state(&h).await, before, "{write}");
        act.run(&h.keeper, &h.pool).await.unwrap();
    }
}
