//! A race lost while waiting for the winner to commit: the statement is repeated, and names the winner.

use super::{
    losers::{Attempt, Ending, losers, winners},
    stage::Stage,
    state::{Saved, State, VISITS, somebody_waits, visit, visits},
};
use crate::support::*;
use kit::proxy::Proxy;
use slotkeeper::{Executor, hold::PlaceHold};

/// Runs the loser while the winner's transaction is open, and lets that commit once the loser waits.
async fn lose(h: &House, stage: &Stage, winner: &PlaceHold, db: &dyn Executor, loser: Attempt) -> Ending {
    let mut client = h.pool.get().await.unwrap();
    let tx = client.transaction().await.unwrap();
    stage.keeper.holds().place(&tx, winner).await.unwrap();
    let commit = async {
        somebody_waits(h).await;
        tx.commit().await.unwrap();
    };
    let (ending, ()) = tokio::join!(loser(stage, db), commit);
    ending.unwrap()
}

/// Every blocker is a place of the winner's.
async fn names_the_winner(h: &House, winner: &PlaceHold, ending: Ending, name: &str) {
    let Ending::Lost(blockers) = ending else { panic!("{name} did not lose") };
    assert!(!blockers.is_empty(), "{name}");
    let client = h.pool.get().await.unwrap();
    for blocker in blockers {
        let query = "SELECT claim_id FROM slotkeeper.allocations WHERE id = $1";
        let row = client.query_one(query, &[&blocker.allocation.unwrap()]).await.unwrap();
        assert_eq!(row.get::<_, slotkeeper::HoldId>(0), winner.id(), "{name}");
    }
}

/// One round trip to lose, one to be told by whom; where a part was claimed there is also that to undo, which may leave
/// with the second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_race_names_the_winner_in_two_round_trips() {
    let h = House::open().await;
    let proxy = Proxy::start(&h.db).await.unwrap();
    let pool = proxy.pool(1);
    h.keeper.warm(&pool).await.unwrap();
    let stage = Stage::open(&h).await;
    let saved = Saved::of(&h).await;
    for loser in losers() {
        for n in [0, 1] {
            saved.restore().await;
            let winner = &winners(&stage)[n];
            h.keeper.holds().find(&pool, stage.tenant, stage.hold).await.unwrap();
            proxy.reset();
            let ending = lose(&h, &stage, winner, &pool, loser.attempt).await;
            let trips = proxy.round_trips();
            names_the_winner(&h, winner, ending, loser.name).await;
            // A claim that lost a part of its rows ended in an error, which the driver hands on before its end.
            assert!(trips == 2 || trips == 1 && loser.savepoint, "{}: {trips}", loser.name);
        }
    }
    assert_eq!(h.overlaps().await, 0);
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_lost_a_race_goes_on_and_commits_the_callers_rows() {
    let h = House::open().await;
    h.sql(VISITS).await;
    let mut client = h.pool.get().await.unwrap();
    let stage = Stage::open(&h).await;
    let saved = Saved::of(&h).await;
    for loser in losers() {
        for n in [0, 1] {
            saved.restore().await;
            let winner = &winners(&stage)[n];
            let rows = visits(&h).await;
            let tx = client.transaction().await.unwrap();
            visit(&tx).await;
            let ending = lose(&h, &stage, winner, &tx, loser.attempt).await;
            let before = State::read(&h).await;
            visit(&tx).await;
            tx.commit().await.unwrap();
            names_the_winner(&h, winner, ending, loser.name).await;
            assert_eq!(visits(&h).await - rows, 2, "{}", loser.name);
            assert_eq!(State::read(&h).await.rest, before.rest, "{}: nothing of it stays", loser.name);
        }
    }
    assert_eq!(h.overlaps().await, 0);
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn if_the_winner_takes_it_back_the_waiting_call_wins() {
    let h = House::open().await;
    let stage = Stage::open(&h).await;
    let saved = Saved::of(&h).await;
    for loser in losers() {
        saved.restore().await;
        let winner = &winners(&stage)[1];
        let mut client = h.pool.get().await.unwrap();
        let tx = client.transaction().await.unwrap();
        stage.keeper.holds().place(&tx, winner).await.unwrap();
        let rollback = async {
            somebody_waits(&h).await;
            tx.rollback().await.unwrap();
        };
        let (ending, ()) = tokio::join!((loser.attempt)(&stage, &h.pool), rollback);
        assert!(matches!(ending, Ok(Ending::Won)), "{}: {ending:?}", loser.name);
    }
    assert_eq!(h.overlaps().await, 0);
}
