//! Who waits for a winner that may still roll back.

use super::common::*;

/// The constraint waits for the winner; if that one rolls back, the window is free and the loser has it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_winner_that_rolls_back_lets_the_loser_win() {
    let h = Arc::new(House::open().await);
    let t = h.tables(2).await;
    for (round, commit) in [false, true, false, true].into_iter().enumerate() {
        let from = round as i64 * 100;
        let claim = if round < 2 { one(t[0], from, from + 30) } else { all(&t, from, from + 30) };
        let mut client = h.pool.get().await.unwrap();
        let tx = client.transaction().await.unwrap();
        let ask = BookPlaces::new(h.tenant, claim.clone(), fresh_key());
        let winner = h.keeper.bookings().book(&tx, &ask).await.unwrap();
        let loser = tokio::spawn({
            let h = h.clone();
            async move { book(&h, claim).await }
        });
        until_waiting(&h, 1).await;
        if commit {
            tx.commit().await.unwrap();
            assert_eq!(named(&loser.await.unwrap()), taken(&winner), "named in the second pass");
        } else {
            tx.rollback().await.unwrap();
            assert_eq!(loser.await.unwrap().outcome, Outcome::Confirmed);
        }
    }
    assert_eq!((recorded(&h).await, h.overlaps().await), (6, 0));
}
