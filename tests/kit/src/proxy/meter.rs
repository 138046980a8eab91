//! What is counted, and what is to go wrong: shared by all connections of a proxy.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// What becomes of a flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Forward,
    /// Never reaches the server.
    CutRequest,
    /// Reaches the server, and the answer never reaches the client.
    CutReply,
}

#[derive(Debug, Default)]
pub(super) struct Meter(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    round_trips: u64,
    messages: BTreeMap<char, u64>,
    delay: Duration,
    /// Flights until the fate strikes: 1 is the next.
    cut: Option<(u64, Fate)>,
}

impl Meter {
    /// No panic happens while it is held, so a poisoned one is as good.
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn message(&self, kind: u8) {
        *self.counts().messages.entry(char::from(kind)).or_default() += 1;
    }

    /// A flight begins: counts it, and says what becomes of it.
    pub(super) fn flight(&self) -> Fate {
        let mut counts = self.counts();
        counts.round_trips += 1;
        match &mut counts.cut {
            Some((1, fate)) => {
                let fate = *fate;
                counts.cut = None;
                fate
            }
            Some((left, _)) => {
                *left -= 1;
                Fate::Forward
            }
            None => Fate::Forward,
        }
    }

    pub(super) fn cut(&self, nth: u64, fate: Fate) {
        self.counts().cut = Some((nth.max(1), fate));
    }

    pub(super) fn round_trips(&self) -> u64 {
        self.counts().round_trips
    }

    pub(super) fn messages(&self) -> BTreeMap<char, u64> {
        self.counts().messages.clone()
    }

    pub(super) fn reset(&self) {
        let mut counts = self.counts();
        counts.round_trips = 0;
        counts.messages.clear();
    }

    pub(super) fn set_delay(&self, each_way: Duration) {
        self.counts().delay = each_way;
    }

    pub(super) fn delay(&self) -> Duration {
        self.counts().delay
    }
}
