//! What the model says of places: free, taken, closed, off sale.

use super::{
    call::{Answer, Call, Detail, Span, Want},
    world::{Owner, World, done, no},
};

impl World {
    pub fn place_rules(&mut self, call: &Call) -> Answer {
        match call.clone() {
            Call::Block { blackout, want } => {
                let mut blocked: Vec<_> = want.blocked().collect();
                blocked.sort_unstable();
                if let Some((_, first)) = self.blackouts.iter().find(|(number, _)| *number == blackout) {
                    let reused = || Answer::err("key_reused", Detail::Text("resources"));
                    return Answer { replay: true, ..if *first == blocked { done() } else { reused() } };
                }
                if let Some(missing) = self.missing(&want) {
                    return missing;
                }
                let taken = self.taken(&want, None);
                if !taken.is_empty() {
                    return Answer::err("conflict", Detail::Taken(taken));
                }
                self.claim(&want, "blackout", Owner::Blackout(blackout));
                self.blackouts.push((blackout, blocked));
                self.events += 1;
                done()
            }
            Call::Unblock { blackout } if self.blackouts.iter().all(|(number, _)| *number != blackout) => {
                no("blackout")
            }
            Call::Unblock { blackout } => {
                let before = self.rows.len();
                self.free(Owner::Blackout(blackout));
                self.events += usize::from(self.rows.len() < before);
                done()
            }
            Call::Deactivate { place } => {
                self.inactive.push(place);
                done()
            }
            Call::IsFree { place, window } => {
                let want = alone(place, window);
                let free = i64::from(self.taken(&want, None).is_empty());
                self.missing(&want).unwrap_or_else(|| Answer::ok("free", Detail::Numbers(free, 0)))
            }
            Call::Blockers { want } => Answer::ok("taken", Detail::Taken(self.taken(&want, None))),
            Call::FreeWindows { place, window } => {
                let mut free = if self.inactive.contains(&place) { Vec::new() } else { vec![window] };
                for (_, taken, _) in self.taken(&alone(place, window), None) {
                    let around = |span: Span| [(span.0, taken.0.min(span.1)), (taken.1.max(span.0), span.1)];
                    free = free.into_iter().flat_map(around).filter(|span| span.0 < span.1).collect();
                }
                Answer::ok("windows", Detail::Free(free))
            }
            other => unreachable!("no call about places: {other:?}"),
        }
    }
}

fn alone(place: usize, window: Span) -> Want {
    Want { pairs: vec![(place, window)], before: 0, after: 0 }
}
