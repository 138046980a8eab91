//! Claims that lose a race they have already begun: the winner has claimed and not yet committed, the loser waits.

use super::stage::Stage;
use crate::support::*;
use futures_util::future::BoxFuture;
use slotkeeper::{
    BlackoutId, Error, Executor,
    allocation::Blocker,
    confirmation::{Decision, Outcome},
    hold::{Hold, PlaceHold},
};

/// A claim, and what it came to.
pub type Attempt = for<'a> fn(&'a Stage, &'a dyn Executor) -> BoxFuture<'a, Result<Ending, Error>>;

#[derive(Debug)]
pub enum Ending {
    Won,
    Lost(Vec<Blocker>),
}

impl From<Hold> for Ending {
    fn from(_: Hold) -> Self {
        Self::Won
    }
}

impl From<BlackoutId> for Ending {
    fn from(_: BlackoutId) -> Self {
        Self::Won
    }
}

impl From<Decision> for Ending {
    fn from(decision: Decision) -> Self {
        match decision.outcome {
            Outcome::Conflict { blockers } => Self::Lost(blockers),
            outcome if outcome.is_success() => Self::Won,
            outcome => panic!("{outcome:?}"),
        }
    }
}

fn ending(result: Result<impl Into<Ending>, Error>) -> Result<Ending, Error> {
    match result {
        Err(Error::Conflict { blockers }) => Ok(Ending::Lost(blockers)),
        other => other.map(Into::into),
    }
}

macro_rules! attempt {
    ($s:ident, $db:ident => $call:expr) => {
        |$s, $db| Box::pin(async move { ending($call.await) })
    };
}

pub struct Loser {
    pub name: &'static str,
    /// Whether it goes under a savepoint in a transaction.
    pub savepoint: bool,
    pub attempt: Attempt,
}

/// All of them want the second or both of the free resources at 0–30, or, to confirm late, `resource` at 1300–1330.
#[rustfmt::skip]
pub fn losers() -> Vec<Loser> {
    let loser = |name, savepoint, attempt| Loser { name, savepoint, attempt };
    vec![
        loser("place one", false, attempt!(s, db => s.keeper.holds().place(db, &s.place(one(s.free[1], 0, 30))))),
        loser("place with a reference", true, attempt!(s, db => s.keeper.holds().place(db, &s.place(one(s.free[1], 0, 30)).reference(super::stage::reference("new"))))),
        loser("place many", true, attempt!(s, db => s.keeper.holds().place(db, &s.place(all(&s.free, 0, 30))))),
        loser("replace", true, attempt!(s, db => s.keeper.holds().replace(db, &s.replace(s.hold, all(&s.free, 0, 30))))),
        loser("book one", false, attempt!(s, db => s.keeper.bookings().book(db, &s.book(one(s.free[1], 0, 30))))),
        loser("book many", true, attempt!(s, db => s.keeper.bookings().book(db, &s.book(all(&s.free, 0, 30))))),
        loser("move", true, attempt!(s, db => s.keeper.bookings().move_to(db, &s.to(s.booking, 1, all(&s.free, 0, 30))))),
        loser("block", true, attempt!(s, db => s.keeper.allocations().block(db, &s.block(all(&s.free, 0, 30))))),
        loser("confirm if still free", true, attempt!(s, db => s.keeper.bookings().confirm(db, &s.confirm(s.expired).if_still_free()))),
    ]
}

/// What the winner holds: a part of what the losers of several want, and all of it.
pub fn winners(stage: &Stage) -> [PlaceHold; 2] {
    let pair = |resource, from, to| slotkeeper::Pair { resource, window: window(from, to) };
    let late = pair(stage.resource.id, 1300, 1330);
    let claim = |pairs: &[slotkeeper::Pair]| slotkeeper::Claim::pairs(pairs.iter().copied()).unwrap();
    [
        stage.place(claim(&[pair(stage.free[1], 0, 30), late])),
        stage.place(claim(&[pair(stage.free[0], 0, 30), pair(stage.free[1], 0, 30), late])),
    ]
}
