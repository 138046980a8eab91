//! A call as a value: what the tables of calls are made of.

use super::stage::Stage;
use futures_util::future::BoxFuture;
use slotkeeper::{
    BlackoutId, BookingId, Error, Executor,
    availability_cache::{Availability, CacheState},
    confirmation::{Decision, Outcome},
    hold::{Hold, Swept},
    resource::Resource,
    retention::Retained,
};

/// Sends one call. The future is `Send`, whatever the executor: it would not fit otherwise.
pub type Act = for<'a> fn(&'a Stage, &'a dyn Executor) -> BoxFuture<'a, Answer>;

/// What a call came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Done,
    /// Refused, and the refusal is on record.
    Recorded(&'static str),
    /// Refused, and nothing changed.
    Refused(&'static str),
}

/// Something a call returns.
pub trait Returned {
    fn refusal(&self) -> Option<&'static str> {
        None
    }
}

impl Returned for Decision {
    fn refusal(&self) -> Option<&'static str> {
        match &self.outcome {
            Outcome::Conflict { blockers } if blockers.is_empty() => Some("conflict with nobody"),
            outcome => (!outcome.is_success()).then(|| outcome.code()),
        }
    }
}

impl Returned for Hold {}
impl Returned for Resource {}
impl Returned for BookingId {}
impl Returned for BlackoutId {}
impl Returned for Swept {}
impl Returned for chrono::DateTime<chrono::Utc> {}
impl Returned for () {}
impl Returned for u32 {}
impl Returned for u64 {}

impl Returned for Availability {
    fn refusal(&self) -> Option<&'static str> {
        (self.state == CacheState::Missing).then_some("nothing")
    }
}

impl Returned for Retained {
    fn refusal(&self) -> Option<&'static str> {
        (self.rows == 0 && self.set_aside.is_empty()).then_some("nothing")
    }
}

/// Reads answer with something, or the test has asked the wrong question.
impl Returned for bool {
    fn refusal(&self) -> Option<&'static str> {
        (!self).then_some("nothing")
    }
}

impl<T> Returned for Vec<T> {
    fn refusal(&self) -> Option<&'static str> {
        self.is_empty().then_some("nothing")
    }
}

impl<T> Returned for Option<T> {
    fn refusal(&self) -> Option<&'static str> {
        self.is_none().then_some("nothing")
    }
}

pub fn answer<T: Returned>(result: Result<T, Error>) -> Answer {
    match result {
        Ok(value) => value.refusal().map_or(Answer::Done, Answer::Recorded),
        Err(Error::Conflict { blockers }) if blockers.is_empty() => Answer::Refused("conflict with nobody"),
        Err(error) => Answer::Refused(error.code()),
    }
}

/// `act!(s, db => s.keeper.holds().place(db, &…))`
macro_rules! act {
    ($s:ident, $db:ident => $call:expr) => {
        |$s, $db| Box::pin(async move { $crate::calls::act::answer($call.await) })
    };
}
pub(crate) use act;
