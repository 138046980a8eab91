//! Random steps. A step holds dice; what it means is settled when it is its turn, by what exists then, so that most calls
//! are about something that is there and a shrunk sequence still makes sense.

use super::{
    call::{Call, How, Span, Target, Want},
    world::World,
};
use proptest::{collection::vec, prelude::*};

pub const PLACES: usize = 4;
/// An id nobody has.
const UNKNOWN: usize = 999;

#[derive(Clone, Debug)]
pub struct Step {
    verb: u8,
    dice: Vec<u8>,
    want: Want,
    window: Span,
}

/// Half an hour is a cell; windows of one to three of ten cells, so that most overlap something.
fn span() -> impl Strategy<Value = Span> {
    (0..10i64, 1..4i64).prop_map(|(from, cells)| (600 + from * 30, 600 + (from + cells) * 30))
}

fn want() -> impl Strategy<Value = Want> {
    let places = proptest::sample::subsequence((0..PLACES).collect::<Vec<_>>(), 1..4);
    let buffer = || prop_oneof![4 => Just(0i64), 1 => Just(15), 1 => Just(30)];
    (places, span(), span(), 0..5u8, buffer(), buffer()).prop_map(
        |(places, one, other, apart, before, after)| {
            // One in five claims has its last place at a time of its own.
            let last = if apart == 0 { places.len() - 1 } else { PLACES };
            let at = |n: usize| if n == last { other } else { one };
            let pairs = places.iter().enumerate().map(|(n, &place)| (place, at(n))).collect();
            Want { pairs, before, after }
        },
    )
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..100u8, vec(any::<u8>(), 6), want(), span());
    vec(step.prop_map(|(verb, dice, want, window)| Step { verb, dice, want, window }), 35..45)
}

impl Step {
    /// The call this step stands for now. `earlier` are the calls made so far; numbers unused so far start at `fresh`.
    pub fn settle(&self, world: &World, earlier: &[Call], fresh: usize) -> Call {
        let d = |n: usize| usize::from(self.dice[n]);
        // One of the latest, or one that does not exist.
        let pick = |known: &mut dyn DoubleEndedIterator<Item = usize>, die: usize| {
            let latest: Vec<usize> = known.rev().take(12).collect();
            if die % 24 == 0 || latest.is_empty() { UNKNOWN } else { latest[die % latest.len()] }
        };
        let hold = pick(&mut world.holds.iter().map(|h| h.number), d(0));
        let booking = pick(&mut world.bookings.iter().map(|b| b.number), d(0));
        let blackout = pick(&mut world.blackouts.iter().map(|(number, _)| *number), d(0));
        let anybody = [None, Some(0), Some(1)][d(1) % 3];
        let its_actor = world.holds.iter().find(|h| h.number == hold).and_then(|h| h.actor);
        let actor = if d(1) % 8 == 0 { anybody } else { its_actor };
        let key = if d(2) % 12 == 0 { pick(&mut world.records.iter().map(|r| r.key), d(3)) } else { fresh };
        let found = world.bookings.iter().find(|b| b.number == booking);
        let revision = found.map_or(1, |b| b.revision) + i32::from(d(4) % 5 == 0);
        let how = [How::Minted, How::Minted, How::New, How::Pending][d(4) % 4];
        let existing = how == How::Pending || (how == How::New && d(5) % 10 == 0);
        let named = if existing { booking } else { fresh };
        let target = Target { booking: named, how };
        let (want, window) = (self.want.clone(), self.window);
        let held = world.holds.iter().find(|h| h.number == hold).map(|h| h.want.window());
        let verb = match self.verb {
            // While there is nothing to work on: something to work on.
            18..53 if world.holds.is_empty() => 0,
            69..80 if world.bookings.is_empty() => 60,
            85..87 if world.blackouts.is_empty() => 82,
            verb => verb,
        };
        match verb {
            0..18 => Call::Place { hold: fresh, old: None, want, actor: anybody },
            18..24 => Call::Place { hold: fresh, old: Some(hold), want, actor },
            24..27 => Call::Extend { hold, actor, too_far: d(2) % 6 == 0 },
            27..31 => Call::Release { hold, actor },
            31..38 => Call::Expire { hold },
            38..41 => Call::Sweep,
            41..53 => {
                let window = [None, None, held, Some(window)][d(3) % 4];
                Call::Confirm { hold, key, target, window, late: d(5) % 3 == 0, customer: anybody }
            }
            53..63 => {
                let fits = found.filter(|_| how == How::Pending && d(3) % 6 != 0).map(|b| b.window);
                let pairs = want.pairs.iter().map(|&(place, at)| (place, fits.unwrap_or(at))).collect();
                Call::Book { want: Want { pairs, ..want }, key, target, customer: anybody }
            }
            63..69 => {
                let window = held.filter(|_| d(2) % 2 == 0).unwrap_or(window);
                let booking = if d(3) % 10 == 0 { booking } else { fresh };
                Call::Request { booking, window, customer: anybody }
            }
            69..73 => Call::Cancel { booking, key, revision: (d(3) % 2 == 0).then_some(revision) },
            73..80 => Call::Move { booking, key, revision, want },
            80..82 => Call::Erase { customer: d(1) % 2, key },
            82..85 => Call::Block { blackout: if d(3) % 8 == 0 { blackout } else { fresh }, want },
            85..87 => Call::Unblock { blackout },
            87 => Call::Deactivate { place: d(1) % PLACES },
            88..90 => Call::IsFree { place: d(1) % PLACES, window },
            90..92 => Call::Blockers { want },
            92..94 => Call::FreeWindows { place: d(1) % PLACES, window: (600, 960) },
            _ if earlier.is_empty() => Call::Sweep,
            // The very same call again.
            _ => earlier[earlier.len() - 1 - d(0) % earlier.len().min(12)].clone(),
        }
    }
}
