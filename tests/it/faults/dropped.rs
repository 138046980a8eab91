//! A call's future is dropped at every point where it can be: whatever it wrote is whole, and the connection is good.

use super::{
    act::*,
    audit::assert_whole,
    clean::{assert_at_rest, assert_clean},
    state::*,
    wait::*,
};
use crate::support::*;
use slotkeeper::{Slotkeeper, booking::*, hold::*};
use std::{future::poll_fn, pin::pin, sync::Arc, task::Poll, time::Duration};

/// When a future is dropped after its last poll. Either is right; the second lets the server do what it was sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Drop {
    AtOnce,
    Later,
}

/// Polls so many times, each time when there is something to do, then drops.
pub async fn polled<F: Future>(future: F, polls: usize, when: Drop) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    let output = poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await;
    if output.is_none() && when == Drop::Later {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    output
}

/// Nobody needs more polls than this: connecting, preparing and running are about ten.
pub const MOST: usize = 100;

/// Either nothing or all of it, and what is there is whole.
pub async fn nothing_or_all(h: &House, act: &Act, before: &(String, Rows)) -> bool {
    let after = state(h).await;
    let happened = after.0 != before.0;
    let expected = if happened { act.rows } else { [0; 7] };
    assert_eq!(added(before.1, after.1), expected, "{}: a part of it", act.name);
    happened
}

/// Drops every write after 0, 1, 2 … polls until one comes to its end. Returns dropped calls, and how many of them had
/// their effect all the same.
async fn drop_everywhere(keeper: &Slotkeeper, cold: bool, lent: bool, when: Drop) -> (usize, usize) {
    let h = House::open().await;
    let warm = h.db.pool(1);
    keeper.warm(&warm).await.unwrap();
    let (mut dropped, mut happened) = (0, 0);
    // Connecting and preparing are the same for every write, and dropping at once is the weaker test.
    let writes = if cold || when == Drop::AtOnce { &WRITES[7..10] } else { &WRITES[..] };
    for &write in writes {
        let mut ended = false;
        for polls in 0..MOST {
            let act = Act::prepare(&h, write).await;
            // Cold: the future also connects and prepares.
            let pool = if cold { h.db.pool(1) } else { warm.clone() };
            let before = state(&h).await;
            let answer = match lent {
                // Given back to the pool by its borrower, whatever state it is in.
                true => polled(act.run(keeper, &pool.get().await.unwrap()), polls, when).await,
                false => polled(act.run(keeper, &pool), polls, when).await,
            };
            // Whatever the dropped call left on the server comes to its end by itself.
            assert_at_rest(&h).await;
            let had_effect = nothing_or_all(&h, &act, &before).await;
            assert_clean(&pool).await;
            act.run(keeper, &pool).await.unwrap();
            assert!(nothing_or_all(&h, &act, &before).await, "{write}: the repeat does it, once");
            if let Some(answer) = answer {
                answer.unwrap();
                ended = true;
                break;
            }
            dropped += 1;
            happened += usize::from(had_effect);
        }
        assert!(ended, "{write} ends");
    }
    assert_whole(&h).await;
    (dropped, happened)
}

#[tokio::test]
async fn a_write_dropped_at_any_await_happened_or_not_and_the_pool_is_clean() {
    for (cold, when) in [(false, Drop::AtOnce), (false, Drop::Later), (true, Drop::Later)] {
        let (dropped, happened) = drop_everywhere(&Slotkeeper::new(), cold, false, when).await;
        println!("cold {cold}, {when:?}: {dropped} dropped, {happened} of them had happened");
        both_seen(dropped, happened, if cold || when == Drop::AtOnce { 3 } else { WRITES.len() }, when);
    }
}

/// With settings each write is BEGIN, statement, COMMIT: dropping it never leaves the transaction open. The connection is
/// the caller's, so that the library cannot close it.
#[tokio::test]
async fn a_write_with_settings_dropped_at_any_await_leaves_no_transaction_open() {
    let keeper = Slotkeeper::new().with_lock_timeout(Duration::from_secs(5)).with_row_security(true);
    let (dropped, happened) = drop_everywhere(&keeper, false, true, Drop::Later).await;
    println!("with settings: {dropped} dropped, {happened} of them had happened");
    both_seen(dropped, happened, WRITES.len(), Drop::Later);
}

/// With no poll nothing is sent. After the last one everything was, and given time it happens.
fn both_seen(dropped: usize, happened: usize, writes: usize, when: Drop) {
    assert!(dropped - happened >= writes, "{dropped} dropped, {happened} happened");
    assert!(when == Drop::AtOnce || happened > 0, "{dropped} dropped, {happened} happened");
}

/// The next user of the pool does not inherit the wait of a call that nobody waits for any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_call_that_was_waiting_does_not_stall_the_pool() {
    let h = Arc::new(House::open().await);
    let table = h.table().await;
    let mut other = h.pool.get().await.unwrap();
    let tx = other.transaction().await.unwrap();
    h.keeper.holds().place(&tx, &PlaceHold::new(h.tenant, one(table, 0, 30))).await.unwrap();

    let pool = h.db.pool(1);
    let book = BookPlaces::new(h.tenant, one(table, 0, 30), fresh_key());
    let (house, its_pool, request) = (Arc::clone(&h), pool.clone(), book.clone());
    let call = tokio::spawn(async move { house.keeper.bookings().book(&its_pool, &request).await });
    waiters(&h, 1).await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());

    let bookings = h.keeper.bookings();
    let next = bookings.find(&pool, h.tenant, slotkeeper::BookingId::generate());
    let next = tokio::time::timeout(Duration::from_secs(2), next).await;
    assert!(next.expect("the next user is served at once").unwrap().is_none());
    tx.rollback().await.unwrap();
    // The dropped call may still go through now; repeating it settles which.
    let decision = bookings.book(&pool, &book).await.unwrap();
    assert!(decision.outcome.is_success());
    assert_eq!(h.count("SELECT count(*) FROM slotkeeper.bookings").await, 1);
    assert_whole(&h).await;
}
