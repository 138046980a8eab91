//! The model's state, over plain lists: who has which place, and which key was answered how. It knows nothing of SQL,
//! locks or time; a hold is expired when somebody said so.

use super::call::{Answer, Call, Detail, Span, Want};

/// A mistake built in on purpose, to show that the comparison notices.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Flaw {
    #[default]
    None,
    TouchingOverlaps,
    ExpiredBlocks,
    CancelKeepsThePlace,
    KeysAreForgotten,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Owner {
    Hold(usize),
    Booking(usize),
    Blackout(usize),
}

#[derive(Clone, Debug)]
pub struct Row {
    pub place: usize,
    pub span: Span,
    pub kind: &'static str,
    pub owner: Owner,
    pub expired: bool,
}

#[derive(Clone, Debug)]
pub struct Hold {
    pub number: usize,
    pub want: Want,
    pub actor: Option<usize>,
    pub status: &'static str,
    pub expired: bool,
    pub swept: bool,
}

#[derive(Clone, Debug)]
pub struct Booking {
    pub number: usize,
    pub window: Span,
    pub status: &'static str,
    pub revision: i32,
    pub owner: Option<Owner>,
    pub customer: Option<usize>,
    /// The window it was requested for, if it was pending once.
    pub requested: Option<Span>,
    /// Whether what it carries was replaced or cleared.
    pub changed: bool,
}

pub struct Record {
    pub operation: &'static str,
    pub key: usize,
    request: Vec<(&'static str, String)>,
    answer: Answer,
}

/// The most unexpired holds of one actor.
pub const PER_ACTOR: usize = 1;

#[derive(Default)]
pub struct World {
    pub flaw: Flaw,
    /// Live rows only.
    pub rows: Vec<Row>,
    pub holds: Vec<Hold>,
    pub bookings: Vec<Booking>,
    /// With what they blocked when they were first asked for.
    pub blackouts: Vec<(usize, Vec<(usize, Span)>)>,
    pub records: Vec<Record>,
    pub inactive: Vec<usize>,
    pub events: usize,
}

impl World {
    /// What the documentation says this call comes to.
    pub fn apply(&mut self, call: &Call) -> Answer {
        let Some((operation, key, request)) = call.keyed() else { return self.decide(call) };
        let mut known = self.records.iter().filter(|_| self.flaw != Flaw::KeysAreForgotten);
        if let Some(record) = known.find(|record| (record.operation, record.key) == (operation, key)) {
            let differs = record.request.iter().zip(&request).find(|(first, now)| first != now);
            return match differs {
                Some((first, _)) => Answer::err("key_reused", Detail::Text(first.0)),
                None => Answer { replay: true, ..record.answer.clone() },
            };
        }
        let answer = self.decide(call);
        if answer.ok {
            self.records.push(Record { operation, key, request, answer: answer.clone() });
        }
        answer
    }

    pub fn overlap(&self, a: Span, b: Span) -> bool {
        if self.flaw == Flaw::TouchingOverlaps { a.0 <= b.1 && b.0 <= a.1 } else { a.0 < b.1 && b.0 < a.1 }
    }

    pub fn taken(&self, want: &Want, own: Option<Owner>) -> Vec<(usize, Span, &'static str)> {
        let flawed = self.flaw == Flaw::ExpiredBlocks;
        let others = self.rows.iter().filter(|row| (flawed || !row.expired) && Some(row.owner) != own);
        let mut taken: Vec<_> = others
            .flat_map(|row| want.blocked().map(move |wanted| (row, wanted)))
            .filter(|(row, (place, span))| row.place == *place && self.overlap(row.span, *span))
            .map(|(row, (place, s))| (place, (s.0.max(row.span.0), s.1.min(row.span.1)), row.kind))
            .collect();
        taken.sort_unstable();
        taken
    }

    pub fn free(&mut self, owner: Owner) {
        self.rows.retain(|row| row.owner != owner);
    }

    /// Takes places that are known to be free: expired rows give way.
    pub fn claim(&mut self, want: &Want, kind: &'static str, owner: Owner) {
        for (place, span) in want.blocked() {
            let mut rows = std::mem::take(&mut self.rows);
            rows.retain(|row| row.place != place || !self.overlap(row.span, span));
            rows.push(Row { place, span, kind, owner, expired: false });
            self.rows = rows;
        }
    }

    pub fn missing(&self, want: &Want) -> Option<Answer> {
        let places = want.pairs.iter().map(|pair| pair.0).filter(|place| self.inactive.contains(place));
        let places: Vec<_> = places.collect();
        (!places.is_empty()).then(|| Answer::err("resource_not_found", Detail::Places(places)))
    }

    fn decide(&mut self, call: &Call) -> Answer {
        match call {
            Call::Place { .. } | Call::Extend { .. } | Call::Release { .. } => self.hold_rules(call),
            Call::Expire { .. } | Call::Sweep => self.hold_rules(call),
            Call::Block { .. } | Call::Unblock { .. } | Call::Deactivate { .. } => self.place_rules(call),
            Call::IsFree { .. } | Call::Blockers { .. } | Call::FreeWindows { .. } => self.place_rules(call),
            _ => self.booking_rules(call),
        }
    }
}

pub fn done() -> Answer {
    Answer::ok("done", Detail::Nothing)
}

pub fn no(what: &'static str) -> Answer {
    Answer::err("not_found", Detail::Text(what))
}
