//! `Err` means: nothing changed. `Ok` with a refusal means: one record, and nothing else.

use super::{act::Answer, refusals::all_refusals, stage::Stage, state::State, successes::writes};
use crate::support::*;

/// Scenario 55.
#[tokio::test]
async fn any_error_changes_nothing_and_any_recorded_refusal_only_adds_its_record() {
    let h = House::open().await;
    let stage = Stage::open(&h).await;
    for refusal in all_refusals() {
        let before = (State::read(&h).await, h.digest().await);
        assert_eq!((refusal.act)(&stage, &h.pool).await, refusal.answer, "{}", refusal.name);
        let after = State::read(&h).await;
        assert_eq!(after.rest, before.0.rest, "{}", refusal.name);
        if matches!(refusal.answer, Answer::Recorded(_)) {
            assert_eq!(after.records, before.0.records + 1, "{}", refusal.name);
        } else {
            assert_eq!(h.digest().await, before.1, "{}", refusal.name);
        }
    }
}

/// The check above is worth something: every write that succeeds is seen by it.
#[tokio::test]
async fn every_success_changes_something() {
    let h = House::open().await;
    for write in writes() {
        let stage = Stage::open(&h).await;
        let before = h.digest().await;
        assert_eq!((write.act)(&stage, &h.pool).await, Answer::Done, "{}", write.name);
        assert_ne!(h.digest().await, before, "{}", write.name);
    }
}
