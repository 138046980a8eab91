//! The server's timeouts while a call waits for another transaction: Busy, and nothing is written.

use super::{audit::assert_whole, clean::assert_clean, twins::*};
use crate::support::*;
use slotkeeper::{Error, ErrorKind, Retry, Slotkeeper};
use std::time::Duration;

#[tokio::test]
async fn a_timeout_while_waiting_is_busy_and_writes_nothing() {
    let h = House::open().await;
    let name = h.db.name();
    let cases = [("statement_timeout", "57014"), ("lock_timeout", "55P03"), ("ours", "55P03")];
    for (round, (setting, code)) in cases.into_iter().enumerate() {
        // Set where a service would: on the database, for the sessions to come. Long enough for a write that need not wait.
        let keeper = match setting {
            "ours" => Slotkeeper::new().with_lock_timeout(Duration::from_millis(150)),
            _ => {
                h.sql(&format!("ALTER DATABASE {name} SET {setting} = '150ms'")).await;
                Slotkeeper::new()
            }
        };
        let hurried = h.db.pool(1);
        drop(hurried.get().await.unwrap());
        h.sql(&format!("ALTER DATABASE {name} RESET ALL")).await;
        for write in RECORDED {
            let t = h.tables(2).await;
            let call = Recorded::prepare(&h, &t, write, i64::try_from(round).unwrap() * 60).await;
            let mut winner = h.pool.get().await.unwrap();
            let tx = winner.transaction().await.unwrap();
            call.send(&h.keeper, &tx).await.unwrap().into_result().unwrap();
            let digest = h.digest().await;
            for _ in 0..2 {
                // The second time shows that the connection is good for more.
                let error = call.send(&keeper, &hurried).await.unwrap_err();
                assert!(matches!(error, Error::Busy(_)), "{write}, {setting}: {error:?}");
                assert_eq!(error.sqlstate(), Some(code), "{write}, {setting}");
                assert_eq!((error.kind(), error.retry()), (ErrorKind::Busy, Retry::After));
            }
            assert_eq!(h.digest().await, digest, "{write}, {setting}");
            tx.rollback().await.unwrap();
            let settled = call.send(&keeper, &hurried).await.unwrap();
            assert!(!settled.is_replay() && settled.outcome.is_success(), "{write}: {settled:?}");
        }
        assert_clean(&hurried).await;
    }
    assert_whole(&h).await;
}

/// Inside the caller's transaction too; the whole of it is then to be repeated.
#[tokio::test]
async fn a_timeout_inside_a_transaction_is_busy_and_the_transaction_is_over() {
    let h = House::open().await;
    for write in RECORDED {
        let t = h.tables(2).await;
        let call = Recorded::prepare(&h, &t, write, 0).await;
        let mut winner = h.pool.get().await.unwrap();
        let winning = winner.transaction().await.unwrap();
        call.send(&h.keeper, &winning).await.unwrap().into_result().unwrap();
        let digest = h.digest().await;
        let pool = h.db.pool(1);
        let mut client = pool.get().await.unwrap();
        let tx = client.transaction().await.unwrap();
        tx.batch_execute("SET LOCAL lock_timeout = '20ms'").await.unwrap();
        let error = call.send(&h.keeper, &tx).await.unwrap_err();
        assert!(matches!(error, Error::Busy(_)), "{write}: {error:?}");
        tx.rollback().await.unwrap();
        drop(client);
        assert_clean(&pool).await;
        assert_eq!(h.digest().await, digest, "{write}");
        winning.rollback().await.unwrap();
    }
    assert_whole(&h).await;
}
