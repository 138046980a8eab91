//! Inside the caller's transaction a lost connection is never in doubt: nothing was committed.

use super::{act::*, state::*, wait::*};
use crate::support::*;
use kit::proxy::Proxy;
use slotkeeper::{Error, ErrorKind, Retry};

#[tokio::test]
async fn a_connection_lost_inside_a_transaction_is_unavailable_for_every_write() {
    let h = House::open().await;
    let proxy = Proxy::start(&h.db).await.unwrap();
    for write in WRITES {
        let act = Act::prepare(&h, write).await;
        let before = state(&h).await;
        for reply in [true, false] {
            let mut client = proxy.pool(1).get().await.unwrap();
            h.keeper.warm(&client).await.unwrap();
            let tx = client.transaction().await.unwrap();
            if reply {
                proxy.cut_next_reply()
            } else {
                proxy.cut_next_request()
            }
            let error = act.run(&h.keeper, &tx).await.unwrap_err();
            assert!(matches!(error, Error::Unavailable(_)), "{write}: {error:?}");
            assert_eq!((error.kind(), error.retry()), (ErrorKind::Busy, Retry::After), "{write}");
            tx.commit().await.expect_err("there is nothing to commit on");
        }
        gone(&h).await;
        assert_eq!(state(&h).await, before, "{write}: rolled back by the server");
        let done = act.run(&h.keeper, &h.pool).await.unwrap();
        assert_ne!(done.replay, Some(true), "{write}");
    }
}

#[tokio::test]
async fn what_the_transaction_did_before_is_rolled_back_with_it() {
    let h = House::open().await;
    let first = Act::prepare(&h, "book one").await;
    let second = Act::prepare(&h, "confirm").await;
    let before = state(&h).await;
    let mut client = h.db.client().await.unwrap();
    let pid = pid(&client).await;
    let tx = client.transaction().await.unwrap();
    first.run(&h.keeper, &tx).await.unwrap();
    kill(&h, pid).await;
    let error = second.run(&h.keeper, &tx).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    assert_eq!(state(&h).await, before);
}

/// Until the server has noticed that the other side is gone.
async fn gone(h: &House) {
    let client = h.pool.get().await.unwrap();
    let query = "SELECT count(*) FROM pg_stat_activity
                  WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    until("no open transaction is left", async || {
        (client.query_one(query, &[]).await.unwrap().get::<_, i64>(0) == 0).then_some(())
    })
    .await;
}
