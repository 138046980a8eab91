//! `Err` means: nothing changed. `Ok` with a refusal means: one record, and nothing else.

use super::{
    act::Answer,
    refusals::all_refusals,
    stage::Stage,
    state::{Saved, State},
    successes::writes,
};
use crate::support::*;

/// Scenario 55.
#[tokio::test]
async fn any_error_changes_nothing_and_any_recorded_refusal_only_adds_its_record() {
    let h = House::open().await;
    let stage = Stage::open(&h).await;
    for refusal in all_refusals() {
        let before = State::read(&h).await;
        assert_eq!((refusal.act)(&stage, &h.pool).await, refusal.answer, "{}", refusal.name);
        let after = State::read(&h).await;
        if matches!(refusal.answer, Answer::Recorded(_)) {
            assert_eq!((&after.rest, after.records), (&before.rest, before.records + 1), "{}", refusal.name);
        } else {
            assert_eq!(after, before, "{}", refusal.name);
        }
    }
}

/// The check above is worth something: every write that succeeds is seen by it.
#[tokio::test]
async fn every_success_changes_something() {
    let h = House::open().await;
    let stage = Stage::open(&h).await;
    let saved = Saved::of(&h).await;
    for write in writes() {
        saved.restore().await;
        let before = State::read(&h).await;
        assert_eq!((write.act)(&stage, &h.pool).await, Answer::Done, "{}", write.name);
        assert_ne!(State::read(&h).await, before, "{}", write.name);
    }
}
